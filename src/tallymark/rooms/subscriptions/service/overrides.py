"""Prices of a subscription's own: a child plan, or units alone (subscriptions §2.7, pricing §12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound, Problems
from tallymark.rooms.plans import children, fixed_charges
from tallymark.rooms.plans.inputs import FixedChargeInput, PlanInput
from tallymark.rooms.plans.model import FixedCharge, Plan
from tallymark.rooms.plans.waiting import review_waiting
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, OwnUnits, Subscription
from tallymark.rooms.subscriptions.service import fixed_units
from tallymark.rooms.subscriptions.service.agenda import note_other_trial
from tallymark.rooms.subscriptions.service.read import get_contracts


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a subscription asks to have of its own; `is_units_only` where that is units of fixed charges and no more."""

    asked: PlanInput
    is_units_only: bool = False


async def plan_for(
    tx: Tx, plan: Plan, overrides: Overrides | None, *, now: datetime, with_units: bool = False
) -> Plan:
    """The plan that a subscription is put on: the one asked for, or a child of it. Raises what `make_child` does.

    Units alone make no child, unless `with_units` asks for one.
    """
    if overrides is None or (overrides.is_units_only and not with_units):
        return plan
    return await children.make_child(tx, plan, overrides.asked, now=now)


async def keep_units(
    tx: Tx, subscription: Subscription, plan: Plan, overrides: Overrides | None, *, now: datetime
) -> None:
    """Note the units that a subscription has instead of its plan's. Raises `Invalid` and `NotFound("fixed_charge")`."""
    if overrides is None or not overrides.is_units_only:
        return
    for item in overrides.asked.fixed_charges or ():
        charge = _fixed_charge(plan.fixed_charges, item)
        units: Decimal | None = item.values.get("units")
        if units is None:
            continue
        problems = Problems()
        fixed_charges.check_units(units, charge.price, problems)
        problems.raise_any()
        own = OwnUnits(units=units, apply_immediately=item.applies_units_immediately)
        await fixed_units.keep_own_units(tx, subscription.id, charge.id, own, now=now)


async def change(tx: Tx, contract: Contract, overrides: Overrides, *, now: datetime) -> Subscription:
    """Change what a subscription has of its own; the first change of a price makes it a child plan (§2.8).

    Raises `Invalid`, `NotFound("charge")` and `NotFound("fixed_charge")`; nothing is kept then.
    """
    subscription = contract.subscription
    if contract.plan.parent_id is not None:
        await children.update_child(tx, contract.plan, overrides.asked, now=now)
        await fixed_units.note_change(tx, contract, now=now)
        return subscription
    if overrides.is_units_only:
        await keep_units(tx, subscription, contract.plan, overrides, now=now)
        await fixed_units.note_change(tx, contract, now=now)
        return subscription
    return (await give_child(tx, contract, overrides.asked, now=now)).subscription


async def give_child(tx: Tx, contract: Contract, asked: PlanInput, *, now: datetime) -> Contract:
    """Put a subscription on a child plan with what is asked; units of its own move into it (pricing §13.3)."""
    subscription = contract.subscription
    own = await fixed_units.own_units(tx, subscription.id)
    child = await children.make_child(tx, contract.plan, _with_own_units(asked, own), now=now)
    await fixed_units.drop_own_units(tx, subscription.id)
    await fixed_units.move_units(tx, subscription.id, child.fixed_charges)
    moved = await repository.update_subscription(
        tx, subscription.id, {"plan_id": child.id, "updated_at": now}
    )
    if child.amount_cents != contract.plan.amount_cents:
        await review_waiting(tx, child, child.amount_cents, now=now)
    changed = (await get_contracts(tx, [moved]))[moved.id]
    if changed.trial_end != contract.trial_end:
        await note_other_trial(tx, changed, now=now)
    await fixed_units.note_change(tx, changed, now=now)
    return changed


def _with_own_units(asked: PlanInput, own: dict[UUID, OwnUnits]) -> PlanInput:
    """The overrides, with the units that the subscription has already where they name none."""
    items = asked.fixed_charges or ()
    named = [_keeping_units(item, own.get(item.id)) if item.id else item for item in items]
    others = own.keys() - {item.id for item in items}
    kept = [_keeping_units(FixedChargeInput(id=charge_id), own[charge_id]) for charge_id in sorted(others)]
    return replace(asked, fixed_charges=[*kept, *named])


def _keeping_units(item: FixedChargeInput, own: OwnUnits | None) -> FixedChargeInput:
    if own is None or item.values.get("units") is not None:
        return item
    values = {**item.values, "units": own.units}
    return replace(item, values=values, applies_units_immediately=own.apply_immediately)


def _fixed_charge(charges: Sequence[FixedCharge], item: FixedChargeInput) -> FixedCharge:
    for charge in charges:
        if charge.id == item.id:
            return charge
    raise NotFound("fixed_charge")
