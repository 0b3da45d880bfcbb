"""What invoices leave to be done by who collects them; an invoice knows of no provider itself (wallets-and-payments §11.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.invoices import collecting_rows
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus, InvoiceView


async def have_collected(tx: Tx, views: Iterable[InvoiceView], *, now: datetime) -> None:
    """Have invoices that are issued now, or that have to be paid before, collected from customers who are linked to a connection.

    Where nobody is, nothing is asked of the database. What fees that were paid in advance are put on is paid, too.
    """
    items = [
        Item(
            kind=Kind.ASK_FOR_PAYMENT,
            subject_id=view.invoice.id,
            owner_id=view.invoice.customer_id,
            due_at=now,
        )
        for view in views
        if view.customer.payment_provider_id is not None
        and view.invoice.total_amount_cents
        and view.invoice.invoice_type != "advance_charges"
        and not view.invoice.self_billed
        and not view.invoice.skip_psp
    ]
    if items:
        await agenda.put(tx, *items)


async def note_due(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Have whoever asks for the money look again: an invoice is paid, void, or has less due than it had."""
    if await collecting_rows.is_asked_for(tx, invoice.id):
        item = Item(kind=Kind.FOLLOW_DUE, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=now)
        await agenda.leave(tx, item)


async def first_subscriptions(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The first subscription that each invoice bills; one that bills none is left out."""
    return await collecting_rows.first_subscriptions(tx, invoice_ids)


async def unpaid_of(tx: Tx, customer_id: UUID) -> list[Invoice]:
    """The issued invoices of a customer whose payment is pending, the oldest first."""
    return await collecting_rows.unpaid_of(tx, customer_id)


async def count_attempt(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Count that a provider is asked for an invoice."""
    await collecting_rows.count_attempt(tx, invoice_id, at=now)


def can_be_collected(invoice: Invoice) -> bool:
    """Whether money of a provider is for an invoice: it is issued, or one for credits that has to be paid first, and something is due."""
    is_open = invoice.status is InvoiceStatus.OPEN and invoice.invoice_type == "credit"
    is_owed = invoice.payment_status != "succeeded" and invoice.total_due_amount_cents > 0
    return is_owed and (is_open or invoice.status is InvoiceStatus.FINALIZED)
