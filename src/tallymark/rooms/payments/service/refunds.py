"""Money that goes back to who paid it: of which payment, asked for once, decided at once or later (wallets §14)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.payment_providers.model import RefundOutcome, RefundStatus, RefundTold
from tallymark.rooms.payments import refund_rows, repository
from tallymark.rooms.payments.model import LatestPayment, Payment, Refund

NOTE_KEY = "lago_credit_note_id"
"""By which of its metadata a provider tells whose refund it speaks of."""

CALLED_OFF = "called_off"
"""What a refund is called, in the place of its provider's word, that is not asked for any more."""


async def latest_payment(tx: Tx, invoice_id: UUID) -> LatestPayment | None:
    """What came in last for an invoice, be it by its own payment or by one for a payment request."""
    found = await refund_rows.latest_paid(tx, invoice_id)
    if found is None:
        return None
    payment_id, cents = found
    payment = (await repository.get_payments(tx, [payment_id]))[payment_id]
    left_cents = cents - await refund_rows.paid_back(tx, payment_id, invoice_id)
    return LatestPayment(payment=payment, left_cents=left_cents)


async def find_payment_of(tx: Tx, connection_id: UUID, provider_payment_id: str) -> Payment | None:
    """A payment by its name at the provider."""
    payment_id = await refund_rows.find_payment_by_name(tx, connection_id, provider_payment_id)
    return None if payment_id is None else (await repository.get_payments(tx, [payment_id]))[payment_id]


async def refund_of(tx: Tx, note_id: UUID) -> Refund | None:
    """What is paid back for a credit note, if anybody was asked to."""
    return await refund_rows.find_of_note(tx, note_id)


async def find_refund(tx: Tx, connection_id: UUID, told: RefundTold) -> Refund | None:
    """The refund that a provider tells of: by its name, by what was handed along, or the only one of its payment without a name."""
    if name := told.outcome.provider_refund_id:
        known = await refund_rows.find_by_name(tx, connection_id, name)
        if known is not None:
            return known
    if (note_id := _as_id(told.metadata.get(NOTE_KEY))) is not None:
        known = await refund_rows.find_of_note(tx, note_id)
        return known if known is not None and known.payment_provider_id == connection_id else None
    if told.provider_payment_id is None:
        return None
    unnamed = await refund_rows.unnamed_of_payment(tx, connection_id, told.provider_payment_id)
    return unnamed[0] if len(unnamed) == 1 else None


def _as_id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


async def note_refund_begun(tx: Tx, note: CreditNote, payment: Payment, *, now: datetime) -> Refund:
    """Note that a payment's provider is to pay a note's refund back. Needs the customer's lock."""
    assert payment.payment_provider_id is not None, "somebody is asked"
    row = {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "credit_note_id": note.id,
        "payment_id": payment.id,
        "payment_provider_id": payment.payment_provider_id,
        "amount_cents": note.refund_amount_cents,
        "currency": note.currency,
        "status": RefundStatus.PENDING,
        "refund_status": RefundStatus.PENDING,
        "created_at": now,
        "updated_at": now,
    }
    await refund_rows.insert_refund(tx, row)
    refund = await refund_rows.find_of_note(tx, note.id)
    assert refund is not None, "it was written just now"
    return refund


async def note_refund_told(tx: Tx, refund: Refund, outcome: RefundOutcome, *, now: datetime) -> None:
    """Note what became of a refund. Needs the customer's lock."""
    told = {
        "status": outcome.status,
        "refund_status": outcome.refund_status,
        "provider_refund_id": outcome.provider_refund_id or refund.provider_refund_id,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "updated_at": now,
    }
    await refund_rows.update_refund(tx, refund.id, told)


def is_news(refund: Refund, outcome: RefundOutcome) -> bool:
    """Whether a provider's word changes what is known of a refund.

    What was paid back may come back after all, and what has come back stays. A refund that was called off and is on its way
    nevertheless, is on its way.
    """
    match RefundStatus(refund.refund_status):
        case RefundStatus.PENDING:
            return True
        case RefundStatus.SUCCEEDED:
            return outcome.refund_status is RefundStatus.FAILED
        case RefundStatus.FAILED:
            return refund.status == CALLED_OFF and outcome.refund_status is not RefundStatus.FAILED
