"""The charges of one subscription: a write to one makes the subscription's own plan on first use (pricing §12.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.plans import charges, children, filters, fixed_charges
from tallymark.rooms.plans.checks import same_values
from tallymark.rooms.plans.inputs import (
    ChargeInput,
    Editing,
    FilterInput,
    FixedChargeInput,
    PlanInput,
)
from tallymark.rooms.plans.model import Charge, ChargeFilter
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.subscriptions.service import overrides
from tallymark.rooms.subscriptions.service.overrides import Overrides
from tallymark.rooms.subscriptions.service.read import find_newest, get_contracts
from tallymark.rooms.subscriptions.service.traces import traced


async def find_contract(tx: Tx, *, external_id: str, status: str) -> Contract:
    """The newest subscription of an external id and status, locked with its customer. Raises `NotFound("subscription")`."""
    found = await find_newest(tx, external_id=external_id, status=status)
    if found is None:
        raise NotFound("subscription")
    await tx.lock("customer", found.customer_id)
    return (await get_contracts(tx, [found]))[found.id]


def refuse_incomplete(contract: Contract) -> None:
    """Its first invoice is made and waits for its payment: what that is for stays what it was (pricing §13.3)."""
    if contract.subscription.status is Status.INCOMPLETE:
        raise Invalid({"base": ["subscription_incomplete"]})


async def change_charge(
    tx: Tx, contract: Contract, code: str, item: ChargeInput, *, now: datetime
) -> Contract:
    """Change a charge for this subscription alone. Raises `Invalid` and `NotFound("charge")`."""
    refuse_incomplete(contract)
    charge = charges.find_charge(contract.plan, code)
    async with traced(tx, contract.subscription, now=now):
        if contract.plan.parent_id is None:
            asked = PlanInput(charges=[replace(item, id=charge.id)])
            return await overrides.give_child(tx, contract, asked, now=now)
        await charges.change_charge(
            tx, Editing(plan=contract.plan, now=now), charge, children.only_prices(item, charge)
        )
    return await _again(tx, contract)


async def change_fixed_charge(
    tx: Tx, contract: Contract, code: str, item: FixedChargeInput, *, is_units_only: bool, now: datetime
) -> Contract:
    """Change a fixed charge for this subscription alone; units alone make no plan of its own (§13.3)."""
    refuse_incomplete(contract)
    charge = fixed_charges.find_fixed_charge(contract.plan, code)
    asked = PlanInput(fixed_charges=[replace(item, id=charge.id)])
    async with traced(tx, contract.subscription, now=now):
        await overrides.change(tx, contract, Overrides(asked=asked, is_units_only=is_units_only), now=now)
    return await _again(tx, contract)


async def add_filter(
    tx: Tx, contract: Contract, code: str, item: FilterInput, *, now: datetime
) -> tuple[Contract, UUID]:
    """Add a filter to a charge of this subscription. Raises `Invalid` where one has the same values."""
    refuse_incomplete(contract)
    filters.refuse_duplicate(charges.find_charge(contract.plan, code), item)
    async with traced(tx, contract.subscription, now=now):
        own = await _own(tx, contract, now=now)
        charge = charges.find_charge(own.plan, code)
        made = await filters.add_filter(tx, Editing(plan=own.plan, now=now), charge, item)
    return await _again(tx, own), made


async def change_filter(
    tx: Tx, contract: Contract, code: str, filter_id: UUID, item: FilterInput, *, now: datetime
) -> tuple[Contract, UUID]:
    """Change a filter of a charge for this subscription; it is known by its values there, and made if missing."""
    refuse_incomplete(contract)
    values = filters.find_filter(charges.find_charge(contract.plan, code), filter_id).values
    async with traced(tx, contract.subscription, now=now):
        own = await _own(tx, contract, now=now)
        charge, editing = charges.find_charge(own.plan, code), Editing(plan=own.plan, now=now)
        known = _same(charge, values)
        if known is None:
            changed = await filters.add_filter(tx, editing, charge, replace(item, values=values))
        else:
            changed = known.id
            await filters.update_filter(tx, editing, charge, known, item.sent)
    return await _again(tx, own), changed


async def delete_filter(
    tx: Tx, contract: Contract, code: str, filter_id: UUID, *, now: datetime
) -> ChargeFilter:
    """Delete a filter of a charge for this subscription alone. Raises `NotFound("charge_filter")`."""
    refuse_incomplete(contract)
    known = filters.find_filter(charges.find_charge(contract.plan, code), filter_id)
    async with traced(tx, contract.subscription, now=now):
        own = await _own(tx, contract, now=now)
        copied = _same(charges.find_charge(own.plan, code), known.values)
        if copied is not None:
            await filters.delete_filter(tx, Editing(plan=own.plan, now=now), copied)
    return known


def _same(charge: Charge, values: Mapping[str, tuple[str, ...]]) -> ChargeFilter | None:
    wanted = same_values(values)
    return next((item for item in charge.filters if same_values(item.values) == wanted), None)


async def _own(tx: Tx, contract: Contract, *, now: datetime) -> Contract:
    """The subscription on a plan of its own."""
    if contract.plan.parent_id is not None:
        return contract
    return await overrides.give_child(tx, contract, PlanInput(), now=now)


async def _again(tx: Tx, contract: Contract) -> Contract:
    """The contract as it stands after a change: the subscription may be on another plan."""
    found = await repository.get_subscriptions(tx, [contract.subscription.id])
    return (await get_contracts(tx, found))[contract.subscription.id]
