"""What the portal asks that no other room does."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.db.tables import customers, invoices, test_clocks
from tallymark.rooms.portal.model import Balance, Visit


async def find_visited(connection: AsyncConnection, visit: Visit) -> bool | None:
    """Whether the organization of a customer has a clock of its own; None where there is no such customer any more."""
    statement = (
        select(test_clocks.c.organization_id.is_not(None).label("is_simulated"))
        .select_from(customers)
        .outerjoin(test_clocks, test_clocks.c.organization_id == customers.c.organization_id)
        .where(
            customers.c.id == visit.customer_id,
            customers.c.organization_id == visit.organization_id,
            customers.c.deleted_at.is_(None),
        )
    )
    found: bool | None = (await connection.execute(statement)).scalar_one_or_none()
    return found


async def balances_of(tx: Tx, customer_id: UUID) -> list[Balance]:
    """What a customer's issued invoices come to, by currency."""
    column = invoices.c
    due = column.total_amount_cents - column.total_paid_amount_cents - column.offset_amount_cents
    statement = (
        select(
            column.currency,
            func.count().label("invoices_count"),
            func.sum(column.total_amount_cents).label("invoiced_amount_cents"),
            func.sum(due).label("due_amount_cents"),
            func.count().filter(column.payment_overdue).label("overdue_invoices_count"),
            func.coalesce(func.sum(due).filter(column.payment_overdue), 0).label("overdue_amount_cents"),
        )
        .where(column.customer_id == customer_id, column.status == "finalized")
        .group_by(column.currency)
        .order_by(column.currency)
    )
    return [Balance(**row._mapping) for row in await tx.execute(statement)]
