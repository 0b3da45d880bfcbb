"""How invoices are found that subscriptions wait for."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from tallymark.db.engine import Tx
from tallymark.db.tables import billing_records, invoices
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.invoices.repository import as_invoice


async def first_invoice(tx: Tx, subscription_id: UUID) -> Invoice | None:
    of_subscription = select(billing_records.c.invoice_id).where(
        billing_records.c.subscription_id == subscription_id
    )
    statement = select(invoices).where(invoices.c.id.in_(of_subscription))
    row = (await tx.execute(statement.order_by(invoices.c.created_at, invoices.c.id).limit(1))).first()
    return as_invoice(row._asdict()) if row else None
