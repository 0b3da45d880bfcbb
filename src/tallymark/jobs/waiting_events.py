"""Events that wait for their price (metering §8): whose are they, so that a worker looks at them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.jobs.agenda import DueOwner, look_past_floods

_OWNERS = text("""
    WITH waiting AS MATERIALIZED (
        SELECT stream_id FROM events_to_price p
        WHERE parked_at IS NULL AND (retry_at IS NULL OR retry_at <= :now)
          AND organization_id <> ALL (CAST(:seen AS uuid[]))
          AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = p.organization_id)
        ORDER BY id LIMIT :most
    )
    SELECT DISTINCT s.organization_id, s.customer_id, (SELECT count(*) FROM waiting) AS looked_at
    FROM waiting
    JOIN event_streams e ON e.id = waiting.stream_id
    JOIN subscriptions s ON s.organization_id = e.organization_id AND s.external_id = e.external_subscription_id
""")
_DROP_UNOWNED = text("""
    DELETE FROM events_to_price p
    WHERE NOT EXISTS (
        SELECT FROM event_streams e
        JOIN subscriptions s ON s.organization_id = e.organization_id AND s.external_id = e.external_subscription_id
        WHERE e.id = p.stream_id
    )
""")
_MOST = 5_000


async def owners_of_waiting_events(
    connection: AsyncConnection, *, now: datetime, most: int = _MOST
) -> list[DueOwner]:
    """The customers of live organizations with events to price; needs a system transaction.

    Where there is none, what waits for a subscription that nobody has is let go: no one is billed for it.
    """
    owners = await look_past_floods(connection, _OWNERS, most=most, now=now)
    if not owners:
        await connection.execute(_DROP_UNOWNED)
    return owners
