"""What features, privileges and grants are, and what a subscription makes of its plan's (platform §11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

Value = bool | int | str
Values = Mapping[UUID, Value]
"""By privilege."""


class ValueType(StrEnum):
    """What values of a privilege are."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    SELECT = "select"


class Owner(StrEnum):
    """Who can have grants; the value is the column that names it."""

    PLAN = "plan_id"
    SUBSCRIPTION = "subscription_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """What a feature may be limited or widened by; `select_options` are of a select alone."""

    id: UUID
    code: str
    name: str | None
    value_type: ValueType
    select_options: tuple[str, ...] | None
    position: int

    @property
    def config(self) -> dict[str, list[str]]:
        """What its values are limited to, as the wire has it."""
        return {} if self.select_options is None else {"select_options": list(self.select_options)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A part of what is sold that one has or has not."""

    id: UUID
    code: str
    name: str | None
    description: str | None
    privileges: tuple[Privilege, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A feature as a plan gives it, or as one subscription has it of its own."""

    id: UUID
    feature: Feature
    values: Values
    created_at: datetime


Named = Mapping[str, Mapping[str, Value]]
"""Values by the code of their privilege, by the code of their feature."""


def named(grants: Sequence[Grant]) -> Named:
    """Grants by their codes."""
    return {
        grant.feature.code: {
            one.code: grant.values[one.id] for one in grant.feature.privileges if one.id in grant.values
        }
        for grant in grants
    }


def changes_between(before: Named, after: Named) -> dict[str, list[Any]]:
    """[before, after] of each value, and of each feature that came or went the whole.

    >>> changes_between({"seats": {"max": 10}}, {"seats": {"max": 25}, "sso": {}})
    {'entitlements.seats.max': [10, 25], 'entitlements.sso': [None, {}]}
    """
    found: dict[str, list[Any]] = {}
    for code in {**before, **after}:
        was, is_now = before.get(code), after.get(code)
        if was is None or is_now is None:
            found[f"entitlements.{code}"] = [was, is_now]
            continue
        for name in {**was, **is_now}:
            if was.get(name) != is_now.get(name):
                found[f"entitlements.{code}.{name}"] = [was.get(name), is_now.get(name)]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What a subscription has of its own of one feature; `values` None means it is not granted to it by itself."""

    values: Values | None = None
    is_removed: bool = False
    removed_privileges: frozenset[UUID] = frozenset()


NOTHING = Own()


def patched(own: Own, offered: Values | None, given: Values) -> Own:
    """What a subscription has of its own once values are given to it; `offered` is the plan's, None for no grant.

    >>> seats, guests = UUID(int=1), UUID(int=2)
    >>> patched(NOTHING, {seats: 10, guests: True}, {seats: 25}).values == {seats: 25}
    True
    >>> patched(Own(values={seats: 25}), {seats: 10}, {seats: 10}) == NOTHING
    True
    """
    if offered is None:
        kept = frozenset() if own.values is None else own.removed_privileges - given.keys()
        return Own(values={**(own.values or {}), **given}, removed_privileges=kept)
    if given == offered:
        return NOTHING
    values = {**(own.values or {}), **given}
    changed = {key: value for key, value in values.items() if key not in given or offered.get(key) != value}
    return Own(values=changed or None, removed_privileges=own.removed_privileges - given.keys())


def without_feature(own: Own, offered: Values | None) -> Own:
    """What is left of a feature that a subscription does without."""
    return Own(is_removed=own.is_removed or offered is not None)


def without_privilege(own: Own, offered: Values | None, privilege_id: UUID) -> Own:
    """What a subscription has of its own once it does without a privilege."""
    values = own.values
    if values is not None:
        values = {key: value for key, value in values.items() if key != privilege_id}
    if offered is None:
        return replace(own, values=values)
    removed = own.removed_privileges | {privilege_id}
    return replace(own, values=values or None, removed_privileges=removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectivePrivilege:
    """A privilege that a subscription has; the plan's value and its own, None where there is none."""

    privilege: Privilege
    plan_value: Value | None
    override_value: Value | None

    @property
    def value(self) -> Value:
        """What holds: its own value, else its plan's."""
        value = self.plan_value if self.override_value is None else self.override_value
        assert value is not None, "a privilege that is had has a value"
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """A feature that a subscription has, whoever grants it."""

    feature: Feature
    privileges: tuple[EffectivePrivilege, ...]

    @property
    def values(self) -> Mapping[str, Value]:
        """What holds, by the codes of privileges."""
        return {one.privilege.code: one.value for one in self.privileges}


def compute_entitlements(
    offered: Sequence[Grant],
    own: Sequence[Grant],
    *,
    removed_features: Collection[UUID],
    removed_privileges: Collection[UUID],
) -> list[Entitlement]:
    """What a subscription is entitled to, in the order of the plan's grants, else of its own (§11)."""
    of_plan = {grant.feature.id: grant for grant in offered if grant.feature.id not in removed_features}
    of_its_own = {grant.feature.id: grant for grant in own}
    found = {**of_its_own, **of_plan}
    return [
        Entitlement(
            feature=grant.feature,
            privileges=tuple(
                _effective(
                    grant.feature.privileges,
                    _without(_values(of_plan.get(feature_id)), removed_privileges),
                    _values(of_its_own.get(feature_id)),
                )
            ),
        )
        for feature_id, grant in sorted(found.items(), key=lambda item: (item[1].created_at, item[1].id))
    ]


def _values(grant: Grant | None) -> Values:
    return grant.values if grant else {}


def _without(values: Values, removed: Collection[UUID]) -> Values:
    return {key: value for key, value in values.items() if key not in removed}


def _effective(known: Sequence[Privilege], offered: Values, own: Values) -> list[EffectivePrivilege]:
    return [
        EffectivePrivilege(privilege=one, plan_value=offered.get(one.id), override_value=own.get(one.id))
        for one in known
        if one.id in offered or one.id in own
    ]
