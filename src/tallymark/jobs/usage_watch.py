"""Whose usage has changed, so that what follows from it is done soon after (docs/decisions/0007).

Events leave marks in the statement that stores them; a worker (for simulated organizations: the call itself) makes an item
on the agenda of them. Whatever else changes what is followed puts such an item there itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Database, Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import DueOwner, Item, Kind, look_past_floods

_OWNERS = text("""
    WITH marked AS MATERIALIZED (
        SELECT organization_id, customer_id FROM usage_marks m
        WHERE organization_id <> ALL (CAST(:seen AS uuid[]))
          AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = m.organization_id)
        ORDER BY id LIMIT :most
    )
    SELECT DISTINCT organization_id, customer_id, (SELECT count(*) FROM marked) AS looked_at FROM marked
""")
_MARKED = text("""
    SELECT DISTINCT customer_id FROM usage_marks
    WHERE customer_id = CAST(:owner_id AS uuid) OR CAST(:owner_id AS uuid) IS NULL ORDER BY customer_id
""")
_TAKE = text("DELETE FROM usage_marks WHERE customer_id = ANY(:ids) RETURNING customer_id, subscription_id")
_FOLLOWED = text("""
    SELECT c.id FROM unnest(CAST(:ids AS uuid[])) AS c(id)
    WHERE EXISTS (SELECT FROM watched_subscriptions w WHERE w.customer_id = c.id)
       OR EXISTS (SELECT FROM wallets w WHERE w.customer_id = c.id AND w.status = 'active')
""")
_MOST = 20_000

IN_FLIGHT = timedelta(seconds=1)
"""How long a flush of events takes at the most; usually it is milliseconds."""


async def owners_of_marks(connection: AsyncConnection, *, most: int = _MOST) -> list[DueOwner]:
    """The customers of live organizations with marks; needs a system transaction."""
    return await look_past_floods(connection, _OWNERS, most=most)


async def note_marks(
    database: Database,
    organization_id: UUID,
    *,
    now: datetime,
    owner_id: UUID | None = None,
    is_simulated: bool = False,
) -> None:
    """Put the marks of one customer, or of all, on the agenda, in one transaction.

    What is read after it sees the events of these marks, for they were committed together.
    """
    async with database.tenant(organization_id, is_simulated=is_simulated) as tx:
        found = (await tx.execute(_MARKED, {"owner_id": owner_id})).scalars().all()
        if not found:
            return
        # An item may be under way: only who holds the lock knows whether it is done or still to be done.
        await tx.lock_all("customer", found)
        marks = await tx.execute(_TAKE, {"ids": list(found)})
        await follow(tx, {row.subscription_id: row.customer_id for row in marks}, now=now)


async def follow(tx: Tx, owners: Mapping[UUID, UUID], *, now: datetime, is_watch_new: bool = False) -> None:
    """Have what follows from the usage of subscriptions done, within a second; `owners` are their customers.

    Where the watch itself is new, events that are being stored right now may not know of it: a second later they are seen.
    """
    run_at = now + IN_FLIGHT if is_watch_new and not tx.is_simulated else now
    await agenda.put(
        tx,
        *(
            Item(kind=Kind.FOLLOW_USAGE, subject_id=subject_id, owner_id=owner_id, due_at=now, run_at=run_at)
            for subject_id, owner_id in owners.items()
        ),
    )


async def follow_customers(tx: Tx, customer_ids: Collection[UUID], *, now: datetime) -> None:
    """Have customers' wallets looked at, within a second: what they hold or what is to be paid of them has changed.

    Customers whose usage nobody watches are left out.
    """
    if customer_ids:
        found = await tx.execute(_FOLLOWED, {"ids": sorted(customer_ids)})
        await follow(tx, {customer_id: customer_id for customer_id in found.scalars()}, now=now)
