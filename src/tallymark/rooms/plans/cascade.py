"""What a change of a plan brings to its child plans, where it asks to reach them (pricing §12.3).

A change is the difference between the plan before and after: every door to a plan's prices cascades the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.plans import repository
from tallymark.rooms.plans.assembly import assemble
from tallymark.rooms.plans.charges import default_code
from tallymark.rooms.plans.checks import same_values
from tallymark.rooms.plans.children import copy_charges, copy_fixed_charges
from tallymark.rooms.plans.model import Charge, ChargeFilter, FixedCharge, Plan
from tallymark.rooms.plans.repository import charges as charge_rows
from tallymark.rooms.plans.repository import fixed as fixed_rows
from tallymark.rooms.plans.unit_changes import note_unit_changes
from tallymark.rooms.plans.waiting import review_waiting

Part = TypeVar("Part", Charge, FixedCharge)

GROUP_KEYS = ("pricing_group_keys", "presentation_group_keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A plan before and after; `is_whole_plan` where the plan itself was updated."""

    before: Plan
    after: Plan
    is_whole_plan: bool
    now: datetime


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
    for child in (await assemble(tx, reached)).values():
        await _cascade_charges(tx, change, child)
        await _cascade_fixed_charges(tx, change, child)
        if child.id in repriced:
            await review_waiting(tx, child, child.amount_cents, now=change.now)
    return {row.id for row in reached}


async def _cascade_charges(tx: Tx, change: Change, child: Plan) -> None:
    copies = {charge.parent_id: charge for charge in child.charges}
    before = {charge.id: charge for charge in change.before.charges}
    after = {charge.id: charge for charge in change.after.charges}
    gone = [copies[charge_id].id for charge_id in before.keys() - after.keys() if charge_id in copies]
    await charge_rows.delete_charges(tx, gone, at=change.now)
    changed = [
        (old, after[charge_id], copies[charge_id])
        for charge_id, old in before.items()
        if charge_id in after and charge_id in copies and after[charge_id] != old
    ]
    changed = [(old, new, copy) for old, new, copy in changed if copy.charge_model is new.charge_model]
    codes = _followed([charge for charge in child.charges if charge.id not in gone], changed)
    await charge_rows.free_codes(tx, [copy.id for _, _, copy in changed if codes[copy.id] != copy.code])
    for old, new, copy in changed:
        await _cascade_charge(tx, change, old=old, new=new, copy=copy, code=codes[copy.id])
    fresh = []
    for charge in after.values():
        if charge.id not in before and charge.id not in copies:
            # A child may have given the code to a charge of its own.
            fresh.append(replace(charge, code=default_code(charge.code, codes.values())))
            codes[charge.id] = fresh[-1].code
    await copy_charges(tx, fresh, child.id, now=change.now)


def _followed(parts: Sequence[Part], changed: Sequence[tuple[Part, Part, Part]]) -> dict[UUID, str]:
    """The codes of a child's charges, those changed at the parent as they are there: unless one of its own has that code."""
    wanted = {copy.id: new.code for old, new, copy in changed if new.code != old.code}
    codes = {part.id: part.code for part in parts if part.id not in wanted}
    for part_id, code in wanted.items():
        codes[part_id] = default_code(code, codes.values())
    return codes


async def _cascade_charge(
    tx: Tx, change: Change, *, old: Charge, new: Charge, copy: Charge, code: str
) -> None:
    values: dict[str, Any] = {"code": code, "properties": _price(old, new, copy)}
    if change.is_whole_plan:
        if new.accepts_target_wallet != old.accepts_target_wallet:
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
    copies = {charge.parent_id: charge for charge in child.fixed_charges}
    before = {charge.id: charge for charge in change.before.fixed_charges}
    after = {charge.id: charge for charge in change.after.fixed_charges}
    gone = [copies[charge_id].id for charge_id in before.keys() - after.keys() if charge_id in copies]
    await fixed_rows.delete_fixed_charges(tx, gone, at=change.now)
    changed = [
        (old, after[charge_id], copies[charge_id])
        for charge_id, old in before.items()
        if charge_id in after and charge_id in copies and after[charge_id] != old
    ]
    changed = [(old, new, copy) for old, new, copy in changed if copy.charge_model is new.charge_model]
    codes = _followed([charge for charge in child.fixed_charges if charge.id not in gone], changed)
    await fixed_rows.free_codes(tx, [copy.id for _, _, copy in changed if codes[copy.id] != copy.code])
    for old, new, copy in changed:
        await _cascade_fixed_charge(tx, change, old=old, new=new, copy=copy, code=codes[copy.id])
    fresh = [charge for charge in after.values() if charge.id not in before and charge.id not in copies]
    await copy_fixed_charges(tx, fresh, child.id, now=change.now)
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
