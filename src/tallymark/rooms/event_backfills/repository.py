"""How backfills are kept, and how all events of one are changed at once: sets in the database, however many they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, text, update
from sqlalchemy import insert as insert_into

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.db.tables import backfilled_events, event_backfills, event_keys
from tallymark.rooms.event_backfills.model import Author, Backfill, BackfillStatus, NewBackfill

AT_ONCE = 5_000
"""How many ids are in memory at a time."""

_ADD_STREAM = text("""
    INSERT INTO event_streams (organization_id, external_subscription_id, code)
    VALUES (:organization, :subscription, :code) ON CONFLICT DO NOTHING
""")
# By a statement of its own, which sees what another transaction made while the one before waited for it.
_FIND_STREAM = text("""
    SELECT id FROM event_streams
    WHERE organization_id = :organization AND external_subscription_id = :subscription AND code = :code
""")

# In the stream, or held out of it for coming too late; not what was voided.
_OWN_TIME = "coalesce(e.occurred_at, e.timestamp)"
_IS_HELD = """EXISTS (
    SELECT FROM late_events l WHERE l.event_id = e.id AND (l.is_waiting OR l.is_rejected))"""
_COUNTED = f"""(e.stream_id = :stream OR e.stream_id = -CAST(:stream AS bigint) AND {_IS_HELD})"""
# The first part is read by the index of the stream, the second by that of what counts elsewhere.
_IN_RANGE = """(e.occurred_at IS NULL AND e.timestamp >= :starts AND e.timestamp < :ends
    OR e.occurred_at IS NOT NULL AND e.occurred_at >= :starts AND e.occurred_at < :ends)"""

# What is not in the store yet is put there first, in no stream: then everything that was added is there, whatever comes in
# meanwhile, and nothing counts before its time.
_STORE_ADDED = text("""
    WITH stored AS (
        INSERT INTO event_keys (id, organization_id, stream_id, timestamp)
        SELECT b.event_id, b.organization_id, -CAST(:stream AS bigint), b.timestamp
        FROM backfilled_events b WHERE b.backfill_id = :backfill
        ORDER BY b.position
        ON CONFLICT DO NOTHING
        RETURNING id
    ),
    kept AS (
        INSERT INTO events (id, stream_id, timestamp, created_at, organization_id, transaction_id, properties,
                            precise_total_amount_cents, sender_id)
        SELECT b.event_id, -CAST(:stream AS bigint), b.timestamp,
               CAST(:now AS timestamptz) + (row_number() OVER (ORDER BY b.position) - 1) * interval '1 microsecond',
               b.organization_id, b.transaction_id, b.properties, b.precise_total_amount_cents, b.sender_id
        FROM backfilled_events b JOIN stored ON stored.id = b.event_id
        WHERE b.backfill_id = :backfill
    ),
    noted AS (
        UPDATE backfilled_events b SET is_new = true FROM stored
        WHERE b.backfill_id = :backfill AND b.event_id = stored.id
    )
    INSERT INTO event_versions (organization_id, event_id, version, is_void, timestamp, properties,
                                precise_total_amount_cents, reason, api_key_id, user_email, created_at)
    SELECT b.organization_id, b.event_id, 1, false, b.timestamp, b.properties, b.precise_total_amount_cents,
           CAST(:reason AS text), CAST(:api_key_id AS uuid), CAST(:user_email AS text),
           CAST(:now AS timestamptz)
    FROM backfilled_events b JOIN stored ON stored.id = b.event_id WHERE b.backfill_id = :backfill
""")
_NOTE_REPLACED = text(f"""
    INSERT INTO backfilled_events (organization_id, backfill_id, event_id)
    SELECT e.organization_id, CAST(:backfill AS uuid), e.id FROM events e
    WHERE e.stream_id IN (:stream, -CAST(:stream AS bigint)) AND {_COUNTED} AND {_IN_RANGE}
    ON CONFLICT DO NOTHING
""")
_NOTE_FIRST_VERSIONS = text(f"""
    INSERT INTO event_versions (organization_id, event_id, version, is_void, timestamp, properties,
                                precise_total_amount_cents, created_at)
    SELECT e.organization_id, e.id, 1, false, {_OWN_TIME}, e.properties, e.precise_total_amount_cents, e.created_at
    FROM backfilled_events b JOIN events_by_id e ON e.id = b.event_id
    WHERE b.backfill_id = :backfill AND NOT EXISTS (SELECT FROM event_versions v WHERE v.event_id = e.id)
