"""What becomes of an invoice after it was issued: paid or not, void, disputed, annotated (invoicing §10.2, §10.4, §12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Forbidden, Invalid, NotAllowed
from tallymark.domain.invoicing.creditable import Parts
from tallymark.jobs.activity import Changes, changes
from tallymark.jobs.outbox import Message, emit, log_change
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.billing.service.lifetime import look_again
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.invoices import annotating, posting
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus, MetadataInput
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.wallets import service as wallets

PAYMENT_STATUSES = ("pending", "succeeded", "failed")
MOST_METADATA = 5
DISPUTABLE = (InvoiceStatus.FINALIZED, InvoiceStatus.VOIDED)

NO_CHANGES: Changes = {}


async def update(
    tx: Tx,
    invoice_id: UUID,
    *,
    payment_status: str | None,
    metadata: Sequence[MetadataInput] | None,
    now: datetime,
) -> None:
    """Note whether an invoice was paid, and what is written on it; None leaves a part as it is (§10.2).

    Raises `NotAllowed("update_on_voided_invoice")`, `NotFound("invoice")`, `NotAllowed("metadata_on_draft_invoice")`,
    `Invalid`, and `NotAllowed("payment_status_update_on_draft_invoice")`, in this order.
    """
    invoice = await _lock(tx, invoice_id)
    if invoice.status is InvoiceStatus.VOIDED:
        raise NotAllowed("update_on_voided_invoice")
    is_draft = invoice.status is InvoiceStatus.DRAFT
    if is_draft and metadata is not None:
        raise NotAllowed("metadata_on_draft_invoice")
    if payment_status is not None and payment_status not in PAYMENT_STATUSES:
        raise Invalid({"payment_status": ["value_is_invalid"]})
    if metadata is not None and len(metadata) > MOST_METADATA:
        raise Invalid({"metadata": ["invalid_count"]})
    if is_draft and payment_status not in (None, invoice.payment_status):
        raise NotAllowed("payment_status_update_on_draft_invoice")
    noted: Changes = NO_CHANGES
    if metadata is not None:
        noted = await annotating.replace_metadata(tx, invoice.id, metadata, now=now)
    if payment_status is not None:
        await settlements.set_payment_status(tx, invoice, payment_status, now=now)
    await _log_update(tx, invoice, noted, now=now)


async def refresh(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Compute a draft anew because somebody asks for it; any other invoice stays as it is (§6).

    Raises `NotFound("invoice")` and `Forbidden("feature_unavailable")`.
    """
    found = await invoices.get_invoice(tx, invoice_id)
    if found.invoice_type != billing.INVOICE_TYPE:
        raise Forbidden("feature_unavailable")
    draft = await _lock(tx, invoice_id)
    await billing.refresh(tx, draft, now=now)
    await _log_update(tx, draft, now=now)


