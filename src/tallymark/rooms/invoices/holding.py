"""Invoices that have to be paid before they are issued: nobody sees them until then (invoicing §2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Kind
from tallymark.rooms.invoices import held_rows, repository
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus, check_change
from tallymark.rooms.invoices.service import PAID_BY_WALLETS, Settled


async def hold(tx: Tx, settled: Sequence[Settled], *, now: datetime) -> None:
    """Have invoices from which all is deducted wait for their payment; they get no number, and nothing is posted."""
    rows = []
    for one in settled:
        check_change(one.view.invoice.status, InvoiceStatus.OPEN)
        paid = {name: getattr(one.view.invoice, name) for name in PAID_BY_WALLETS}
        status = {"status": InvoiceStatus.OPEN, "tax_status": None, "updated_at": now}
        rows.append({"id": one.view.invoice.id, **one.dates, **paid, **status})
    await repository.update_invoices(tx, rows)


async def close(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Give an invoice up that waited for its payment, or for its taxes before that."""
    check_change(invoice.status, InvoiceStatus.CLOSED)
    await agenda.drop(tx, Kind.FINALIZE_INVOICE, invoice.id)
    closed = {"status": InvoiceStatus.CLOSED, "tax_status": None, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, closed)


async def first_invoice(tx: Tx, subscription_id: UUID) -> Invoice | None:
    """The first invoice that bills a subscription, of any status; None where nothing was."""
    return await held_rows.first_invoice(tx, subscription_id)
