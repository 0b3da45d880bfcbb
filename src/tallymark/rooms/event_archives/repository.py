"""How a month's events are put out of the way, read while they leave, and put back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier
from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Database, plain_url
from tallymark.db.tables import archived_streams, event_archives
from tallymark.rooms.event_archives.model import (
    Archive,
    ArchivedEvent,
    ArchiveFile,
    ArchiveStatus,
    first_instant,
    next_month,
)

CHUNK = 20_000
"""Events that are in memory at a time."""

# Shorter than the database waits before it looks for circles: it is never somebody else's work that is broken off.
_PATIENCE = text("SET LOCAL lock_timeout = '500ms'")
_OWN_MONTHS = text(r"""
    SELECT to_date(substr(relname, 8), 'YYYY_MM') AS month, relname AS table
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = CAST('events' AS regclass) AND relname ~ '^events_\d{4}_\d{2}$'
    ORDER BY 1
""")
_MONTHS_OF_REST = text("""
    SELECT DISTINCT CAST(date_trunc('month', timestamp AT TIME ZONE 'UTC') AS date) AS month
    FROM events_rest WHERE timestamp < CAST(:before AS timestamptz) ORDER BY 1
""")
_COLUMNS = (
    "id, stream_id, timestamp, created_at, organization_id, transaction_id, properties, precise_total_amount_cents,"
    " occurred_at, sender_id"
)
_LEAVES = """
    EXISTS (SELECT FROM archived_streams a WHERE a.archive_id = '{archive}' AND a.stream_id = abs(e.stream_id))
"""
_READ = SQL("""
    SELECT s.organization_id, s.external_subscription_id, s.code, e.stream_id, e.id, e.transaction_id, e.timestamp,
           e.created_at, e.occurred_at, CAST(e.properties AS text) AS properties, e.precise_total_amount_cents,
           e.sender_id
    FROM {table} e JOIN archived_streams a ON a.archive_id = {archive} AND a.stream_id = abs(e.stream_id)
    JOIN event_streams s ON s.id = a.stream_id
    WHERE s.organization_id = {organization}
    ORDER BY e.stream_id, e.timestamp, e.id
""")
_PUT_BACK = text(f"""
    INSERT INTO events ({_COLUMNS})
    SELECT id, stream_id, timestamp, created_at, organization_id, transaction_id, CAST(properties AS jsonb),
           precise_total_amount_cents, occurred_at, sender_id
    FROM json_to_recordset(CAST(:events AS json)) AS e(
        id uuid, stream_id bigint, timestamp timestamptz, created_at timestamptz, organization_id uuid, transaction_id text,
        properties text, precise_total_amount_cents numeric, occurred_at timestamptz,
        sender_id bigint)
    ON CONFLICT DO NOTHING
""")
# What was added up of the streams meanwhile may lack the time that comes back: it is added up anew.
_HOLD_ROLLUPS = text("SELECT tallymark_hold_rules()")
_RENEW_ROLLUPS = text("""
    WITH retired AS (
        UPDATE rollups r SET retired_at = now()
        WHERE retired_at IS NULL AND declined_at IS NULL
          AND stream_id IN (SELECT stream_id FROM archived_streams WHERE archive_id = :archive)
        RETURNING r.*
    )
    INSERT INTO rollups (organization_id, stream_id, aggregation_type, field_name, dimensions, since, until)
    SELECT organization_id, stream_id, aggregation_type, field_name, dimensions, since, until FROM retired ORDER BY id
""")


async def months_with_tables(connection: AsyncConnection, *, before: date) -> dict[date, str]:
    """Months before one that have a table of their own with anything in it."""
    found = {}
    for row in await connection.execute(_OWN_MONTHS):
        if row.month < before:
            is_used = text(f"SELECT EXISTS (SELECT FROM {row.table})")
            if (await connection.execute(is_used)).scalar_one():
                found[row.month] = row.table
    return found


async def months_of_rest(connection: AsyncConnection, *, before: date) -> list[date]:
    """Months before one of which events lie where all others lie."""
    rows = await connection.execute(_MONTHS_OF_REST, {"before": first_instant(before)})
    return list(rows.scalars())


async def keep_writers_out(connection: AsyncConnection, table: str) -> None:
    """Have nobody write to a month until the end of the transaction."""
    await connection.execute(_PATIENCE)
    await connection.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))


async def insert_archive(connection: AsyncConnection, archive: Archive) -> None:
    """Begin an archive."""
    await connection.execute(
        insert(event_archives).values(
            id=archive.id,
            month=archive.month,
            status=archive.status,
            events_count=archive.events_count,
            created_at=archive.created_at,
        )
    )


async def set_events_count(connection: AsyncConnection, archive_id: UUID, count: int) -> None:
    """Say how many events leave."""
    await connection.execute(
        update(event_archives).where(event_archives.c.id == archive_id).values(events_count=count)
    )


async def detach(connection: AsyncConnection, archive: Archive, table: str) -> None:
    """Put a month's table out of the way, and another one in its place with the events that stay."""
    starts, ends = first_instant(archive.month), first_instant(next_month(archive.month))
    stays = f"stays_{archive.id.hex}"
    leaves = _LEAVES.format(archive=archive.id)
    for statement in (
        f"CREATE TABLE {stays} (LIKE events INCLUDING DEFAULTS)",
        f"INSERT INTO {stays} ({_COLUMNS}) SELECT {_COLUMNS} FROM {table} e WHERE NOT {leaves}",
        # From here on everybody else waits, but for a moment.
        "LOCK TABLE events IN ACCESS EXCLUSIVE MODE",
        f"ALTER TABLE events DETACH PARTITION {table}",
        f"ALTER TABLE {table} RENAME TO {archive.table}",
        f"ALTER TABLE {stays} RENAME TO {table}",
        f"ALTER TABLE events ATTACH PARTITION {table} FOR VALUES FROM ('{starts}') TO ('{ends}')",
    ):
        await connection.execute(text(statement))