""")
_NOTE_BEFORE = text(f"""
    UPDATE backfilled_events b
    SET version_before = v.version, counted_at = e.timestamp, was_held = e.stream_id < 0 AND {_IS_HELD},
        was_void = e.stream_id < 0 AND NOT {_IS_HELD},
        was_late = EXISTS (SELECT FROM late_events l WHERE l.event_id = e.id AND l.billed_from IS NULL)
    FROM events_by_id e, LATERAL (SELECT max(version) AS version FROM event_versions v WHERE v.event_id = e.id) v
    WHERE b.backfill_id = :backfill AND e.id = b.event_id AND NOT b.is_new
""")
_CONFLICTS = text(f"""
    SELECT count(*) FROM backfilled_events b JOIN events_by_id e ON e.id = b.event_id
    WHERE b.backfill_id = :backfill AND b.is_added AND (
        abs(e.stream_id) <> :stream
        OR (e.stream_id > 0 OR {_IS_HELD}) AND NOT {_IN_RANGE})
""")
_CONFLICTING = text(f"""
    SELECT e.id FROM events_by_id e
    WHERE e.id = ANY(CAST(:ids AS uuid[])) AND (
        abs(e.stream_id) <> :stream
        OR (e.stream_id > 0 OR {_IS_HELD}) AND NOT {_IN_RANGE})
    UNION ALL
    SELECT event_id FROM backfilled_events WHERE backfill_id = :backfill AND event_id = ANY(CAST(:ids AS uuid[]))
""")
_HAS_FEE = text("""
    SELECT EXISTS (
        SELECT FROM backfilled_events b
        WHERE b.backfill_id = :backfill AND (
            EXISTS (SELECT FROM fees f WHERE f.event_id = b.event_id)
            OR EXISTS (SELECT FROM priced_events p WHERE p.event_id = b.event_id)))
""")
_PRICED = text("""
    SELECT DISTINCT p.event_id FROM backfilled_events b JOIN priced_events p ON p.event_id = b.event_id
    WHERE b.backfill_id = :backfill
""")
_FORGET = tuple(
    text(f"""
        DELETE FROM {table} n USING backfilled_events b
        WHERE b.backfill_id = :backfill AND n.event_id = b.event_id{but}
    """)
    for table, but in (
        ("flawed_events", ""),
        ("late_events", " AND n.billed_from IS NULL"),
        ("events_to_price", ""),
    )
)
# What a backfill brings counts on the final invoices of its time, and what it put back as it did before.
_FORGET_LATE = text("""
    DELETE FROM late_events l USING backfilled_events b, events_by_id e
    WHERE b.backfill_id = :backfill AND e.id = b.event_id AND l.event_id = b.event_id
      AND e.stream_id > 0 AND l.billed_from IS NULL
      AND CASE WHEN CAST(:is_revert AS boolean) THEN NOT b.was_late ELSE b.is_added END
""")
_REACH_OF_STRETCH = text(f"""
    SELECT least(CAST(:starts AS timestamptz), min(e.timestamp)) AS first,
           greatest(CAST(:ends AS timestamptz), max(e.timestamp)) AS last
    FROM events e WHERE e.stream_id = :stream AND e.occurred_at IS NOT NULL AND {_IN_RANGE}
""")
_REACH_OF_TOUCHED = text("""
    SELECT least(CAST(:starts AS timestamptz), min(e.timestamp), min(b.counted_at)) AS first,
           greatest(CAST(:ends AS timestamptz), max(e.timestamp), max(b.counted_at)) AS last
    FROM backfilled_events b JOIN events_by_id e ON e.id = b.event_id WHERE b.backfill_id = :backfill
""")
_REPLACE = text("""
    UPDATE events e
    SET stream_id = CASE WHEN b.is_added THEN abs(e.stream_id) ELSE -abs(e.stream_id) END,
        timestamp = coalesce(b.timestamp, e.timestamp),
        occurred_at = CASE WHEN b.is_added THEN NULL ELSE e.occurred_at END,
        properties = CASE WHEN b.is_added THEN b.properties ELSE e.properties END,
        precise_total_amount_cents =
            CASE WHEN b.is_added THEN b.precise_total_amount_cents ELSE e.precise_total_amount_cents END
    FROM backfilled_events b JOIN event_keys k ON k.id = b.event_id
    WHERE b.backfill_id = :backfill AND (e.stream_id, e.timestamp, e.id) = (k.stream_id, k.timestamp, k.id)
