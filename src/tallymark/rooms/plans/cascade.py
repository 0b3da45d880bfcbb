"""What a change of a plan brings to its child plans, where it asks to reach them (pricing §12.3).

A change is the difference between the plan before and after: every door to a plan's prices cascades the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.jobs.activity import Activity, below, log
from tallymark.rooms.plans import repository
from tallymark.rooms.plans.assembly import assemble
from tallymark.rooms.plans.charges import default_code
from tallymark.rooms.plans.checks import same_values
from tallymark.rooms.plans.children import copy_charges, copy_fixed_charges
from tallymark.rooms.plans.model import Charge, ChargeFilter, FixedCharge, Plan
from tallymark.rooms.plans.repository import charges as charge_rows
from tallymark.rooms.plans.repository import fixed as fixed_rows
from tallymark.rooms.plans.traces import changes_between
from tallymark.rooms.plans.unit_changes import note_unit_changes
from tallymark.rooms.plans.waiting import review_waiting

Part = TypeVar("Part", Charge, FixedCharge)

GROUP_KEYS = ("pricing_group_keys", "presentation_group_keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A plan before and after; `is_whole_plan` where the plan itself was updated.

    `targets_sent` are the charges of which that said whether they accept a target wallet, a change or not.
    """

    before: Plan
    after: Plan
    is_whole_plan: bool
    now: datetime
    targets_sent: frozenset[UUID] = frozenset()


async def cascade(tx: Tx, change: Change) -> set[UUID]:
    """Bring a change to the children that somebody is on, and a new base price to all that had the old one.

    Which children somebody is on is the answer.
    """
    repriced: set[UUID] = set()
    if change.before.amount_cents != change.after.amount_cents:
        repriced = await repository.cascade_amount(
            tx, change.before, change.after.amount_cents, at=change.now
        )
    reached = await repository.children_in_use(tx, change.after.id)
    children = await assemble(tx, reached)
    for child in children.values():
        await _cascade_charges(tx, change, child)
        await _cascade_fixed_charges(tx, change, child)
        if child.id in repriced:
            await review_waiting(tx, child, child.amount_cents, now=change.now)
    await _log(tx, children, now=change.now)
    return {row.id for row in reached}


