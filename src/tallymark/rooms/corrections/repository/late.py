"""Events that came too late: which wait to be judged, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.db.tables import late_events
from tallymark.rooms.corrections.model import LateStream, Verdict, Waiting

MOST = 1_000
"""Events that are judged in one transaction."""

# Whose metric or subscription is not there yet waits for it.
_NEXT = text("""
    SELECT s.id, s.external_subscription_id, s.code,
           m.recurring AND m.aggregation_type IN ('sum_agg', 'unique_count_agg', 'weighted_sum_agg') AS has_history
    FROM (
        SELECT DISTINCT stream_id FROM late_events WHERE organization_id = :organization AND is_waiting
    ) w
    JOIN event_streams s ON s.id = w.stream_id
    JOIN billable_metrics m ON m.organization_id = s.organization_id AND m.code = s.code AND m.deleted_at IS NULL
    WHERE s.id <> ALL(CAST(:but AS bigint[])) AND EXISTS (
        SELECT FROM subscriptions u
        WHERE u.organization_id = s.organization_id AND u.external_id = s.external_subscription_id
          AND u.status IN ('active', 'terminated'))
    ORDER BY s.id LIMIT 1
""")
_WAITING = text(f"""
    SELECT l.event_id, e.timestamp, e.created_at, e.stream_id < 0 AS is_held,
           EXISTS (SELECT FROM priced_events p WHERE p.event_id = e.id)
               OR EXISTS (SELECT FROM events_to_price p WHERE p.stream_id = e.stream_id AND p.event_id = e.id) AS has_price
    FROM late_events l JOIN event_keys k ON k.id = l.event_id
    JOIN events e ON (e.stream_id, e.timestamp, e.id) = (k.stream_id, k.timestamp, k.id)
    WHERE l.stream_id = :stream AND l.is_waiting
    ORDER BY e.timestamp, e.id LIMIT {MOST}
    FOR UPDATE OF l, e
""")
_APPLY = text("""
    UPDATE events e
    SET stream_id = CASE WHEN v.is_rejected THEN -abs(e.stream_id) ELSE abs(e.stream_id) END,
        timestamp = coalesce(v.billed_from, e.timestamp),
        occurred_at = CASE WHEN v.billed_from IS NOT NULL THEN e.timestamp END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:rejected AS boolean[]), CAST(:starts AS timestamptz[]))
         AS v(event_id, is_rejected, billed_from)
    JOIN event_keys k ON k.id = v.event_id
    WHERE (e.stream_id, e.timestamp, e.id) = (k.stream_id, k.timestamp, k.id)
""")
_NOTE = text("""
    UPDATE late_events l
    SET is_waiting = false, is_rejected = v.is_rejected, billed_from = v.billed_from, subscription_id = v.subscription_id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:rejected AS boolean[]), CAST(:starts AS timestamptz[]),
                CAST(:subscriptions AS uuid[])) AS v(event_id, is_rejected, billed_from, subscription_id)
    WHERE l.event_id = v.event_id
""")
# What waits already, or counts elsewhere already, does so.
_HOLD = text("""
    WITH held AS (
        UPDATE events e SET stream_id = -abs(e.stream_id)
        FROM organizations o, event_keys k
        WHERE k.id = :id AND (e.stream_id, e.timestamp, e.id) = (k.stream_id, k.timestamp, k.id) AND o.id = e.organization_id AND o.late_event_window_days IS NOT NULL
          AND e.created_at - e.timestamp > make_interval(days => o.late_event_window_days)
        RETURNING e.organization_id, e.id, e.stream_id, e.timestamp, e.created_at
    )
    INSERT INTO late_events AS l (organization_id, event_id, stream_id, timestamp, created_at, is_waiting)
    SELECT organization_id, id, -stream_id, timestamp, created_at, true FROM held
    ON CONFLICT (event_id) DO UPDATE SET is_waiting = true, is_rejected = false
""")
_NOTE_LATE = text("""
    INSERT INTO late_events (organization_id, event_id, stream_id, timestamp, created_at)
    SELECT organization_id, id, abs(stream_id), timestamp, created_at FROM events_by_id WHERE id = :id
    ON CONFLICT DO NOTHING
""")
_FORGET = text("""
    DELETE FROM late_events l USING events_by_id e
    WHERE l.event_id = :id AND e.id = l.event_id AND e.stream_id > 0 AND l.billed_from IS NULL
""")
_WITH_WAITING = text("""
    SELECT DISTINCT l.organization_id FROM late_events l
    WHERE l.is_waiting AND NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = l.organization_id)
""")


async def next_stream(tx: Tx, *, but: Collection[int]) -> LateStream | None:
    """A stream with events that can be judged."""
    found = await tx.execute(_NEXT, {"organization": tx.organization_id, "but": sorted(but)})
    row = found.first()
    return None if row is None else LateStream(**row._mapping)


async def waiting_of(tx: Tx, stream_id: int) -> list[Waiting]:
    """The events of a stream that are to be judged, at most a thousand of them, locked."""
    return [Waiting(**row._mapping) for row in await tx.execute(_WAITING, {"stream": stream_id})]


async def apply(tx: Tx, verdicts: Sequence[Verdict]) -> None:
    """Have events count where they are to count, or nowhere."""
    await tx.execute(_APPLY, _columns(verdicts))


async def note(tx: Tx, verdicts: Sequence[Verdict]) -> None:
    """Write down what became of events."""
    subscriptions = [verdict.subscription_id for verdict in verdicts]
    await tx.execute(_NOTE, {**_columns(verdicts), "subscriptions": subscriptions})


async def hold_if_late(tx: Tx, event_id: UUID) -> None:
    """Have an event wait to be judged where it came longer after its time than the organization wants."""
    await tx.execute(_HOLD, {"id": event_id})


async def is_late(tx: Tx, event_id: UUID) -> bool:
    """Whether it is noted of an event that it came too late for the period of its time."""
    noted = late_events.c.event_id == event_id
    statement = select(late_events.c.event_id).where(noted, late_events.c.billed_from.is_(None))
    return (await tx.execute(statement)).first() is not None


async def note_late(tx: Tx, event_id: UUID) -> None:
    """Note of an event that was voided that it came too late, for when it counts again; it is not to be judged before."""
    await tx.execute(_NOTE_LATE, {"id": event_id})


async def forget(tx: Tx, event_id: UUID) -> None:
    """Drop the note that an event came late which counts: one that is held is to be judged, and counts nowhere."""
    await tx.execute(_FORGET, {"id": event_id})


def _columns(verdicts: Sequence[Verdict]) -> dict[str, list[UUID] | list[bool] | list[datetime | None]]:
    return {
        "ids": [verdict.event_id for verdict in verdicts],
        "rejected": [verdict.is_rejected for verdict in verdicts],
        "starts": [verdict.billed_from for verdict in verdicts],
    }


async def organizations_with_waiting(connection: AsyncConnection) -> list[UUID]:
    return list((await connection.execute(_WITH_WAITING)).scalars())
