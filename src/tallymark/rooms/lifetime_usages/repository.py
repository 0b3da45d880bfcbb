"""How lifetime usage is kept, and the sum of what was invoiced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from tallymark.db.engine import Tx
from tallymark.db.tables import fees, invoices, lifetime_usages, subscriptions


async def find(tx: Tx, *, external_subscription_id: str, subscription_at: datetime) -> Row[Any] | None:
    column = lifetime_usages.c
    statement = select(lifetime_usages).where(
        column.external_subscription_id == external_subscription_id,
        column.subscription_at == subscription_at,
    )
    return (await tx.execute(statement)).first()


async def upsert(tx: Tx, values: Mapping[str, Any]) -> UUID:
    """Make the record of a chain, or change the one there is; return its id."""
    statement = insert(lifetime_usages).values(**values)
    changed = {
        name: statement.excluded[name] for name in ("external_historical_usage_amount_cents", "updated_at")
    }
    made = statement.on_conflict_do_update(
        index_elements=["organization_id", "external_subscription_id", "subscription_at"], set_=changed
    ).returning(lifetime_usages.c.id)
    found: UUID = (await tx.execute(made)).scalar_one()
    return found


async def invoiced_cents(
    tx: Tx, *, external_subscription_id: str, subscription_at: datetime, before: datetime | None
) -> int:
    """The charge fees of a chain for windows that began before an instant (None: all), on no invoice or one that stands.

    Progressive invoices are left out: the period's own invoice bills the same usage again and credits them.
    """
    conditions = [
        subscriptions.c.external_id == external_subscription_id,
        subscriptions.c.subscription_at == subscription_at,
        subscriptions.c.status != "canceled",
        fees.c.fee_type == "charge",
        or_(
            invoices.c.id.is_(None),
            invoices.c.status.in_(("draft", "finalized", "pending"))
            & (invoices.c.invoice_type != "progressive_billing"),
        ),
    ]
    if before is not None:
        conditions.append(fees.c.from_at < before)
    statement = (
        select(func.coalesce(func.sum(fees.c.amount_cents), 0))
        .join(subscriptions, subscriptions.c.id == fees.c.subscription_id)
        .outerjoin(invoices, invoices.c.id == fees.c.invoice_id)
        .where(*conditions)
    )
    return int((await tx.execute(statement)).scalar_one())
