"""Invoices as their documents show them: with what has settled them until then (invoicing §15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.rooms.invoices import service, settled_rows
from tallymark.rooms.invoices.model import Invoice, InvoiceView


async def get_printed(tx: Tx, invoices: Sequence[Invoice], *, now: datetime) -> list[InvoiceView]:
    """Invoices with their lines, and all that lowered what is due of them, in the order given."""
    views = await service.get_views(tx, invoices, now=now)
    settled = await settled_rows.settled_of(tx, [invoice.id for invoice in invoices])
    return [replace(view, settled=tuple(settled.get(view.invoice.id, ()))) for view in views]
