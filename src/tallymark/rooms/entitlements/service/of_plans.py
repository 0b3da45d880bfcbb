"""What plans grant (platform §11); whoever calls tells of the plan's change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.entitlements.inputs import Sent
from tallymark.rooms.entitlements.model import Grant, Owner, Values
from tallymark.rooms.entitlements.repository import grants as repository
from tallymark.rooms.entitlements.service.features import find_privilege
from tallymark.rooms.entitlements.service.saving import save_grants
from tallymark.rooms.entitlements.service.values import hold_features, read_given


async def of_plans(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, tuple[Grant, ...]]:
    """What plans grant, by plan, in the order in which they began to; plans without grants are left out."""
    return await repository.grants_of(tx, Owner.PLAN, plan_ids) if plan_ids else {}


async def replace_grants(tx: Tx, plan_id: UUID, sent: Sent, *, now: datetime) -> tuple[Grant, ...]:
    """Make a plan's grants those that are sent; one that is sent without values keeps its own (quirk).

    Raises `NotFound("feature")`, `NotFound("privilege")` and `Invalid`.
    """
    known = await _lock(tx, plan_id)
    given = await read_given(tx, sent)
    before = _by_feature(known)
    wanted = {feature_id: values or before.get(feature_id, {}) for feature_id, values in given.items()}
    return await _save(tx, plan_id, known, wanted, now=now)


async def merge_grants(tx: Tx, plan_id: UUID, sent: Sent, *, now: datetime) -> tuple[Grant, ...]:
    """Add what is sent to a plan's grants. Raises what `replace_grants` does."""
    known = await _lock(tx, plan_id)
    given = await read_given(tx, sent)
    before = _by_feature(known)
    added = {feature_id: {**before.get(feature_id, {}), **values} for feature_id, values in given.items()}
    return await _save(tx, plan_id, known, {**before, **added}, now=now)


async def find_grant(tx: Tx, plan_id: UUID, feature_code: str) -> Grant:
    """What a plan grants of one feature. Raises `NotFound("entitlement")`."""
    return _find((await of_plans(tx, [plan_id])).get(plan_id, ()), feature_code)


async def remove_grant(tx: Tx, plan_id: UUID, feature_code: str, *, now: datetime) -> Grant:
    """Take a feature from a plan, and answer with what it was. Raises `NotFound("entitlement")`."""
    known = await _lock(tx, plan_id)
    gone = _find(known, feature_code)
    left = {key: values for key, values in _by_feature(known).items() if key != gone.feature.id}
    await _save(tx, plan_id, known, left, now=now)
    return gone


async def remove_value(
    tx: Tx, plan_id: UUID, feature_code: str, privilege_code: str, *, now: datetime
) -> Grant:
    """Take one value from what a plan grants. Raises `NotFound("entitlement")` and `NotFound("privilege")`."""
    known = await _lock(tx, plan_id)
    grant = _find(known, feature_code)
    privilege = find_privilege(grant.feature, privilege_code)
    if privilege.id not in grant.values:
        raise NotFound("privilege")
    left = {key: value for key, value in grant.values.items() if key != privilege.id}
    await _save(tx, plan_id, known, {**_by_feature(known), grant.feature.id: left}, now=now)
    return replace(grant, values=left)


async def drop_plan(tx: Tx, plan_id: UUID) -> None:
    """Take all features from a plan that is deleted."""
    await repository.drop_plan(tx, plan_id)


async def lock_plan(tx: Tx, plan_id: UUID) -> None:
    """Keep features and a plan's grants as they are until the transaction ends, but for what it changes itself."""
    await hold_features(tx)
    await tx.lock("plan-entitlements", plan_id)


async def _lock(tx: Tx, plan_id: UUID) -> tuple[Grant, ...]:
    await lock_plan(tx, plan_id)
    return (await of_plans(tx, [plan_id])).get(plan_id, ())


async def _save(
    tx: Tx, plan_id: UUID, known: Collection[Grant], wanted: Mapping[UUID, Values], *, now: datetime
) -> tuple[Grant, ...]:
    await save_grants(tx, (Owner.PLAN, plan_id), known, wanted, now=now)
    return (await of_plans(tx, [plan_id])).get(plan_id, ())


def _by_feature(known: Collection[Grant]) -> dict[UUID, Values]:
    return {grant.feature.id: grant.values for grant in known}


def _find(known: Collection[Grant], feature_code: str) -> Grant:
    for grant in known:
        if grant.feature.code == feature_code:
            return grant
    raise NotFound("entitlement")
