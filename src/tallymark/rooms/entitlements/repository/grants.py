"""How grants of plans and subscriptions are kept, and what subscriptions do without."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import entitlement_removals, entitlement_values, entitlements
from tallymark.rooms.entitlements.model import Grant, Owner, Value
from tallymark.rooms.entitlements.repository.features import get_features

Rows = Sequence[Mapping[str, Any]]


async def grants_of(tx: Tx, owner: Owner, ids: Collection[UUID]) -> dict[UUID, tuple[Grant, ...]]:
    """The grants of owners of one kind, in the order of their creation, in a constant number of queries."""
    order = (entitlements.c.created_at, entitlements.c.id)
    rows = (
        await tx.execute(select(entitlements).where(among(entitlements.c[owner], ids)).order_by(*order))
    ).all()
    if not rows:
        return {}
    features = await get_features(tx, {row.feature_id for row in rows})
    values = await _values_of(tx, [row.id for row in rows])
    found: dict[UUID, list[Grant]] = {}
    for row in rows:
        grant = Grant(
            id=row.id,
            feature=features[row.feature_id],
            values=values.get(row.id, {}),
            created_at=row.created_at,
        )
        found.setdefault(getattr(row, owner), []).append(grant)
    return {owner_id: tuple(grants) for owner_id, grants in found.items()}


async def _values_of(tx: Tx, grant_ids: Collection[UUID]) -> dict[UUID, dict[UUID, Value]]:
    column = entitlement_values.c
    found: dict[UUID, dict[UUID, Value]] = {}
    for row in await tx.execute(select(entitlement_values).where(among(column.entitlement_id, grant_ids))):
        found.setdefault(row.entitlement_id, {})[row.privilege_id] = row.value
    return found


async def insert_grants(tx: Tx, rows: Rows) -> None:
    await insert_rows(tx, entitlements, rows)


async def delete_grants(tx: Tx, ids: Collection[UUID]) -> None:
    if ids:
        await tx.execute(delete(entitlements).where(among(entitlements.c.id, ids)))


async def replace_values(tx: Tx, grant_ids: Collection[UUID], rows: Rows) -> None:
    """Make the values of grants the given ones."""
    if grant_ids:
        column = entitlement_values.c.entitlement_id
        await tx.execute(delete(entitlement_values).where(among(column, grant_ids)))
    await insert_rows(tx, entitlement_values, rows)


async def removals_of(
    tx: Tx, subscription_ids: Collection[UUID]
) -> dict[UUID, list[tuple[UUID, UUID | None]]]:
    """Ids of features, and of privileges where it is one of those, by subscription."""
    column = entitlement_removals.c
    found: dict[UUID, list[tuple[UUID, UUID | None]]] = {}
    for row in await tx.execute(
        select(entitlement_removals).where(among(column.subscription_id, subscription_ids))
    ):
        found.setdefault(row.subscription_id, []).append((row.feature_id, row.privilege_id))
    return found


async def replace_removals(tx: Tx, subscription_id: UUID, feature_ids: Collection[UUID], rows: Rows) -> None:
    """Make what a subscription does without of some features the given."""
    column = entitlement_removals.c
    await tx.execute(
        delete(entitlement_removals).where(
            column.subscription_id == subscription_id, among(column.feature_id, feature_ids)
        )
    )
    await insert_rows(tx, entitlement_removals, rows)


async def owners_granting(
    tx: Tx, owner: Owner, feature_id: UUID, privilege_id: UUID | None = None
) -> list[UUID]:
    """The plans, or subscriptions, that grant a feature, or a value of one of its privileges, in the order in which they began to."""
    whose = entitlements.c[owner]
    statement = select(whose).where(entitlements.c.feature_id == feature_id, whose.is_not(None))
    if privilege_id is not None:
        valued = select(entitlement_values.c.entitlement_id)
        valued = valued.where(entitlement_values.c.privilege_id == privilege_id)
        statement = statement.where(entitlements.c.id.in_(valued))
    order = (entitlements.c.created_at, entitlements.c.id)
    return list((await tx.execute(statement.order_by(*order))).scalars())


async def drop_feature(tx: Tx, feature_id: UUID) -> None:
    """Take a feature from all plans and subscriptions."""
    await tx.execute(delete(entitlement_removals).where(entitlement_removals.c.feature_id == feature_id))
    await tx.execute(delete(entitlements).where(entitlements.c.feature_id == feature_id))


async def drop_privilege(tx: Tx, privilege_id: UUID) -> None:
    """Take a privilege's values from all plans and subscriptions."""
    for table in (entitlement_removals, entitlement_values):
        await tx.execute(delete(table).where(table.c.privilege_id == privilege_id))


async def drop_plan(tx: Tx, plan_id: UUID) -> None:
    """Take all features from a plan."""
    await tx.execute(delete(entitlements).where(entitlements.c.plan_id == plan_id))
