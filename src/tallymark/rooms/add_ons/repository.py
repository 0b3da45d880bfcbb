"""How add-ons are kept; the taxes that they carry are the taxes room's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.conditions import among, holding
from tallymark.db.engine import Tx
from tallymark.db.tables import add_ons, fixed_charges
from tallymark.rooms.add_ons.model import AddOn

LIVE = add_ons.c.deleted_at.is_(None)


async def insert_add_on(tx: Tx, values: Mapping[str, Any]) -> AddOn:
    return _as_value((await tx.execute(insert(add_ons).returning(*add_ons.c), dict(values))).one())


async def update_add_on(tx: Tx, add_on_id: UUID, values: Mapping[str, Any]) -> AddOn:
    statement = update(add_ons).where(add_ons.c.id == add_on_id).values(**values).returning(*add_ons.c)
    return _as_value((await tx.execute(statement)).one())


async def get_add_ons(tx: Tx, ids: Collection[UUID], *, live_only: bool = False) -> list[AddOn]:
    statement = select(add_ons).where(among(add_ons.c.id, ids))
    rows = await tx.execute(statement.where(LIVE) if live_only else statement)
    return [_as_value(row) for row in rows]


async def find_add_ons(tx: Tx, codes: Collection[str]) -> list[AddOn]:
    rows = await tx.execute(select(add_ons).where(LIVE, add_ons.c.code.in_(codes)))
    return [_as_value(row) for row in rows]


async def list_add_ons(tx: Tx, page: Page, search_term: str | None) -> tuple[list[AddOn], int]:
    shown = LIVE & holding(search_term, add_ons.c.name, add_ons.c.code)
    total = (await tx.execute(select(func.count()).select_from(add_ons).where(shown))).scalar_one()
    newest = select(add_ons).where(shown).order_by(add_ons.c.created_at.desc(), add_ons.c.id)
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_value(row) for row in rows], int(total)


async def delete_add_on(tx: Tx, add_on_id: UUID, *, at: datetime) -> None:
    """Soft-delete an add-on and every fixed charge built on it, in all plans."""
    gone = {"deleted_at": at, "updated_at": at}
    await tx.execute(update(add_ons).where(add_ons.c.id == add_on_id).values(**gone))
    of_add_on = (fixed_charges.c.add_on_id == add_on_id) & fixed_charges.c.deleted_at.is_(None)
    await tx.execute(update(fixed_charges).where(of_add_on).values(**gone))


def _as_value(row: Row[Any]) -> AddOn:
    return AddOn(
        id=row.id,
        code=row.code,
        name=row.name,
        invoice_display_name=row.invoice_display_name,
        description=row.description,
        amount_cents=row.amount_cents,
        amount_currency=row.amount_currency,
        taxes=(),
        created_at=row.created_at,
    )
