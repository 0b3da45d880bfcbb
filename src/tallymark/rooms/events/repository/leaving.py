"""Which events nobody needs any more: all usage of their time is on final invoices, and nothing carries it on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.rooms.events.repository.noting import FINAL_WINDOWS

# What recurs counts in every later period. Time that somebody lived and that is on no final invoice is billed from events, or
# corrected; what waits for its price, for a verdict, or for its backfill is looked at again.
_NOTE_LEAVING = """
    INSERT INTO archived_streams (organization_id, archive_id, stream_id, from_at, to_at, events_count)
    SELECT s.organization_id, CAST(:archive AS uuid), s.id, CAST(:starts AS timestamptz), CAST(:ends AS timestamptz), present.count
    FROM (
        SELECT abs(stream_id) AS stream_id, count(*) AS count FROM {table}
        WHERE timestamp >= :starts AND timestamp < :ends GROUP BY 1
    ) present
    JOIN event_streams s ON s.id = present.stream_id
    LEFT JOIN LATERAL (
        SELECT range_agg(tstzrange(u.started_at, u.terminated_at) * tstzrange(CAST(:starts AS timestamptz), CAST(:ends AS timestamptz)))
               - coalesce(range_agg(closed.spans), '{{}}'::tstzmultirange) AS spans
        FROM subscriptions u
        LEFT JOIN LATERAL (
            SELECT range_agg(w.during) AS spans FROM ({FINAL_WINDOWS}) w WHERE w.subscription_id = u.id
        ) closed ON true
        WHERE u.organization_id = s.organization_id AND u.external_id = s.external_subscription_id
          AND u.status <> 'canceled' AND u.started_at IS NOT NULL
    ) unbilled ON true
    WHERE NOT EXISTS (
            SELECT FROM billable_metrics m
            WHERE m.organization_id = s.organization_id AND m.code = s.code AND m.recurring AND m.deleted_at IS NULL)
      AND NOT EXISTS (
            SELECT FROM {table} e, unnest(unbilled.spans) AS span
            WHERE e.stream_id IN (s.id, -s.id) AND e.timestamp >= lower(span)
              AND e.timestamp < coalesce(upper(span), 'infinity'))
      AND NOT EXISTS (
            -- What just came in is yet to be looked at: it may be late, and count elsewhere.
            SELECT FROM {table} e
            WHERE e.stream_id IN (s.id, -s.id) AND e.timestamp >= :starts AND e.timestamp < :ends
              AND e.created_at >= (SELECT min(read_until) FROM followers)
              AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = s.organization_id))
      AND NOT EXISTS (SELECT FROM events_to_price p WHERE p.stream_id = s.id)
      AND NOT EXISTS (SELECT FROM late_events l WHERE l.stream_id = s.id AND l.is_waiting)
      AND NOT EXISTS (SELECT FROM event_backfills b WHERE b.stream_id = s.id AND b.status = 'open')
"""
_COUNT = text(
    "SELECT coalesce(sum(events_count), 0) FROM archived_streams WHERE archive_id = CAST(:archive AS uuid)"
)
_IS_ARCHIVED = text("""
    SELECT EXISTS (
        SELECT FROM archived_streams a JOIN event_streams s ON s.id = a.stream_id
        WHERE s.organization_id = :organization AND s.external_subscription_id = :subscription AND s.code = :code
          AND a.from_at < :until AND a.to_at > :since)
""")


async def note_leaving(
    connection: AsyncConnection, archive_id: UUID, *, table: str, starts: datetime, ends: datetime
) -> int:
    """Note the streams whose events of a stretch of time may leave a table, and return how many events these are.

    Nobody may write to that table meanwhile. Needs a system transaction.
    """
    statement = text(_NOTE_LEAVING.format(table=table, FINAL_WINDOWS=FINAL_WINDOWS))
    bound = {"archive": archive_id, "starts": starts, "ends": ends}
    await connection.execute(statement, bound)
    return int((await connection.execute(_COUNT, {"archive": archive_id})).scalar_one())


async def is_archived(
    tx: Tx, *, external_subscription_id: str, code: str, since: datetime, until: datetime
) -> bool:
    """Whether events of a subscription and code have left the database, of a stretch of time or a part of it."""
    asked = {
        "organization": tx.organization_id,
        "subscription": external_subscription_id,
        "code": code,
        "since": since,
        "until": until,
    }
    return bool((await tx.execute(_IS_ARCHIVED, asked)).scalar_one())
