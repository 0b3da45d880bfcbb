"""Refunds of credit notes, paid back by who collected the money, and disputes that customers won (wallets §14).

A note's refund is of the latest payment of its invoice, and of no more than that payment has left of it. What cannot be paid
back that way is told, and left to a person; what was paid by hand was theirs from the beginning.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.billing.service import life
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.payment_providers.model import (
    DisputeLost,
    PaymentStatus,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
    RefundTold,
)
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import LatestPayment, Payment, Refund

TOO_MUCH = "refund_exceeds_payment"
"""Why a refund fails that is more than the latest payment has left."""

_CALLED_OFF = RefundOutcome(refund_status=RefundStatus.FAILED, status=payments.CALLED_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What which connection is asked to pay back."""

    connection_id: UUID
    order: RefundOrder


async def begin(tx: Tx, note_id: UUID, kinds: Collection[str], *, now: datetime) -> Asked | None:
    """What to ask for a note's refund, and of whom; None where nobody is to be asked, or was asked already.

    `kinds` are the providers that pay back. A person who says what became of it, and a dispute that was lost, stop what was
    not sent.
    """
    note = await credit_notes.lock_note(tx, note_id)
    refund = await payments.refund_of(tx, note_id)
    if refund is not None and (refund.refund_status != RefundStatus.PENDING or refund.provider_refund_id):
        return None
    if not await _is_wanted(tx, note):
        if refund is not None:
            await payments.note_refund_told(tx, refund, _CALLED_OFF, now=now)
        return None
    if refund is None:
        refund = await _choose(tx, note, kinds, now=now)
    return None if refund is None else await _asked(tx, note, refund)


async def _is_wanted(tx: Tx, note: CreditNote) -> bool:
    invoice = (await invoices.get_invoices(tx, [note.invoice_id]))[note.invoice_id]
    is_paid = invoice.payment_status == PaymentStatus.SUCCEEDED and invoice.payment_dispute_lost_at is None
    return is_paid and note.refund_status == RefundStatus.PENDING


async def _choose(tx: Tx, note: CreditNote, kinds: Collection[str], *, now: datetime) -> Refund | None:
    """Have the latest payment paid back, if its provider does that and it has enough left."""
    latest = await payments.latest_payment(tx, note.invoice_id)
    if latest is None or not _is_refundable(latest.payment, kinds):
        return None
    refund = await payments.note_refund_begun(tx, note, latest.payment, now=now)
    if note.refund_amount_cents <= latest.left_cents:
        return refund
    await record(tx, note.id, _too_much(note, latest), now=now)
    return None


def _is_refundable(payment: Payment, kinds: Collection[str]) -> bool:
    is_known_there = payment.payment_provider_id is not None and payment.provider_payment_id is not None
    return is_known_there and payment.payment_provider in kinds


def _too_much(note: CreditNote, latest: LatestPayment) -> RefundOutcome:
    left, wanted = latest.left_cents, note.refund_amount_cents
    return RefundOutcome(
        refund_status=RefundStatus.FAILED,
        status="not_sent",
        error_code=TOO_MUCH,
        error_message=f"The latest payment has {left} left to pay back, and the refund is {wanted}, in minor units.",
    )


async def _asked(tx: Tx, note: CreditNote, refund: Refund) -> Asked:
    payment = await payments.find(tx, refund.payment_id)
    assert payment is not None, "payments stay"
    assert payment.provider_payment_id is not None, "it was chosen by that"
    order = RefundOrder(
        idempotency_key=str(note.id),
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        reason=note.reason,
        provider_payment_id=payment.provider_payment_id,
        metadata={
            payments.NOTE_KEY: str(note.id),
            "lago_customer_id": str(note.customer_id),
            "lago_invoice_id": str(note.invoice_id),
        },
    )
    return Asked(connection_id=refund.payment_provider_id, order=order)


async def record(tx: Tx, note_id: UUID, outcome: RefundOutcome, *, now: datetime) -> None:
    """Do what follows from what a provider says of a note's refund; the same word again changes nothing.

    Of its own refund it has the last word, whatever a person has said of it meanwhile.
    """
    note = await credit_notes.lock_note(tx, note_id)
    refund = await payments.refund_of(tx, note_id)
    if refund is None or not payments.is_news(refund, outcome):
        return
    await payments.note_refund_told(tx, refund, outcome, now=now)
    if outcome.refund_status is RefundStatus.PENDING:
        return
    await credit_notes.note_refund(tx, note, outcome.refund_status, now=now)
    if outcome.refund_status is RefundStatus.FAILED:
        await emit(tx, await _failure(tx, note, refund, outcome), now=now)


async def _failure(tx: Tx, note: CreditNote, refund: Refund, outcome: RefundOutcome) -> Message:
    payment = await payments.find(tx, refund.payment_id)
    assert payment is not None, "payments stay"
    customer = (await customers.get_customers(tx, {note.customer_id}))[note.customer_id]
    told: dict[str, Any] = {
        "lago_credit_note_id": str(note.id),
        "lago_customer_id": str(customer.id),
        "external_customer_id": customer.external_id,
        "provider_customer_id": payment.provider_customer_id,
        "payment_provider": payment.payment_provider,
        "payment_provider_code": payment.payment_provider_code,
        "provider_error": {"message": outcome.error_message, "error_code": outcome.error_code},
    }
    name = "credit_note_payment_provider_refund_error"
    return Message(
        webhook_type="credit_note.refund_failure", object_type=name, object_id=note.id, payload={name: told}
    )


async def hear_refund(tx: Tx, connection_id: UUID, told: RefundTold, *, now: datetime) -> None:
    """Take what a provider tells of a refund; one that it was never asked for is no note's."""
    refund = await payments.find_refund(tx, connection_id, told)
    if refund is not None:
        await record(tx, refund.credit_note_id, told.outcome, now=now)


async def hear_dispute(tx: Tx, connection_id: UUID, lost: DisputeLost, *, now: datetime) -> None:
    """Note that the money of a payment is gone, on each invoice that it paid; told twice, it counts once."""
    payment = await payments.find_payment_of(tx, connection_id, lost.provider_payment_id)
    if payment is None or payment.payment_status != PaymentStatus.SUCCEEDED:
        return
    await tx.lock("customer", payment.customer_id)
    for part in await payments.get_parts(tx, payment):
        if part.amount_cents and part.invoice.status in life.DISPUTABLE:
            await life.lose_dispute(tx, part.invoice.id, reason=lost.reason, now=now)