async def finalize(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Issue a draft because somebody asks for it; needs the customer's lock. Raises `NotFound("invoice")` for what is no draft.

    Nobody outside hears of one that is closed for want of fees, or that waits for its taxes now: the log does.
    """
    draft = await invoices.get_invoice(tx, invoice_id)
    await billing.finalize(tx, draft.id, now=now, as_of=now)
    left = await _as_left(tx, draft)
    if left.status is not InvoiceStatus.FINALIZED:
        await log_change(tx, "invoice.updated", draft.id, changes(draft, left), now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """What voiding gives back by a credit note, in minor units; what remains of the invoice is given to nobody."""

    credit_cents: int = 0
    refund_cents: int = 0


async def void(tx: Tx, invoice_id: UUID, *, by_note: GiveBack | None = None, now: datetime) -> None:
    """Cancel an issued invoice: give back what it took of coupons, credit notes and wallets, or a part of it by a note (§10.4).

    Raises `NotFound("invoice")`, `NotAllowed("not_voidable")`, and `Invalid` for more than can be given back.
    """
    invoice = await _lock(tx, invoice_id)
    if invoice.status is not InvoiceStatus.FINALIZED:
        raise NotAllowed("not_voidable")
    if by_note is not None:
        returned = posting.Returned(lost_grants_cents=invoice.prepaid_granted_credit_amount_cents or 0)
        parts = Parts(credit_cents=by_note.credit_cents, refund_cents=by_note.refund_cents)
        await credit_notes.give_back_voided(tx, invoice, parts, now=now)
    else:
        to_notes = await credit_notes.give_back(tx, invoice.id, now=now)
        to_wallets = await wallets.give_back(tx, invoice.id, now=now)
        returned = posting.Returned(
            to_notes_cents=to_notes,
            to_wallets_cents=to_wallets.cents,
            lost_grants_cents=to_wallets.lost_grants_cents,
        )
    await invoices.void(tx, invoice, now=now)
    await wallets.follow_payment(tx, invoice.id, now=now)
    await coupons.give_back(tx, invoice.id, now=now)
    bought = await wallets.purchase_of(tx, invoice.id)
    of_it = [*await credit_notes.ids_on_invoice(tx, invoice.id), *([bought.id] if bought else [])]
    await posting.post_voided(tx, invoice, document_ids=of_it, returned=returned, now=now)
    records = await invoices.records_of(tx, invoice.id)
    billed = await subscriptions.live_contracts(tx, {record.subscription_id for record in records})
    await look_again(tx, billed, now=now)
    await _tell(tx, "invoice.voided", invoice, now=now)


async def delete_draft(tx: Tx, invoice_id: UUID, *, now: datetime) -> Invoice:
    """Take a draft away, and return it as it is then: nobody sees it any more (§10).

    Raises `NotFound("invoice")` and `NotAllowed("not_deletable")`.
    """
    invoice = await _lock(tx, invoice_id)
    if invoice.status is not InvoiceStatus.DRAFT:
        raise NotAllowed("not_deletable")
    await invoices.delete_draft(tx, invoice, now=now)
    await credit_notes.drop_drafts(tx, invoice.id)
    await _tell(tx, "invoice.deleted", invoice, now=now)
    return await _as_left(tx, invoice)


async def retry(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Ask again for the taxes of an invoice that failed. Raises `NotFound("invoice")` and `NotAllowed("invalid_status")`."""
    invoice = await _lock(tx, invoice_id)
    if invoice.status is not InvoiceStatus.FAILED:
        raise NotAllowed("invalid_status")
    await invoices.retry(tx, invoice, now=now)
    await _log_update(tx, invoice, now=now)


async def lose_dispute(tx: Tx, invoice_id: UUID, *, reason: str | None = None, now: datetime) -> None:
    """Note that a dispute about an invoice was lost; the first time counts (§10). `reason` is a provider's word for why.

    Raises `NotFound("invoice")` and `NotAllowed("not_disputable")`.
    """
    invoice = await _lock(tx, invoice_id)
    if invoice.status not in DISPUTABLE:
        raise NotAllowed("not_disputable")
    if invoice.payment_dispute_lost_at is None:
        await invoices.lose_dispute(tx, invoice, now=now)
        message = Message(
            webhook_type="invoice.payment_dispute_lost",
            object_type="payment_dispute_lost",
            object_id=invoice.id,
            payload=None if reason is None else {"provider_error": reason},
            changes=changes(invoice, await _as_left(tx, invoice)),
        )
        await emit(tx, message, now=now)


async def _lock(tx: Tx, invoice_id: UUID) -> Invoice:
    """The invoice as it is once nobody else works for its customer."""
    found = await invoices.get_invoice(tx, invoice_id)
    await tx.lock("customer", found.customer_id)
    return await invoices.get_invoice(tx, invoice_id)


async def _as_left(tx: Tx, invoice: Invoice) -> Invoice:
    found = await invoices.find_invoice(tx, invoice.id)
    assert found is not None, "an invoice is never deleted from its table"
    return found


async def _log_update(tx: Tx, before: Invoice, more: Changes = NO_CHANGES, *, now: datetime) -> None:
    after = await _as_left(tx, before)
    await log_change(tx, "invoice.updated", before.id, {**changes(before, after), **more}, now=now)


async def _tell(tx: Tx, webhook_type: str, invoice: Invoice, *, now: datetime) -> None:
    await emit(tx, Message(webhook_type=webhook_type, object_type="invoice", object_id=invoice.id), now=now)
