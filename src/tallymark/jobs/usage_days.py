"""Which days of which subscriptions are to be looked at when they are over (metering §10).

A day is a row of `daily_usages` that has no usage yet, and an item on the agenda at the end of the day in the customer's
zone. Only a cause makes one: an event that came in, a price that goes by days, a period that began with carried-over
units. So a subscription in which nothing happens costs nothing, whatever the number of its days.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Database, Tx
from tallymark.jobs.agenda import Kind


def _planning(asked: str) -> TextClause:
    """Note the days on which instants lie, `asked` being (subscription_id, at); a day is noted once.

    They are written in one order, whoever writes: nobody waits for another in a circle.
    """
    return text(f"""
        WITH asked AS ({asked}),
        days AS (
            SELECT DISTINCT u.organization_id, u.id AS subscription_id, u.customer_id, z.tz,
                   CAST(a.at AT TIME ZONE z.tz AS date) AS day
            FROM asked a
            JOIN subscriptions u ON u.id = a.subscription_id AND u.status = 'active'
            JOIN customers c ON c.id = u.customer_id
            JOIN billing_entities b ON b.id = c.billing_entity_id
            CROSS JOIN LATERAL (SELECT coalesce(c.timezone, b.timezone, 'UTC') AS tz) z
        ),
        fresh AS (
            INSERT INTO daily_usages (id, organization_id, subscription_id, usage_date)
            SELECT gen_random_uuid(), organization_id, subscription_id, day FROM days
            ORDER BY subscription_id, day
            ON CONFLICT DO NOTHING RETURNING id, subscription_id, usage_date
        )
        INSERT INTO agenda (organization_id, kind, subject_id, owner_id, due_at, run_at, is_simulated)
        SELECT d.organization_id, {int(Kind.STORE_DAILY_USAGE)}, f.id, d.customer_id, e.ends,
               e.ends + CAST(:settling_time AS interval), :is_simulated
        FROM fresh f JOIN days d ON d.subscription_id = f.subscription_id AND d.day = f.usage_date
        CROSS JOIN LATERAL (SELECT CAST(d.day + 1 AS timestamp) AT TIME ZONE d.tz AS ends) e
    """)


# A quarter of an hour lies in one day of any zone.
_OF_EVENTS = """
    SELECT DISTINCT u.id AS subscription_id, seen.at
    FROM (
        SELECT DISTINCT e.stream_id, date_bin('15 minutes', e.created_at, '2000-01-01Z') AS at
        FROM {source} e WHERE {which}
    ) seen
    JOIN event_streams s ON s.id = seen.stream_id
    JOIN subscriptions u ON u.organization_id = s.organization_id
        AND u.external_id = s.external_subscription_id AND u.status = 'active'
"""
_RECEIVED = _planning(
    _OF_EVENTS.format(
        source="events",
        which="e.created_at >= :since AND e.created_at < :until"
        " AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = e.organization_id)",
    )
)
_ARRIVED = _planning(_OF_EVENTS.format(source="events_by_id", which="e.id = ANY(CAST(:ids AS uuid[]))"))
_NAMED = _planning(
    "SELECT id AS subscription_id, CAST(:at AS timestamptz) AS at FROM unnest(CAST(:ids AS uuid[])) AS id"
)
_ON_PLAN = _planning(
    "SELECT id AS subscription_id, CAST(:at AS timestamptz) AS at FROM subscriptions"
    " WHERE plan_id = :plan_id AND status = 'active'"
)


async def note_received(
    connection: AsyncConnection, database: Database, *, since: datetime, until: datetime
) -> None:
    """Note the days on which live organizations received events in a stretch of time; needs a system transaction."""
    bound = {"settling_time": database.settling_time, "is_simulated": False}
    await connection.execute(_RECEIVED, {**bound, "since": since, "until": until})


async def note_arrived(tx: Tx, event_ids: Collection[UUID]) -> None:
    """Note the day on which events have just come in."""
    await tx.execute(_ARRIVED, {**_bound(tx), "ids": list(event_ids)})


async def note(tx: Tx, subscription_ids: Collection[UUID], *, at: datetime) -> None:
    """Note the day of an instant for active subscriptions."""
    if subscription_ids:
        await tx.execute(_NAMED, {**_bound(tx), "ids": list(subscription_ids), "at": at})


async def note_on_plan(tx: Tx, plan_id: UUID, *, at: datetime) -> None:
    """Note the day of an instant for the active subscriptions to a plan."""
    await tx.execute(_ON_PLAN, {**_bound(tx), "plan_id": plan_id, "at": at})


def _bound(tx: Tx) -> dict[str, Any]:
    return {"settling_time": tx.settling_time, "is_simulated": tx.is_simulated}
