"""How fixed charges, commitments and thresholds are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, cast, delete, insert, select, update

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import commitments, commitments_taxes, fixed_charges, usage_thresholds


async def fixed_charges_of(tx: Tx, plan_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The live fixed charges of plans, oldest first."""
    statement = (
        select(fixed_charges)
        .where(among(fixed_charges.c.plan_id, plan_ids), fixed_charges.c.deleted_at.is_(None))
        .order_by(fixed_charges.c.created_at, fixed_charges.c.id)
    )
    return (await tx.execute(statement)).all()


async def commitments_of(tx: Tx, plan_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    return (await tx.execute(select(commitments).where(among(commitments.c.plan_id, plan_ids)))).all()


async def thresholds_of(tx: Tx, plan_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The plans' own thresholds, smallest first."""
    statement = (
        select(usage_thresholds)
        .where(among(usage_thresholds.c.plan_id, plan_ids))
        .order_by(usage_thresholds.c.recurring, usage_thresholds.c.amount_cents)
    )
    return (await tx.execute(statement)).all()


async def insert_fixed_charges(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(fixed_charges), [dict(row) for row in rows])


async def update_fixed_charge(tx: Tx, fixed_charge_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(fixed_charges).where(fixed_charges.c.id == fixed_charge_id).values(**values))


async def free_codes(tx: Tx, ids: Collection[UUID]) -> None:
    """Let fixed charges give their codes up before they take others, which may be those of one another."""
    if ids:
        renamed = update(fixed_charges).where(among(fixed_charges.c.id, ids))
        await tx.execute(renamed.values(code=cast(fixed_charges.c.id, Text)))


async def delete_fixed_charges(tx: Tx, ids: Collection[UUID], *, at: datetime) -> None:
    if ids:
        live = among(fixed_charges.c.id, ids) & fixed_charges.c.deleted_at.is_(None)
        await tx.execute(update(fixed_charges).where(live).values(deleted_at=at, updated_at=at))


async def insert_commitment(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(commitments), dict(values))


async def update_commitment(tx: Tx, commitment_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(commitments).where(commitments.c.id == commitment_id).values(**values))


async def delete_commitment(tx: Tx, commitment_id: UUID) -> None:
    """Delete a commitment with its taxes."""
    await tx.execute(delete(commitments_taxes).where(commitments_taxes.c.owner_id == commitment_id))
    await tx.execute(delete(commitments).where(commitments.c.id == commitment_id))


async def replace_thresholds(tx: Tx, plan_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a plan's thresholds the given ones."""
    await tx.execute(delete(usage_thresholds).where(usage_thresholds.c.plan_id == plan_id))
    if rows:
        await tx.execute(insert(usage_thresholds), [dict(row) for row in rows])
