"""How data exports are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.tables import data_exports, test_clocks
from tallymark.domain.values import names_of
from tallymark.rooms.data_exports.model import (
    UNDER_WAY,
    DataExport,
    Expired,
    Format,
    ResourceType,
    Status,
)


async def insert_export(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(data_exports).values(**row))


async def find_export(tx: Tx, export_id: UUID) -> DataExport | None:
    row = (await tx.execute(select(data_exports).where(data_exports.c.id == export_id))).first()
    return _as_value(row) if row else None


async def list_exports(tx: Tx, types: Collection[ResourceType], page: Page) -> tuple[list[DataExport], int]:
    of_types = data_exports.c.resource_type.in_(types)
    counted = select(func.count()).select_from(data_exports).where(of_types)
    total = (await tx.execute(counted)).scalar_one()
    newest = select(data_exports).where(of_types).order_by(data_exports.c.id.desc())
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_value(row) for row in rows], int(total)


async def change_under_way(tx: Tx, export_id: UUID, **values: Any) -> DataExport | None:
    """Change an export that is neither done nor failed; None where it is, or is gone."""
    is_under_way = (data_exports.c.id == export_id) & data_exports.c.status.in_(UNDER_WAY)
    statement = update(data_exports).where(is_under_way).values(**values).returning(*data_exports.c)
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def count_failure(tx: Tx, export_id: UUID) -> int:
    """One more failure; how many that are."""
    column = data_exports.c
    statement = update(data_exports).where(column.id == export_id).values(failures=column.failures + 1)
    return int((await tx.execute(statement.returning(column.failures))).scalar_one_or_none() or 0)


async def claim_notice(tx: Tx, export_id: UUID, *, now: datetime) -> DataExport | None:
    """Note that whom it is for is told; None where that was noted before, there is nobody, or it is gone."""
    column = data_exports.c
    untold = (
        (column.id == export_id)
        & (column.status == Status.COMPLETED)
        & column.email.is_not(None)
        & column.notified_at.is_(None)
    )
    statement = update(data_exports).where(untold).values(notified_at=now).returning(*column)
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def release_notice(tx: Tx, export_id: UUID) -> None:
    await tx.execute(update(data_exports).where(data_exports.c.id == export_id).values(notified_at=None))


async def find_expired(connection: AsyncConnection, *, now: datetime) -> list[Expired]:
    """Exports of all organizations that are over, each by its own clock."""
    clock = test_clocks.c
    statement = (
        select(data_exports)
        .outerjoin(test_clocks, clock.organization_id == data_exports.c.organization_id)
        .where(data_exports.c.expires_at <= func.coalesce(clock.frozen_time, now))
        .order_by(data_exports.c.id)
    )
    rows = await connection.execute(statement)
    return [Expired(organization_id=row.organization_id, export=_as_value(row)) for row in rows]


async def delete_export(tx: Tx, export_id: UUID) -> None:
    await tx.execute(delete(data_exports).where(data_exports.c.id == export_id))


def _as_value(row: Row[Any]) -> DataExport:
    values = {name: getattr(row, name) for name in names_of(DataExport)}
    return DataExport(
        **{
            **values,
            "resource_type": ResourceType(row.resource_type),
            "format": Format(row.format),
            "status": Status(row.status),
        }
    )