""")
_PUT_BACK = text("""
    UPDATE events e
    SET stream_id = CASE WHEN b.is_new OR b.was_void OR b.was_held THEN -abs(e.stream_id)
                         ELSE abs(e.stream_id) END,
        timestamp = coalesce(b.counted_at, e.timestamp),
        occurred_at = CASE WHEN b.counted_at <> v.timestamp THEN v.timestamp
                           WHEN b.is_new THEN e.occurred_at END,
        properties = coalesce(v.properties, e.properties),
        precise_total_amount_cents =
            CASE WHEN v.event_id IS NULL THEN e.precise_total_amount_cents ELSE v.precise_total_amount_cents END
    FROM backfilled_events b JOIN event_keys k ON k.id = b.event_id
    LEFT JOIN event_versions v ON v.event_id = b.event_id AND v.version = b.version_before
    WHERE b.backfill_id = :backfill AND (e.stream_id, e.timestamp, e.id) = (k.stream_id, k.timestamp, k.id)
""")
_HOLD_AGAIN = text("""
    INSERT INTO late_events (organization_id, event_id, stream_id, timestamp, created_at, is_waiting)
    SELECT e.organization_id, e.id, abs(e.stream_id), e.timestamp, e.created_at, true
    FROM backfilled_events b JOIN events_by_id e ON e.id = b.event_id
    WHERE b.backfill_id = :backfill AND b.was_held
    ON CONFLICT (event_id) DO UPDATE SET is_waiting = true
""")
_ADD_VERSIONS = text(f"""
    INSERT INTO event_versions (organization_id, event_id, version, is_void, timestamp, properties,
                                precise_total_amount_cents, reason, api_key_id, user_email, created_at)
    SELECT e.organization_id, e.id, v.version + 1, e.stream_id < 0 AND NOT {_IS_HELD}, {_OWN_TIME}, e.properties,
           e.precise_total_amount_cents, CAST(:reason AS text), CAST(:api_key_id AS uuid), CAST(:user_email AS text),
           CAST(:now AS timestamptz)
    FROM backfilled_events b JOIN events_by_id e ON e.id = b.event_id,
         LATERAL (SELECT max(version) AS version FROM event_versions v WHERE v.event_id = e.id) v
    WHERE b.backfill_id = :backfill AND (CAST(:with_new AS boolean) OR NOT b.is_new)
""")
# Whose instants decide whether something is on a final invoice: where they count now, and where they are to count.
_INSTANTS = text("""
    SELECT min(at) AS first, count(*) FILTER (WHERE EXISTS (
        SELECT FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS w(starts, ends)
        WHERE t.at >= w.starts AND t.at < w.ends)) AS inside
    FROM (
        SELECT e.timestamp AS at FROM backfilled_events b JOIN events_by_id e ON e.id = b.event_id
        WHERE b.backfill_id = :backfill AND e.stream_id > 0
        UNION ALL
        SELECT CASE WHEN CAST(:is_revert AS boolean) THEN b.counted_at ELSE b.timestamp END
        FROM backfilled_events b
        WHERE b.backfill_id = :backfill
          AND CASE WHEN CAST(:is_revert AS boolean) THEN NOT (b.is_new OR b.was_void OR b.was_held)
                   ELSE b.is_added END
    ) t
