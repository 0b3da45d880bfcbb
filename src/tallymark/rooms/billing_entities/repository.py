"""What a billing entity's numbering needs of the invoices that it has issued."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update

from tallymark.db.engine import Tx
from tallymark.db.tables import invoices


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
