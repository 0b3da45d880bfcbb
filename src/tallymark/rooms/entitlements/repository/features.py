"""How features and privileges are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among, holding
from tallymark.db.engine import Tx
from tallymark.db.tables import features, privileges
from tallymark.rooms.entitlements.model import Feature, Privilege, ValueType

LIVE = features.c.deleted_at.is_(None)


async def insert_feature(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(features), dict(values))


async def update_feature(tx: Tx, feature_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(features).where(features.c.id == feature_id).values(**values))


async def delete_feature(tx: Tx, feature_id: UUID, *, at: datetime) -> None:
    """Soft-delete a feature; its privileges stay with it."""
    await update_feature(tx, feature_id, {"deleted_at": at, "updated_at": at})


async def insert_privileges(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, privileges, rows)


async def update_privileges(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await update_rows(tx, privileges, rows)


async def delete_privilege(tx: Tx, privilege_id: UUID) -> None:
    await tx.execute(delete(privileges).where(privileges.c.id == privilege_id))


async def find_features(tx: Tx, codes: Collection[str]) -> dict[str, Feature]:
    """Live features by code."""
    found = await _read(tx, LIVE, features.c.code.in_(codes))
    return {feature.code: feature for feature in found}


async def get_features(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Feature]:
    """Features by id, deleted ones too."""
    return {feature.id: feature for feature in await _read(tx, among(features.c.id, ids))}


async def list_features(tx: Tx, page: Page, search_term: str | None) -> tuple[list[Feature], int]:
    shown = LIVE & holding(search_term, features.c.name, features.c.code, features.c.description)
    total = (await tx.execute(select(func.count()).select_from(features).where(shown))).scalar_one()
    newest = (
        select(features.c.id)
        .where(shown)
        .order_by(features.c.created_at.desc(), features.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    ids = list((await tx.execute(newest)).scalars())
    found = await get_features(tx, ids)
    return [found[feature_id] for feature_id in ids], int(total)


async def _read(tx: Tx, *conditions: ColumnElement[bool]) -> list[Feature]:
    rows = (await tx.execute(select(features).where(*conditions))).all()
    theirs = (
        select(privileges)
        .where(among(privileges.c.feature_id, [row.id for row in rows]))
        .order_by(privileges.c.position)
    )
    of_features: dict[UUID, list[Privilege]] = {}
    for row in await tx.execute(theirs):
        of_features.setdefault(row.feature_id, []).append(_as_privilege(row))
    return [
        Feature(
            id=row.id,
            code=row.code,
            name=row.name,
            description=row.description,
            privileges=tuple(of_features.get(row.id, ())),
            created_at=row.created_at,
        )
        for row in rows
    ]


def _as_privilege(row: Row[Any]) -> Privilege:
    return Privilege(
        id=row.id,
        code=row.code,
        name=row.name,
        value_type=ValueType(row.value_type),
        select_options=None if row.select_options is None else tuple(row.select_options),
        position=row.position,
    )
