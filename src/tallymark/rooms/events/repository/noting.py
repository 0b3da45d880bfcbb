"""Noting what only single events can tell: properties that a metric can do nothing with, and that an event came too late.

Everything else that decides whether an event counts belongs to its stream or to a span of time of it, and is read when it
is asked for (unmatched.py). What is noted stays true: it is about an event and one metric, or about when it came.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.db.tables import event_streams, flawed_events, late_events
from tallymark.rooms.events.model import FinalWindow, Reach

# Usage that is on an invoice which changes no more. A progressive invoice closes nothing, its period bills on. One that was
# made anew has the fees of the void one as they were, and so knows no event that the void one did not know.
FINAL_WINDOWS = """
    SELECT b.subscription_id, tstzrange(b.charges_from_at, greatest(b.charges_from_at, b.charges_to_at)) AS during,
           i.id AS invoice_id, i.finalized_at
    FROM billing_records b JOIN invoices i ON i.id = b.invoice_id
    WHERE (b.is_recurring OR b.invoicing_reason = 'subscription_terminating')
      AND b.charges_from_at IS NOT NULL AND i.finalized_at IS NOT NULL AND i.voided_invoice_id IS NULL
"""

# In its stream, or out of it for coming too late; what was voided is neither.
IS_SHOWN = """
    (e.stream_id > 0 OR EXISTS (
        SELECT FROM late_events held WHERE held.event_id = e.id AND (held.is_waiting OR held.is_rejected)))
"""

# As the aggregations have it (metering/statements.py).
_FLAW = r"""
    CASE WHEN m.id IS NULL OR m.aggregation_type = 'count_agg' THEN NULL
         WHEN btrim(coalesce(e.properties ->> m.field_name, '')) = '' AND m.aggregation_type = 'unique_count_agg'
           OR e.properties ->> m.field_name IS NULL THEN 'missing_property'
         WHEN m.aggregation_type <> 'unique_count_agg'
          AND e.properties ->> m.field_name !~ '^-?[0-9]+(\.[0-9]+)?$' THEN 'invalid_property'
    END
"""


def _noting(which: str, *, is_tie_late: bool, source: str = "events") -> TextClause:
    """Read some events, note what is wrong with them, and count them.

    An event of the very instant at which its invoice was made came before it, unless `is_tie_late`: who reads events as
    they come in knows better. Only as it comes in an event is to be judged by its organization's policy.
    """
    waits = "o.late_event_policy = 'open_period'" if is_tie_late else "false"
    return text(f"""
        WITH seen AS MATERIALIZED (
            SELECT e.organization_id, e.id, e.stream_id, e.timestamp, e.created_at, m.id AS metric_id, {_FLAW} AS flaw
            FROM {source} e JOIN event_streams s ON s.id = e.stream_id
            LEFT JOIN billable_metrics m
                ON m.organization_id = s.organization_id AND m.code = s.code AND m.deleted_at IS NULL
            WHERE {which}
        ),
        flawed AS (
            INSERT INTO flawed_events
                (organization_id, event_id, billable_metric_id, stream_id, timestamp, created_at, flaw)
            SELECT organization_id, id, metric_id, stream_id, timestamp, created_at, flaw FROM seen
            WHERE flaw IS NOT NULL ON CONFLICT DO NOTHING
        ),
        closed AS MATERIALIZED (
            SELECT s.id AS stream_id, upper(w.during) AS ends, w.finalized_at
            FROM (SELECT DISTINCT stream_id FROM seen) of_seen
            JOIN event_streams s ON s.id = of_seen.stream_id
            JOIN subscriptions u
                ON u.organization_id = s.organization_id AND u.external_id = s.external_subscription_id
            JOIN ({FINAL_WINDOWS}) w ON w.subscription_id = u.id
        ),
        last AS (SELECT stream_id, max(ends) AS ends FROM closed GROUP BY stream_id),
        late AS (
            INSERT INTO late_events (organization_id, event_id, stream_id, timestamp, created_at, is_waiting)
            SELECT e.organization_id, e.id, e.stream_id, e.timestamp, e.created_at, {waits}
            FROM seen e JOIN last ON last.stream_id = e.stream_id AND e.timestamp < last.ends
            JOIN organizations o ON o.id = e.organization_id
            WHERE EXISTS (
                SELECT FROM closed c
                WHERE c.stream_id = e.stream_id AND c.ends > e.timestamp
                  AND c.finalized_at {"<=" if is_tie_late else "<"} e.created_at
            )
            ON CONFLICT DO NOTHING
        )
        SELECT count(*) FROM seen
    """)


_OF_STREAMS = "e.stream_id = ANY(CAST(:streams AS bigint[]))"
_ARRIVED = _noting("e.id = ANY(CAST(:ids AS uuid[]))", is_tie_late=True, source="events_by_id")
_FOLLOWED = _noting(
    "e.created_at >= :since AND e.created_at < :until"
    " AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = e.organization_id)",
    is_tie_late=True,
)
_AGAIN = _noting(f"{_OF_STREAMS} AND e.timestamp >= :earliest AND e.timestamp <= :latest", is_tie_late=False)

_FIND_STREAMS = """
    SELECT id FROM event_streams WHERE organization_id = :organization
    AND (CAST(:code AS text) IS NULL OR code = :code)
    AND (CAST(:subscription AS text) IS NULL OR external_subscription_id = :subscription)
