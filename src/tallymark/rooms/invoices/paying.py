"""What an invoice keeps of its being paid: its status and its sums. The settlements room calls it (invoicing §12)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.fees import service as fees
from tallymark.rooms.invoices import collecting, repository, service
from tallymark.rooms.invoices.model import VISIBLE, Invoice


async def set_payment_status(
    tx: Tx, invoice: Invoice, status: str, *, is_told: bool = True, now: datetime
) -> None:
    """Note whether an invoice was paid, on its fees too. Paid, it is not overdue any more; unpaid again, it may become so.

    Whoever asked and was answered at once is not told of it again.
    """
    is_paid = status == "succeeded"
    overdue = {"payment_overdue": False} if is_paid else {}
    changed = {"payment_status": status, **overdue, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, changed)
    if is_paid:
        await agenda.drop(tx, Kind.MARK_OVERDUE, invoice.id)
        if invoice.payment_overdue:
            await agenda.leave(tx, _dunning_item(invoice, now))
    elif not invoice.payment_overdue:
        await agenda.leave(tx, service.overdue_item(invoice, invoice.payment_due_date))
    await fees.set_payment_status_of_invoice(tx, invoice.id, status, now=now)
    if is_paid:
        await collecting.note_due(tx, invoice, now=now)
    if invoice.status in VISIBLE and is_told:
        kind = "invoice.payment_status_updated"
        await emit(tx, Message(webhook_type=kind, object_type="invoice", object_id=invoice.id), now=now)


def _dunning_item(invoice: Invoice, now: datetime) -> Item:
    """A campaign may have asked for it, and begins anew (wallets §17)."""
    return Item(kind=Kind.RESET_DUNNING, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=now)


async def add_paid(tx: Tx, invoice: Invoice, cents: int, *, now: datetime) -> Invoice:
    """The invoice once a payment (minor units) was added to what was paid of it."""
    return await _add(tx, invoice, "total_paid_amount_cents", cents, now=now)


async def add_offset(tx: Tx, invoice: Invoice, cents: int, *, now: datetime) -> Invoice:
    """The invoice once a credit note took so much (minor units) off what is due."""
    return await _add(tx, invoice, "offset_amount_cents", cents, now=now)


async def _add(tx: Tx, invoice: Invoice, column: str, cents: int, *, now: datetime) -> Invoice:
    changed = {column: getattr(invoice, column) + cents, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, changed)
    found = await service.find_invoice(tx, invoice.id)
    assert found is not None, "it was written just now"
    if found.total_due_amount_cents > 0:
        await collecting.note_due(tx, invoice, now=now)  # else it is paid, and that is noted
    return found


async def mark_settled(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Note that an invoice was paid before it was issued: it never becomes overdue."""
    await agenda.drop(tx, Kind.MARK_OVERDUE, invoice_id)
    await repository.update_invoice(tx, invoice_id, {"payment_status": "succeeded", "updated_at": now})