async def _log(tx: Tx, before: Mapping[UUID, Plan], *, now: datetime) -> None:
    """Log of every subscription on one of these children what the change has made of its prices."""
    after = await assemble(tx, await repository.get_plans(tx, before)) if before else {}
    different = {plan_id: changes_between(plan, after[plan_id]) for plan_id, plan in before.items()}
    changed = {plan_id: below("plan", found) for plan_id, found in different.items() if found}
    held = await repository.subscriptions_on(tx, changed) if changed else ()
    await log(
        tx,
        (
            Activity(
                activity_type="subscription.updated", object_id=subscription_id, changes=changed[plan_id]
            )
            for subscription_id, plan_id in held
        ),
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Moves(Generic[Part]):
    """What a child's charges, or fixed charges, follow of a change."""

    gone: Sequence[UUID]
    changed: Sequence[tuple[Part, Part, Part]]
    """Before, after, and the child's copy; of those that are priced alike."""

    fresh: Sequence[Part]
    codes: Mapping[UUID, str]
    """What each of the child's is called from now on."""

    @property
    def renamed(self) -> list[UUID]:
        """The child's that get another code."""
        return [copy.id for _, _, copy in self.changed if self.codes[copy.id] != copy.code]


def _moves(
    before: Sequence[Part],
    after: Sequence[Part],
    of_child: Sequence[Part],
    *,
    said: Collection[UUID] = (),
) -> Moves[Part]:
    """What differs before and after, and what is `said` anew."""
    copies = {part.parent_id: part for part in of_child}
    old, new = {part.id: part for part in before}, {part.id: part for part in after}
    gone = [copies[part_id].id for part_id in old.keys() - new.keys() if part_id in copies]
    changed = [
        (old[part_id], new[part_id], copies[part_id])
        for part_id in old
        if part_id in new and part_id in copies and (new[part_id] != old[part_id] or part_id in said)
    ]
    changed = [each for each in changed if each[2].charge_model is each[1].charge_model]
    codes = _followed([part for part in of_child if part.id not in gone], changed)
    fresh: list[Part] = []
    for part in new.values():
        if part.id not in old and part.id not in copies:
            # A child may have given the code to one of its own.
            fresh.append(replace(part, code=default_code(part.code, codes.values())))
            codes[part.id] = fresh[-1].code
    return Moves(gone, changed, fresh, codes)


def _followed(parts: Sequence[Part], changed: Sequence[tuple[Part, Part, Part]]) -> dict[UUID, str]:
    """The codes of a child's charges, those changed at the parent as they are there: unless one of its own has that code."""
    wanted = {copy.id: new.code for old, new, copy in changed if new.code != old.code}
    codes = {part.id: part.code for part in parts if part.id not in wanted}
    for part_id, code in wanted.items():
        codes[part_id] = default_code(code, codes.values())
    return codes


async def _cascade_charges(tx: Tx, change: Change, child: Plan) -> None:
    before, after = change.before.charges, change.after.charges
    moves = _moves(before, after, child.charges, said=change.targets_sent)
    await charge_rows.delete_charges(tx, moves.gone, at=change.now)
    await charge_rows.free_codes(tx, moves.renamed)
    for old, new, copy in moves.changed:
        await _cascade_charge(tx, change, old=old, new=new, copy=copy, code=moves.codes[copy.id])
    await copy_charges(tx, moves.fresh, child.id, now=change.now)


async def _cascade_charge(
    tx: Tx, change: Change, *, old: Charge, new: Charge, copy: Charge, code: str
) -> None:
    values: dict[str, Any] = {"code": code}
    if new != old:
        values["properties"] = _price(old, new, copy)
    if change.is_whole_plan:
        if new.id in change.targets_sent:
            values["accepts_target_wallet"] = new.accepts_target_wallet
        rates = [item.applied_pricing_unit.conversion_rate if item.applied_pricing_unit else None
                 for item in (old, new, copy)]  # fmt: skip
        if rates[2] == rates[0]:
            values["conversion_rate"] = rates[1]
    await charge_rows.update_charge(tx, copy.id, {**values, "updated_at": change.now})
    await _cascade_filters(tx, change, old=old, new=new, copy=copy)


def _price(old: Charge, new: Charge, copy: Charge) -> Mapping[str, Any]:
    is_same = copy.charge_model is old.charge_model and is_equal(copy.properties, old.properties)
    return new.properties if is_same else with_group_keys(copy.properties, new.properties)


async def _cascade_filters(tx: Tx, change: Change, *, old: Charge, new: Charge, copy: Charge) -> None:
    before, after, own = (_by_values(charge.filters) for charge in (old, new, copy))
    gone = [own[values].id for values in before.keys() - after.keys() if values in own]
    await charge_rows.delete_filters(tx, gone, at=change.now)
    last = max((item.position for item in copy.filters), default=-1)
    fresh = [item for values, item in after.items() if values not in before and values not in own]
    await charge_rows.insert_filters(
        tx, [_filter_row(tx, change, copy, item, last + 1 + n) for n, item in enumerate(fresh)]
    )
    changed = [
        {"id": own[values].id, **_filter_price(item, after[values], own[values]), "updated_at": change.now}
        for values, item in before.items()
        if values in after and values in own and item != after[values]
    ]
    await charge_rows.update_filters(tx, changed)


def _by_values(filters: Sequence[ChargeFilter]) -> dict[object, ChargeFilter]:
    return {same_values(item.values): item for item in filters}


def _filter_price(old: ChargeFilter, new: ChargeFilter, own: ChargeFilter) -> dict[str, Any]:
    if is_equal(own.properties, old.properties):
        return {"properties": dict(new.properties), "invoice_display_name": new.invoice_display_name}
    return {
        "properties": with_group_keys(own.properties, new.properties),
        "invoice_display_name": own.invoice_display_name,
    }


def _filter_row(tx: Tx, change: Change, copy: Charge, item: ChargeFilter, position: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "charge_id": copy.id,
        "values": {key: list(values) for key, values in item.values.items()},
        "properties": dict(item.properties),
        "invoice_display_name": item.invoice_display_name,
        "position": position,
        "created_at": change.now,
        "updated_at": change.now,
    }


async def _cascade_fixed_charges(tx: Tx, change: Change, child: Plan) -> None:
    moves = _moves(change.before.fixed_charges, change.after.fixed_charges, child.fixed_charges)
    await fixed_rows.delete_fixed_charges(tx, moves.gone, at=change.now)
    await fixed_rows.free_codes(tx, moves.renamed)
    for old, new, copy in moves.changed:
        await _cascade_fixed_charge(tx, change, old=old, new=new, copy=copy, code=moves.codes[copy.id])
    await copy_fixed_charges(tx, moves.fresh, child.id, now=change.now)
    if change.before.fixed_charges != change.after.fixed_charges:
        await note_unit_changes(tx, child.id, now=change.now)


async def _cascade_fixed_charge(
    tx: Tx, change: Change, *, old: FixedCharge, new: FixedCharge, copy: FixedCharge, code: str
) -> None:
    values: dict[str, Any] = {"code": code}
    is_same = copy.charge_model is old.charge_model and is_equal(copy.properties, old.properties)
    if is_same and copy.units == old.units:
        values |= {
            "properties": dict(new.properties),
            "units": new.units,
            "apply_units_immediately": new.apply_units_immediately,
        }
    await fixed_rows.update_fixed_charge(tx, copy.id, {**values, "updated_at": change.now})


def with_group_keys(own: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A price that stays, grouped as the parent's is now.

    >>> with_group_keys({"amount": "7", "pricing_group_keys": ["team"]}, {"amount": "9"})
    {'amount': '7'}
    """
    kept = {key: value for key, value in own.items() if key not in GROUP_KEYS}
    return kept | {key: new[key] for key in GROUP_KEYS if key in new}


def is_equal(one: object, other: object) -> bool:
    """Whether two prices are the same; numbers written as text are compared as numbers.

    >>> is_equal({"amount": "10"}, {"amount": "10.00"}), is_equal(["a"], ["b"])
    (True, False)
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_equal, one, other))
    if one == other:
        return True
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False