"""
_STREAMS = text(_FIND_STREAMS)
_COUNT = text(f"""
    SELECT count(*) FROM (
        SELECT FROM events e
        WHERE {_OF_STREAMS} AND e.timestamp >= :earliest AND e.timestamp <= :latest LIMIT :most
    ) counted
""")
_COUNT_HELD = text("""
    SELECT count(*) FROM late_events l JOIN event_keys e ON e.id = l.event_id AND e.stream_id < 0
    WHERE l.stream_id = ANY(CAST(:streams AS bigint[])) AND (l.is_waiting OR l.is_rejected)
      AND l.timestamp >= :earliest AND l.timestamp <= :latest
""")


# What adds up over periods counts in every later one (metering §5.1).
_INVOICED = text(f"""
    SELECT EXISTS (
        SELECT FROM subscriptions u JOIN ({FINAL_WINDOWS}) w ON w.subscription_id = u.id
        WHERE u.organization_id = :organization AND u.external_id = :subscription
          AND (CAST(:came_at AS timestamptz) IS NULL OR w.finalized_at > :came_at
               -- A correction may put on it what came later (docs/decisions/0029).
               OR NOT EXISTS (SELECT FROM late_events l WHERE l.event_id = :event_id)
                  AND (w.finalized_at = :came_at
                       OR EXISTS (SELECT FROM event_versions v WHERE v.event_id = :event_id)))
          AND CASE WHEN EXISTS (
                  SELECT FROM billable_metrics m
                  WHERE m.organization_id = :organization AND m.code = :code AND m.deleted_at IS NULL AND m.recurring
                    AND m.aggregation_type IN ('sum_agg', 'unique_count_agg', 'weighted_sum_agg'))
              THEN upper(w.during) > CAST(:at AS timestamptz)
              ELSE w.during @> CAST(:at AS timestamptz) END
    )
""")


_FINAL = text(f"""
    SELECT w.subscription_id, lower(w.during) AS starts, upper(w.during) AS ends, w.finalized_at
    FROM ({FINAL_WINDOWS}) w WHERE w.subscription_id = ANY(CAST(:ids AS uuid[])) AND NOT isempty(w.during)
""")


async def final_windows(tx: Tx, subscription_ids: Collection[UUID]) -> list[FinalWindow]:
    rows = await tx.execute(_FINAL, {"ids": sorted(subscription_ids)})
    return [FinalWindow(**row._mapping) for row in rows]


async def is_invoiced(
    tx: Tx,
    *,
    external_subscription_id: str,
    code: str,
    event_id: UUID,
    at: datetime,
    came_at: datetime | None,
) -> bool:
    """Whether usage of an instant is on an invoice that changes no more, and was made after the event came."""
    asked = {
        "subscription": external_subscription_id,
        "code": code,
        "at": at,
        "event_id": event_id,
        "came_at": came_at,
    }
    found = await tx.execute(_INVOICED, {"organization": tx.organization_id, **asked})
    return bool(found.scalar_one())


async def note_arrived(tx: Tx, ids: Collection[UUID]) -> None:
    """Note events that have just been stored."""
    await tx.execute(_ARRIVED, {"ids": list(ids)})


async def note_followed(connection: AsyncConnection, *, since: datetime, until: datetime) -> int:
    """Note what live organizations received in a stretch of time, and return how many events that were.

    Needs a system transaction.
    """
    found = await connection.execute(_FOLLOWED, {"since": since, "until": until})
    return int(found.scalar_one())


async def note_again(tx: Tx, reach: Reach) -> int:
    """Note events of streams and times anew, and return how many there are, with those that came too late for any stream."""
    bound = await _bound(tx, reach)
    if not bound["streams"]:
        return 0
    noted = int((await tx.execute(_AGAIN, bound)).scalar_one())
    return noted + int((await tx.execute(_COUNT_HELD, bound)).scalar_one())


async def judge_again(tx: Tx, *, code: str) -> None:
    """Have the events of a code that count nowhere for coming too late wait to be judged once more."""
    streams = select(event_streams.c.id).where(
        event_streams.c.organization_id == tx.organization_id, event_streams.c.code == code
    )
    await tx.execute(
        update(late_events)
        .where(late_events.c.stream_id.in_(streams), late_events.c.is_rejected)
        .values(is_waiting=True, is_rejected=False)
    )


async def count_events(tx: Tx, reach: Reach, *, most: int) -> int:
    """How many events there are, counted up to `most`."""
    return int((await tx.execute(_COUNT, {**await _bound(tx, reach), "most": most})).scalar_one())


async def forget_flaws(tx: Tx, metric_id: UUID) -> None:
    """Drop what was noted of properties for a metric."""
    await tx.execute(delete(flawed_events).where(flawed_events.c.billable_metric_id == metric_id))


async def _bound(tx: Tx, reach: Reach) -> dict[str, Any]:
    asked = {
        "organization": tx.organization_id,
        "code": reach.code,
        "subscription": reach.external_subscription_id,
    }
    streams = list((await tx.execute(_STREAMS, asked)).scalars())
    return {"streams": streams, "earliest": reach.earliest, "latest": reach.latest}
