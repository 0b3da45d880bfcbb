"""What pays an invoice, and when it is paid: payments, offsets of credit notes, a status set by hand (invoicing §12)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.fees import service as fees
from tallymark.rooms.invoices import repository, service
from tallymark.rooms.invoices.model import VISIBLE, Invoice

SUCCEEDED = "succeeded"
OF_CREDIT_NOTE = "credit_note"


async def set_payment_status(tx: Tx, invoice: Invoice, status: str, *, now: datetime) -> None:
    """Note whether an invoice was paid, on its fees too. Paid, it is not overdue any more; unpaid again, it may become so.

    Needs the customer's lock. The same status again changes nothing.
    """
    if status == invoice.payment_status:
        return
    is_paid = status == SUCCEEDED
    overdue = {"payment_overdue": False} if is_paid else {}
    changed = {"payment_status": status, **overdue, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, changed)
    if is_paid:
        await agenda.drop(tx, Kind.MARK_OVERDUE, invoice.id)
    elif not invoice.payment_overdue:
        await agenda.leave(tx, service.overdue_item(invoice, invoice.payment_due_date))
    await fees.set_payment_status_of_invoice(tx, invoice.id, status, now=now)
    if invoice.status in VISIBLE:
        kind = "invoice.payment_status_updated"
        await emit(tx, Message(webhook_type=kind, object_type="invoice", object_id=invoice.id), now=now)


async def pay(tx: Tx, invoice: Invoice, cents: int, *, now: datetime) -> None:
    """Add a payment to what was paid of an invoice; needs the customer's lock."""
    paid = {"total_paid_amount_cents": invoice.total_paid_amount_cents + cents, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, paid)
    await _settle(tx, invoice.id, now=now)


async def offset(tx: Tx, invoice: Invoice, note_id: UUID, cents: int, *, now: datetime) -> None:
    """Take what a credit note offsets off what is due of its invoice; needs the customer's lock."""
    settlement = {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "invoice_id": invoice.id,
        "settlement_type": OF_CREDIT_NOTE,
        "credit_note_id": note_id,
        "amount_cents": cents,
        "currency": invoice.currency,
        "created_at": now,
    }
    await repository.insert_settlement(tx, settlement)
    taken = {"offset_amount_cents": invoice.offset_amount_cents + cents, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, taken)
    await _settle(tx, invoice.id, now=now)


async def _settle(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Nothing due any more: it is paid."""
    invoice = await service.find_invoice(tx, invoice_id)
    assert invoice is not None, "it was written just now"
    if invoice.total_due_amount_cents <= 0:
        await set_payment_status(tx, invoice, SUCCEEDED, now=now)