""")


async def stream_of(tx: Tx, *, external_subscription_id: str, code: str) -> int:
    """The stream of a subscription and code, made where there is none."""
    asked = {"subscription": external_subscription_id, "code": code, "organization": tx.organization_id}
    await tx.execute(_ADD_STREAM, asked)
    return int((await tx.execute(_FIND_STREAM, asked)).scalar_one())


async def insert(tx: Tx, asked: NewBackfill, *, stream_id: int, author: Author) -> UUID:
    """Keep a new backfill."""
    backfill_id = new_id()
    row = {
        "id": backfill_id,
        "organization_id": tx.organization_id,
        "stream_id": stream_id,
        "external_subscription_id": asked.external_subscription_id,
        "code": asked.code,
        "from_at": asked.starts,
        "to_at": asked.ends,
        "reason": asked.reason,
        "status": BackfillStatus.OPEN,
        "api_key_id": author.api_key_id,
        "user_email": author.user_email,
        "created_at": author.now,
    }
    await tx.execute(insert_into(event_backfills).values(row))
    return backfill_id


def _counted(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    own = backfilled_events.c.backfill_id == event_backfills.c.id
    counted = select(func.count()).select_from(backfilled_events).where(own, *conditions)
    return counted.correlate(event_backfills).scalar_subquery()


_BACKFILLS: Select[Any] = select(
    event_backfills,
    _counted(backfilled_events.c.is_added).label("added"),
    # A version before that was not void: it counted, or waited to be judged.
    _counted(backfilled_events.c.version_before.is_not(None), ~backfilled_events.c.was_void).label(
        "replaced"
    ),
)


async def find(tx: Tx, backfill_id: UUID) -> Backfill | None:
    row = (await tx.execute(_BACKFILLS.where(event_backfills.c.id == backfill_id))).first()
    return None if row is None else _as_backfill(row)


async def lock(tx: Tx, backfill_id: UUID, *, is_shared: bool) -> bool:
    """Hold a backfill until the transaction ends; whether there is one."""
    statement = select(event_backfills.c.id).where(event_backfills.c.id == backfill_id)
    return (await tx.execute(statement.with_for_update(read=is_shared))).first() is not None


async def list_backfills(
    tx: Tx, page: Page, *, external_subscription_id: str | None, code: str | None, status: str | None
) -> tuple[list[Backfill], int]:
    """A page of backfills, the newest first, and how many there are."""
    asked = {"external_subscription_id": external_subscription_id, "code": code, "status": status}
    conditions = [
        event_backfills.c.organization_id == tx.organization_id,
        *(event_backfills.c[name] == value for name, value in asked.items() if value is not None),
    ]
    total = (
        await tx.execute(select(func.count()).select_from(event_backfills).where(*conditions))
    ).scalar_one()
    statement = _BACKFILLS.where(*conditions).order_by(event_backfills.c.id.desc())
    rows = await tx.execute(statement.limit(page.size).offset(page.offset))
    return [_as_backfill(row) for row in rows], int(total)


def _as_backfill(row: Any) -> Backfill:
    return Backfill(
        id=row.id,
        stream_id=row.stream_id,
        external_subscription_id=row.external_subscription_id,
        code=row.code,
        starts=row.from_at,
        ends=row.to_at,
        reason=row.reason,
        status=BackfillStatus(row.status),
        api_key_id=row.api_key_id,
        user_email=row.user_email,
        periods=row.periods,
        created_at=row.created_at,
        closed_at=row.closed_at,
        reverted_at=row.reverted_at,
        added_events_count=row.added,
        replaced_events_count=row.replaced,
    )


async def drop(tx: Tx, backfill_id: UUID) -> None:
    await tx.execute(delete(event_backfills).where(event_backfills.c.id == backfill_id))


async def conflicting(tx: Tx, backfill: Backfill, ids: Collection[UUID]) -> set[UUID]:
    """Events by id that are there already and are not replaced, or were added before."""
    return set((await tx.execute(_CONFLICTING, {**_bound(backfill), "ids": sorted(ids)})).scalars())


async def add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, backfilled_events, rows)


async def has_conflicts(tx: Tx, backfill: Backfill) -> bool:
    """Whether an event that was added has the transaction id of one that stays."""
    return bool((await tx.execute(_CONFLICTS, _bound(backfill))).scalar_one())


async def store_added(tx: Tx, backfill: Backfill, author: Author) -> None:
    """Put events that are not there yet into the store, in no stream."""
    await tx.execute(_STORE_ADDED, {**_bound(backfill), **_author(author)})


async def note_touched(tx: Tx, backfill: Backfill, author: Author) -> None:
    """Write down which events are replaced, and what each that there was has been."""
    bound = {**_bound(backfill), **_author(author)}
    await tx.execute(_NOTE_REPLACED, bound)
    await tx.execute(_NOTE_FIRST_VERSIONS, bound)
    await tx.execute(_NOTE_BEFORE, bound)


async def count_touched(tx: Tx, backfill_id: UUID) -> int:
    """How many events a backfill brings or replaces."""
    own = backfilled_events.c.backfill_id == backfill_id
    return int(
        (await tx.execute(select(func.count()).select_from(backfilled_events).where(own))).scalar_one()
    )


async def has_fee(tx: Tx, backfill_id: UUID) -> bool:
    """Whether one of the events was billed by itself."""
    return bool((await tx.execute(_HAS_FEE, {"backfill": backfill_id})).scalar_one())


async def instants(
    tx: Tx, backfill_id: UUID, windows: Sequence[tuple[datetime, datetime]], *, is_revert: bool
) -> tuple[datetime | None, int]:
    """The first instant at which an event counts or is to count, and how many of these lie in the given windows."""
    found = await tx.execute(
        _INSTANTS,
        {
            "backfill": backfill_id,
            "is_revert": is_revert,
            "starts": [starts for starts, _ in windows],
            "ends": [ends for _, ends in windows],
        },
    )
    row = found.one()
    return row.first, row.inside


async def reach(tx: Tx, backfill: Backfill, *, is_revert: bool) -> tuple[datetime, datetime]:
    """From when to when events count, or are to count, that closing or reverting a backfill touches."""
    statement = _REACH_OF_TOUCHED if is_revert else _REACH_OF_STRETCH
    row = (await tx.execute(statement, _bound(backfill))).one()
    return row.first, row.last


async def forget_late(tx: Tx, backfill_id: UUID, *, is_revert: bool) -> None:
    """Drop the notes that events came late which count on final invoices all the same."""
    await tx.execute(_FORGET_LATE, {"backfill": backfill_id, "is_revert": is_revert})


async def forget_notes(tx: Tx, backfill_id: UUID) -> None:
    """Drop what was noted of the events, and take them off the list of events to price."""
    for statement in _FORGET:
        await tx.execute(statement, {"backfill": backfill_id})


async def replace(tx: Tx, backfill: Backfill, author: Author) -> None:
    """Have what was added count, and what it replaces not; each change is a version."""
    await tx.execute(_REPLACE, _bound(backfill))
    await tx.execute(_ADD_VERSIONS, {**_bound(backfill), **_author(author), "with_new": False})


async def priced_of(tx: Tx, backfill_id: UUID) -> list[UUID]:
    """The events of a backfill that were priced by themselves."""
    return list((await tx.execute(_PRICED, {"backfill": backfill_id})).scalars())


async def put_back(tx: Tx, backfill: Backfill, author: Author) -> None:
    """Have every event be what it was before; what was not there counts nowhere. Each change is a version."""
    await tx.execute(_PUT_BACK, _bound(backfill))
    await tx.execute(_HOLD_AGAIN, _bound(backfill))
    await tx.execute(_ADD_VERSIONS, {**_bound(backfill), **_author(author), "with_new": True})


async def event_ids(tx: Tx, backfill_id: UUID) -> AsyncIterator[list[UUID]]:
    """The events of a backfill that count, some thousands at a time."""
    last: UUID | None = None
    while True:
        statement = select(backfilled_events.c.event_id).where(backfilled_events.c.backfill_id == backfill_id)
        if last is not None:
            statement = statement.where(backfilled_events.c.event_id > last)
        ids = list(
            (await tx.execute(statement.order_by(backfilled_events.c.event_id).limit(AT_ONCE))).scalars()
        )
        if not ids:
            return
        last = ids[-1]
        counted = select(event_keys.c.id).where(among(event_keys.c.id, ids), event_keys.c.stream_id > 0)
        yield list((await tx.execute(counted)).scalars())


async def mark(
    tx: Tx, backfill_id: UUID, status: BackfillStatus, *, now: datetime, periods: Sequence[Any] | None
) -> None:
    """Set where a backfill stands, and what closing it changed."""
    values: dict[str, Any] = {"status": status}
    if status is BackfillStatus.CLOSED:
        values |= {"closed_at": now, "periods": periods}
    else:
        values["reverted_at"] = now
    await tx.execute(update(event_backfills).where(event_backfills.c.id == backfill_id).values(**values))


async def is_overlapped(tx: Tx, backfill: Backfill) -> bool:
    """Whether one that was closed later, and stands, has part of its stretch of time."""
    column = event_backfills.c
    statement = select(column.id).where(
        column.stream_id == backfill.stream_id,
        column.id != backfill.id,
        column.status == BackfillStatus.CLOSED,
        column.closed_at >= backfill.closed_at,
        column.from_at < backfill.ends,
        column.to_at > backfill.starts,
    )
    return (await tx.execute(statement.limit(1))).first() is not None


def _bound(backfill: Backfill) -> dict[str, Any]:
    return {
        "backfill": backfill.id,
        "stream": backfill.stream_id,
        "starts": backfill.starts,
        "ends": backfill.ends,
    }


def _author(author: Author) -> dict[str, Any]:
    return {
        "reason": author.reason,
        "api_key_id": author.api_key_id,
        "user_email": author.user_email,
        "now": author.now,
    }
