"""How is found what is asked for of invoices, and whom they bill."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import billing_records, invoices, payment_links, payment_requests_invoices, payments
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.invoices.repository import as_invoice


async def is_asked_for(tx: Tx, invoice_id: UUID) -> bool:
    """Whether a payment of an invoice, alone or with others, is not decided, or can be made on a page."""
    held = payment_requests_invoices.c
    requests = select(held.payment_request_id).where(held.invoice_id == invoice_id)
    waits = payments.c.payment_status.in_(("pending", "processing"))
    statement = select(
        or_(
            exists().where(payments.c.invoice_id == invoice_id, waits),
            exists().where(payments.c.payment_request_id.in_(requests), waits),
            exists().where(payment_links.c.invoice_id == invoice_id, payment_links.c.closed_at.is_(None)),
            exists().where(
                payment_links.c.payment_request_id.in_(requests), payment_links.c.closed_at.is_(None)
            ),
        )
    )
    return bool((await tx.execute(statement)).scalar_one())


async def first_subscriptions(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, UUID]:
    column = billing_records.c
    statement = (
        select(column.invoice_id, column.subscription_id)
        .where(among(column.invoice_id, invoice_ids))
        .ext(distinct_on(column.invoice_id))
        .order_by(column.invoice_id, column.id)
    )
    return {row.invoice_id: row.subscription_id for row in await tx.execute(statement)}


async def unpaid_of(tx: Tx, customer_id: UUID) -> list[Invoice]:
    column = invoices.c
    is_unpaid = column.status == "finalized", column.payment_status == "pending"
    statement = select(invoices).where(column.customer_id == customer_id, *is_unpaid)
    rows = await tx.execute(statement.order_by(column.created_at, column.id))
    return [as_invoice(row._asdict()) for row in rows]


async def count_attempt(tx: Tx, invoice_id: UUID, *, at: datetime) -> None:
    counted = {"payment_attempts": invoices.c.payment_attempts + 1, "updated_at": at}
    await tx.execute(update(invoices).where(invoices.c.id == invoice_id).values(counted))
