"""What subscriptions have instead of what their plan grants (platform §11); whoever calls tells of the change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.entitlements.inputs import Sent
from tallymark.rooms.entitlements.model import (
    Entitlement,
    Grant,
    Own,
    Owner,
    Values,
    compute_entitlements,
    patched,
    without_feature,
    without_privilege,
)
from tallymark.rooms.entitlements.repository import grants as repository
from tallymark.rooms.entitlements.service.features import find_privilege, get_feature
from tallymark.rooms.entitlements.service.of_plans import of_plans
from tallymark.rooms.entitlements.service.saving import save_grants
from tallymark.rooms.entitlements.service.values import hold_features, read_given


async def of_subscriptions(tx: Tx, plan_of: Mapping[UUID, UUID]) -> dict[UUID, tuple[Entitlement, ...]]:
    """What subscriptions are entitled to; `plan_of` names the top-level plan of each."""
    offered = await of_plans(tx, set(plan_of.values()))
    own = await repository.grants_of(tx, Owner.SUBSCRIPTION, plan_of)
    removals = await repository.removals_of(tx, plan_of)
    return {
        subscription_id: tuple(
            compute_entitlements(
                offered.get(plan_id, ()),
                own.get(subscription_id, ()),
                removed_features={one for one, part in removals.get(subscription_id, ()) if part is None},
                removed_privileges={part for _, part in removals.get(subscription_id, ()) if part},
            )
        )
        for subscription_id, plan_id in plan_of.items()
    }


async def patch_subscription(tx: Tx, whose: Whose, sent: Sent, *, now: datetime) -> None:
    """Give a subscription what is sent; the plan's own values bring it back to the plan.

    Raises `NotFound("feature")`, `NotFound("privilege")` and `Invalid`.
    """
    state = await _gather(tx, whose)
    given = await read_given(tx, sent)
    changes = {key: patched(state.own(key), state.offered.get(key), values) for key, values in given.items()}
    await _save(tx, whose, state, changes, now=now)


async def remove_feature(tx: Tx, whose: Whose, feature_code: str, *, now: datetime) -> bool:
    """Have a subscription do without a feature; whether that changed anything. Raises `NotFound("feature")`."""
    state = await _gather(tx, whose)
    feature = await get_feature(tx, code=feature_code)
    before = state.own(feature.id)
    after = without_feature(before, state.offered.get(feature.id))
    await _save(tx, whose, state, {feature.id: after}, now=now)
    return after != before


async def remove_privilege(
    tx: Tx, whose: Whose, feature_code: str, privilege_code: str, *, now: datetime
) -> bool:
    """Have a subscription do without a privilege; whether that changed anything. Raises `NotFound` of either."""
    state = await _gather(tx, whose)
    feature = await get_feature(tx, code=feature_code)
    privilege = find_privilege(feature, privilege_code)
    before = state.own(feature.id)
    after = without_privilege(before, state.offered.get(feature.id), privilege.id)
    await _save(tx, whose, state, {feature.id: after}, now=now)
    return after != before


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """A subscription and the top-level plan that it is on."""

    subscription_id: UUID
    plan_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    offered: Mapping[UUID, Values]
    grants: Collection[Grant]
    removals: Collection[tuple[UUID, UUID | None]]

    def own(self, feature_id: UUID) -> Own:
        """What the subscription has of its own of a feature."""
        values = next((grant.values for grant in self.grants if grant.feature.id == feature_id), None)
        parts = [part for one, part in self.removals if one == feature_id]
        removed = frozenset(part for part in parts if part is not None)
        return Own(values=values, is_removed=None in parts, removed_privileges=removed)


async def lock_subscription(tx: Tx, subscription_id: UUID) -> None:
    """Keep features and what a subscription has of them as they are until the transaction ends, but for what it changes itself."""
    await hold_features(tx)
    await tx.lock("entitlements", subscription_id)


async def _gather(tx: Tx, whose: Whose) -> _State:
    await lock_subscription(tx, whose.subscription_id)
    offered = (await of_plans(tx, [whose.plan_id])).get(whose.plan_id, ())
    own = await repository.grants_of(tx, Owner.SUBSCRIPTION, [whose.subscription_id])
    removals = await repository.removals_of(tx, [whose.subscription_id])
    return _State(
        offered={grant.feature.id: grant.values for grant in offered},
        grants=own.get(whose.subscription_id, ()),
        removals=removals.get(whose.subscription_id, ()),
    )


async def _save(tx: Tx, whose: Whose, state: _State, changes: Mapping[UUID, Own], *, now: datetime) -> None:
    wanted = {grant.feature.id: grant.values for grant in state.grants}
    for feature_id, own in changes.items():
        wanted.pop(feature_id, None)
        if own.values is not None:
            wanted[feature_id] = own.values
    await save_grants(tx, (Owner.SUBSCRIPTION, whose.subscription_id), state.grants, wanted, now=now)
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "subscription_id": whose.subscription_id,
            "feature_id": feature_id,
            "privilege_id": part,
        }
        for feature_id, own in changes.items()
        for part in (*([None] if own.is_removed else []), *own.removed_privileges)
    ]
    await repository.replace_removals(tx, whose.subscription_id, [*changes], rows)
