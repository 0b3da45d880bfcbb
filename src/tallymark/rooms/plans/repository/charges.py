"""How charges, their filters and pricing units are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, bindparam, cast, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import charge_filters, charges, pricing_units


async def charges_of(tx: Tx, plan_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The live charges of plans, oldest first."""
    statement = (
        select(charges)
        .where(among(charges.c.plan_id, plan_ids), charges.c.deleted_at.is_(None))
        .order_by(charges.c.created_at, charges.c.id)
    )
    return (await tx.execute(statement)).all()


async def filters_of(tx: Tx, charge_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The live filters of charges, the longest unchanged first."""
    statement = (
        select(charge_filters)
        .where(among(charge_filters.c.charge_id, charge_ids), charge_filters.c.deleted_at.is_(None))
        .order_by(charge_filters.c.position, charge_filters.c.id)
    )
    return (await tx.execute(statement)).all()


async def pricing_units_of(tx: Tx, ids: Collection[UUID]) -> Sequence[Row[Any]]:
    return (await tx.execute(select(pricing_units).where(among(pricing_units.c.id, ids)))).all()


async def insert_charges(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(charges), [dict(row) for row in rows])


async def update_charge(tx: Tx, charge_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(charges).where(charges.c.id == charge_id).values(**values))


async def free_codes(tx: Tx, charge_ids: Collection[UUID]) -> None:
    """Let charges give their codes up before they take others, which may be those of one another."""
    if charge_ids:
        renamed = update(charges).where(among(charges.c.id, charge_ids))
        await tx.execute(renamed.values(code=cast(charges.c.id, Text)))


async def delete_charges(tx: Tx, charge_ids: Collection[UUID], *, at: datetime) -> None:
    """Soft-delete charges with their filters."""
    if not charge_ids:
        return
    gone = {"deleted_at": at, "updated_at": at}
    live = among(charges.c.id, charge_ids) & charges.c.deleted_at.is_(None)
    await tx.execute(update(charges).where(live).values(**gone))
    of_charges = among(charge_filters.c.charge_id, charge_ids) & charge_filters.c.deleted_at.is_(None)
    await tx.execute(update(charge_filters).where(of_charges).values(**gone))


async def insert_filters(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(charge_filters), [dict(row) for row in rows])


async def update_filters(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change filters; each row has its `id`, and all rows name the same columns."""
    if rows:
        names = [name for name in rows[0] if name != "id"]
        statement = (
            update(charge_filters)
            .where(charge_filters.c.id == bindparam("row_id"))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        await tx.execute(
            statement, [{"row_id": row["id"], **{f"new_{name}": row[name] for name in names}} for row in rows]
        )


async def delete_filters(tx: Tx, filter_ids: Collection[UUID], *, at: datetime) -> None:
    if filter_ids:
        gone = update(charge_filters).where(among(charge_filters.c.id, filter_ids))
        await tx.execute(gone.values(deleted_at=at, updated_at=at))


async def find_pricing_units(tx: Tx, codes: Collection[str]) -> Sequence[Row[Any]]:
    return (await tx.execute(select(pricing_units).where(pricing_units.c.code.in_(codes)))).all()


async def list_pricing_units(tx: Tx, page: Page) -> tuple[Sequence[Row[Any]], int]:
    total = (await tx.execute(select(func.count()).select_from(pricing_units))).scalar_one()
    newest = select(pricing_units).order_by(pricing_units.c.created_at.desc(), pricing_units.c.id)
    return (await tx.execute(newest.limit(page.size).offset(page.offset))).all(), int(total)


async def insert_pricing_unit(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(pricing_units), dict(values))


async def update_pricing_unit(tx: Tx, unit_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(pricing_units).where(pricing_units.c.id == unit_id).values(**values))
