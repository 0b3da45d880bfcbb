"""What becomes of invoices that are not paid in time, and of customers who owe them."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.jobs.agenda import Batch, Kind
from tallymark.rooms.dunning import service as dunning
from tallymark.rooms.invoices import service as invoices


async def follow_overdue(tx: Tx, batch: Batch, now: datetime) -> None:
    """Mark what is overdue and have its customers looked at; ask them as their campaigns say; begin anew where they paid."""
    if batch.kind is Kind.MARK_OVERDUE:
        await invoices.mark_overdue(tx, batch.subject_ids, now=now)
        await dunning.watch_customers(tx, batch.owner_ids, now=now)
    elif batch.kind is Kind.RESET_DUNNING:
        await dunning.follow_payments(tx, batch.subject_ids, now=now)
    else:
        await dunning.ask(tx, batch.subject_ids, now=now)