async def move_out_of_rest(connection: AsyncConnection, archive: Archive) -> None:
    """Move the events that leave from where all others lie into a table of their own."""
    starts, ends = first_instant(archive.month), first_instant(next_month(archive.month))
    leaves = _LEAVES.format(archive=archive.id)
    for statement in (
        f"CREATE TABLE {archive.table} (LIKE events INCLUDING DEFAULTS)",
        f"""
            WITH moved AS (
                DELETE FROM events_rest e WHERE timestamp >= '{starts}' AND timestamp < '{ends}' AND {leaves}
                RETURNING {_COLUMNS}
            )
            INSERT INTO {archive.table} ({_COLUMNS}) SELECT {_COLUMNS} FROM moved
        """,
        f"ALTER TABLE {archive.table} ADD PRIMARY KEY (stream_id, timestamp, id)",
    ):
        await connection.execute(text(statement))


async def organizations_of(connection: AsyncConnection, archive_id: UUID) -> dict[UUID, int]:
    """Whose events leave, and how many."""
    counted = func.sum(archived_streams.c.events_count)
    statement = select(archived_streams.c.organization_id, counted.label("events"))
    statement = statement.where(archived_streams.c.archive_id == archive_id)
    grouped = statement.group_by(archived_streams.c.organization_id).order_by("organization_id")
    return {row.organization_id: int(row.events) for row in await connection.execute(grouped)}


def read_leaving(
    database: Database, archive: Archive, organization_id: UUID
) -> Iterator[Sequence[ArchivedEvent]]:
    """The events of an organization that leave, chunk by chunk; on a connection of its own, for a thread of its own."""
    query = _READ.format(table=Identifier(archive.table), archive=archive.id, organization=organization_id)
    with (
        psycopg.connect(plain_url(database.url)) as connection,
        connection.cursor("leaving", row_factory=class_row(ArchivedEvent)) as cursor,
    ):
        cursor.execute(query)
        while chunk := cursor.fetchmany(CHUNK):
            yield chunk


async def complete(
    connection: AsyncConnection, archive: Archive, files: Sequence[ArchiveFile], *, now: datetime
) -> None:
    """Drop the table of what has left, now that its files are kept."""
    await connection.execute(text(f"DROP TABLE {archive.table}"))
    await connection.execute(
        update(event_archives)
        .where(event_archives.c.id == archive.id)
        .values(status=ArchiveStatus.ARCHIVED, files=msgspec.to_builtins(files), archived_at=now)
    )


async def hold_rollups(connection: AsyncConnection) -> None:
    """Until the end of the transaction no roll-up is begun."""
    await connection.execute(_HOLD_ROLLUPS)


async def put_back(connection: AsyncConnection, events: Sequence[ArchivedEvent]) -> int:
    """Store events again where they were; how many were not there."""
    rows = [{name: getattr(event, name) for name in _COLUMNS.split(", ")} for event in events]
    found = await connection.execute(_PUT_BACK, {"events": msgspec.json.encode(rows).decode()})
    return found.rowcount


async def mark_restored(connection: AsyncConnection, archive_id: UUID, *, now: datetime) -> None:
    """Nothing is archived of its streams any more."""
    await connection.execute(_RENEW_ROLLUPS, {"archive": archive_id})
    await connection.execute(archived_streams.delete().where(archived_streams.c.archive_id == archive_id))
    await connection.execute(
        update(event_archives)
        .where(event_archives.c.id == archive_id)
        .values(status=ArchiveStatus.RESTORED, restored_at=now)
    )


async def list_archives(connection: AsyncConnection) -> list[Archive]:
    """All archives, by month and age."""
    statement = select(event_archives).order_by(event_archives.c.month, event_archives.c.created_at)
    return [_as_archive(row) for row in await connection.execute(statement)]


def _as_archive(row: Row[Any]) -> Archive:
    fields: dict[str, Any] = dict(row._mapping)
    files = msgspec.convert(fields["files"] or [], list[ArchiveFile])
    return Archive(**{**fields, "status": ArchiveStatus(fields["status"]), "files": files})
