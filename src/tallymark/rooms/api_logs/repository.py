"""How API logs are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Text, cast, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.tables import api_logs
from tallymark.rooms.api_logs.model import BAD, GOOD, WORST_GOOD_STATUS, Entry, Filters

PREFIX = "/api/v1"
PATH_START = 200

_FORGET = text(
    "DELETE FROM api_logs USING organizations"
    " LEFT JOIN test_clocks ON test_clocks.organization_id = organizations.id"
    " WHERE api_logs.organization_id = organizations.id"
    " AND api_logs.logged_at < coalesce(test_clocks.frozen_time, :now) - CAST(:kept AS interval)"
)


async def insert_entry(tx: Tx, values: Mapping[str, Any]) -> None:
    start = values["request_path"][:PATH_START]
    await tx.execute(insert(api_logs), {**values, "path_start": start})


async def find_entry(tx: Tx, request_id: UUID, *, since: datetime | None) -> Entry | None:
    """The last call of an id."""
    statement = (
        select(api_logs)
        .where(api_logs.c.request_id == request_id, *_since(since))
        .order_by(api_logs.c.logged_at.desc(), api_logs.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def list_entries(
    tx: Tx, filters: Filters, page: Page, *, since: datetime | None
) -> tuple[list[Entry], int]:
    conditions = [*_conditions(filters), *_since(since)]
    total = (await tx.execute(select(func.count()).select_from(api_logs).where(*conditions))).scalar_one()
    newest = (
        select(api_logs)
        .where(*conditions)
        .order_by(api_logs.c.logged_at.desc(), api_logs.c.id.desc())
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_value(row) for row in await tx.execute(newest)], int(total)


async def delete_old(connection: AsyncConnection, *, now: datetime, kept: timedelta) -> None:
    """Delete the entries of all organizations that are not shown any more, each by its own clock."""
    await connection.execute(_FORGET, {"now": now, "kept": kept})


def _since(since: datetime | None) -> Iterator[ColumnElement[bool]]:
    if since is not None:
        yield api_logs.c.logged_at >= since


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = api_logs.c
    if filters.logged_from is not None:
        yield column.logged_at >= filters.logged_from
    if filters.logged_to is not None:
        yield column.logged_at <= filters.logged_to
    if filters.methods:
        yield column.http_method.in_(filters.methods)
    if filters.statuses:
        yield or_(*map(_has_status, filters.statuses))
    if filters.api_version is not None:
        yield column.api_version == filters.api_version
    if filters.paths:
        yield or_(*(_has_path(form) for path in filters.paths for form in _forms(path)))
    if filters.clients:
        yield column.client.in_(filters.clients)
    if filters.api_key_ids:
        yield column.api_key_id.in_(filters.api_key_ids)


def _has_status(wanted: str) -> ColumnElement[bool]:
    status = api_logs.c.http_status
    if wanted == GOOD:
        return status <= WORST_GOOD_STATUS
    return status > WORST_GOOD_STATUS if wanted == BAD else status == int(wanted)


def _forms(path: str) -> set[str]:
    """A path with and without what stands before all of them, and without a slash at its end."""
    bare = path.rstrip("/") or path
    return {bare, bare if bare.startswith((PREFIX, "*")) else f"{PREFIX}/{bare.lstrip('/')}"}


def _has_path(path: str) -> ColumnElement[bool]:
    column = api_logs.c.request_path
    if "*" not in path:
        return (api_logs.c.path_start == path[:PATH_START]) & (column == path)
    escaped = path.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return cast(column, Text).like(escaped.replace("*", "%"), escape="\\")


def _as_value(row: Row[Any]) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__slots__})
