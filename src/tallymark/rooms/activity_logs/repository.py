"""How activity logs are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import activity_logs, api_keys, test_clocks
from tallymark.rooms.activity_logs.model import Entry, Filters

_FORGET = text(
    "DELETE FROM activity_logs USING organizations"
    " LEFT JOIN test_clocks ON test_clocks.organization_id = organizations.id"
    " WHERE activity_logs.organization_id = organizations.id"
    " AND activity_logs.logged_at < coalesce(test_clocks.frozen_time, :now) - CAST(:kept AS interval)"
)
# The texts are parts of the document that brings them: nothing is written, escaped or read twice.
_CLOSE = text(
    "UPDATE activity_logs SET object = CAST(written.object AS text), is_open = false"
    " FROM json_to_recordset(CAST(:written AS json)) AS written (id uuid, object json)"
    " WHERE activity_logs.id = written.id"
)
_ENTRIES = select(
    activity_logs,
    api_keys.c.name.label("api_key_name"),
    api_keys.c.ending.label("api_key_ending"),
).select_from(activity_logs.outerjoin(api_keys, api_keys.c.id == activity_logs.c.api_key_id))
_NEWEST = (activity_logs.c.logged_at.desc(), activity_logs.c.id.desc())


async def find_entry(tx: Tx, entry_id: UUID, *, since: datetime | None) -> Entry | None:
    statement = _ENTRIES.where(activity_logs.c.id == entry_id, *_since(since))
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def list_entries(
    tx: Tx, filters: Filters, page: Page, *, since: datetime | None
) -> tuple[list[Entry], int]:
    conditions = [*_conditions(filters), *_since(since)]
    counted = select(func.count()).select_from(activity_logs).where(*conditions)
    total = (await tx.execute(counted)).scalar_one()
    newest = _ENTRIES.where(*conditions).order_by(*_NEWEST)
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_value(row) for row in rows], int(total)


async def take_open(tx: Tx, *, ids: Collection[UUID] | None, limit: int) -> list[Entry]:
    """Open entries, the oldest first: those of some ids, or any that nobody else is at."""
    statement = _ENTRIES.where(activity_logs.c.is_open)
    if ids is not None:
        statement = statement.where(among(activity_logs.c.id, ids))
    statement = statement.order_by(activity_logs.c.id).limit(limit)
    locked = statement.with_for_update(of=activity_logs, skip_locked=ids is None)
    return [_as_value(row) for row in await tx.execute(locked)]


async def close(tx: Tx, objects: Mapping[UUID, Mapping[str, Any] | None]) -> None:
    """Write the objects of entries, None where there is none to show; they are open no longer."""
    written = [{"id": entry_id, "object": shown} for entry_id, shown in objects.items()]
    if written:
        await tx.execute(_CLOSE, {"written": msgspec.json.encode(written).decode()})


async def organizations_with_open(connection: AsyncConnection) -> list[UUID]:
    """Whose entries are open; not of those whose clock is being advanced."""
    moves = exists().where(
        test_clocks.c.organization_id == activity_logs.c.organization_id, test_clocks.c.status == "advancing"
    )
    statement = select(activity_logs.c.organization_id).where(activity_logs.c.is_open, ~moves).distinct()
    return list((await connection.execute(statement)).scalars())


async def delete_old(connection: AsyncConnection, *, now: datetime, kept: timedelta) -> None:
    """Delete the entries of all organizations that are not shown any more, each by its own clock."""
    await connection.execute(_FORGET, {"now": now, "kept": kept})


def _since(since: datetime | None) -> Iterator[ColumnElement[bool]]:
    if since is not None:
        yield activity_logs.c.logged_at >= since


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = activity_logs.c
    if filters.logged_from is not None:
        yield column.logged_at >= filters.logged_from
    if filters.logged_to is not None:
        yield column.logged_at <= filters.logged_to
    lists = {
        column.activity_type: filters.activity_types,
        column.activity_source: filters.activity_sources,
        column.user_email: filters.user_emails,
        column.api_key_id: filters.api_key_ids,
        column.resource_id: filters.resource_ids,
        column.resource_type: filters.resource_types,
    }
    for of, wanted in lists.items():
        if wanted:
            yield of.in_(wanted)
    if filters.external_customer_id is not None:
        yield column.external_customer_id == filters.external_customer_id
    if filters.external_subscription_id is not None:
        yield column.external_subscription_id == filters.external_subscription_id


def _as_value(row: Row[Any]) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__slots__})
