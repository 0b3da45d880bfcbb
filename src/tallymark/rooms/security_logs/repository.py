"""How security logs are kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.tables import api_keys, security_logs
from tallymark.rooms.security_logs.model import Entry, Filters

_FORGET = text(
    "DELETE FROM security_logs USING organizations"
    " LEFT JOIN test_clocks ON test_clocks.organization_id = organizations.id"
    " WHERE security_logs.organization_id = organizations.id"
    " AND security_logs.logged_at < coalesce(test_clocks.frozen_time, :now) - CAST(:kept AS interval)"
)
_ENTRIES = select(
    security_logs,
    api_keys.c.name.label("api_key_name"),
    api_keys.c.ending.label("api_key_ending"),
).select_from(security_logs.outerjoin(api_keys, api_keys.c.id == security_logs.c.api_key_id))


async def find_entry(tx: Tx, entry_id: UUID, *, since: datetime) -> Entry | None:
    column = security_logs.c
    statement = _ENTRIES.where(column.id == entry_id, column.logged_at >= since)
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def list_entries(tx: Tx, filters: Filters, page: Page, *, since: datetime) -> tuple[list[Entry], int]:
    column = security_logs.c
    conditions = [column.logged_at >= since, *_conditions(filters)]
    counted = select(func.count()).select_from(security_logs).where(*conditions)
    total = (await tx.execute(counted)).scalar_one()
    newest = _ENTRIES.where(*conditions).order_by(column.logged_at.desc(), column.id.desc())
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_value(row) for row in rows], int(total)


async def delete_old(connection: AsyncConnection, *, now: datetime, kept: timedelta) -> None:
    """Delete the entries of all organizations that are not shown any more, each by its own clock."""
    await connection.execute(_FORGET, {"now": now, "kept": kept})


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = security_logs.c
    if filters.logged_from is not None:
        yield column.logged_at >= filters.logged_from
    yield column.logged_at <= filters.logged_to
    lists = {
        column.user_id: filters.user_ids,
        column.user_email: filters.user_emails,
        column.api_key_id: filters.api_key_ids,
        column.log_type: filters.log_types,
        column.log_event: filters.log_events,
    }
    for of, wanted in lists.items():
        if wanted:
            yield of.in_(wanted)


def _as_value(row: Row[Any]) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__slots__})
