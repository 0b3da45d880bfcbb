"""What hangs on a billing entity: the invoices that it has numbered, and whom it bills."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, func, or_, select, update

from tallymark.db.engine import Tx
from tallymark.db.tables import customers, invoices, subscriptions, wallets


async def count_up_to_now(tx: Tx, entity_id: UUID) -> None:
    """Give the latest numbered invoice the entity's counter, if it has none: how many there are (invoicing §2.4)."""
    column = invoices.c
    numbered = (column.billing_entity_id == entity_id, column.sequential_id.is_not(None), ~column.self_billed)
    latest = (
        select(column.id, column.entity_sequential_id)
        .where(*numbered)
        .order_by(column.finalized_at.desc(), column.created_at.desc(), column.id.desc())
        .limit(1)
    )
    row = (await tx.execute(latest)).first()
    if row is None or row.entity_sequential_id is not None:
        return
    count = (await tx.execute(select(func.count()).select_from(invoices).where(*numbered))).scalar_one()
    await tx.execute(update(invoices).where(column.id == row.id).values(entity_sequential_id=count))


async def bills_somebody(tx: Tx, entity_id: UUID) -> bool:
    """Whether invoices of an entity are still to come: for its customers, for what names it itself, or by those that it has begun."""
    still = (
        (customers, customers.c.deleted_at.is_(None)),
        (subscriptions, subscriptions.c.status.in_(("pending", "incomplete", "active"))),
        (wallets, wallets.c.status == "active"),
        (invoices, invoices.c.status.in_(("draft", "pending", "failed", "open"))),
    )
    found = (exists().where(table.c.billing_entity_id == entity_id, is_open) for table, is_open in still)
    return bool((await tx.execute(select(or_(*found)))).scalar_one())
