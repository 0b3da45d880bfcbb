"""How many units of each fixed charge a subscription has, and since when (pricing §13.2, §13.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.fixed_charge import UnitEvent
from tallymark.domain.money import fixed
from tallymark.domain.periods import local_date, start_of_day
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.plans.model import FixedCharge
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, OwnUnits

AFTER_START = timedelta(seconds=1)
"""How long after its start a subscription's units are noted, and fixed charges in advance are billed (§5.1, row 2)."""


async def note_first_units(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note the units with which a subscription starts."""
    if not contract.plan.fixed_charges:
        return
    first = await first_units(tx, contract)
    rows = [
        _row(tx, contract, charge, units, contract.life.started_at + AFTER_START, now)
        for charge, units in first
    ]
    await repository.insert_unit_events(tx, rows)


async def first_units(tx: Tx, contract: Contract) -> list[tuple[FixedCharge, Decimal]]:
    """The units with which a subscription starts, a charge each; in force `AFTER_START`."""
    own = await repository.own_units_of(tx, [contract.subscription.id])
    return [(charge, _units(contract, charge, own)[0]) for charge in contract.plan.fixed_charges]


async def note_changed_units(tx: Tx, contract: Contract, *, at: datetime, now: datetime) -> list[FixedCharge]:
    """Note the units that have changed since they were last noted; return the charges whose change counts at once.

    Units of the plan count for subscriptions without units of their own. A change that waits counts from the first
    instant of the next period on.
    """
    charges = contract.plan.fixed_charges
    own = await repository.own_units_of(tx, [contract.subscription.id])
    noted = await repository.unit_events_of(tx, [contract.subscription.id])
    rows, immediate = [], []
    for charge in charges:
        units, is_immediate = _units(contract, charge, own)
        events = noted.get((contract.subscription.id, charge.id), [])
        if not _differs(events, units, at=at, is_immediate=is_immediate):
            continue
        effective_at = at if is_immediate else _next_period(contract, at)
        rows.append(_row(tx, contract, charge, units, effective_at, now))
        if is_immediate:
            immediate.append(charge)
    await repository.insert_unit_events(tx, rows)
    return immediate


async def keep_own_units(
    tx: Tx, subscription_id: UUID, fixed_charge_id: UUID, own: OwnUnits, *, now: datetime
) -> None:
    """Give a subscription units of its own, which shield it from the plan's (§13.3)."""
    await repository.upsert_own_units(
        tx,
        {
            "organization_id": tx.organization_id,
            "subscription_id": subscription_id,
            "fixed_charge_id": fixed_charge_id,
            "units": own.units,
            "apply_units_immediately": own.apply_immediately,
            "created_at": now,
            "updated_at": now,
        },
    )


async def move_units(tx: Tx, subscription_id: UUID, charges: Collection[FixedCharge]) -> None:
    """Carry what is noted for a plan's fixed charges over to their copies in a plan of the subscription's own."""
    noted = await repository.unit_events_of(tx, [subscription_id])
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "subscription_id": subscription_id,
            "fixed_charge_id": charge.id,
            "units": fixed(event.units, 10),
            "effective_at": event.effective_at,
            "created_at": event.created_at,
        }
        for charge in charges
        if charge.parent_id is not None
        for event in noted.get((subscription_id, charge.parent_id), ())
    ]
    await repository.insert_unit_events(tx, rows)


async def note_change(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Have the units of a subscription that has begun looked at again: its own have changed, or its plan has."""
    if contract.subscription.started_at is None:
        return
    await agenda.leave(
        tx,
        Item(
            kind=Kind.FIXED_UNITS,
            subject_id=contract.subscription.id,
            owner_id=contract.customer.id,
            due_at=now,
        ),
    )


async def own_units(tx: Tx, subscription_id: UUID) -> dict[UUID, OwnUnits]:
    """A subscription's own units by fixed charge."""
    found = await repository.own_units_of(tx, [subscription_id])
    return {fixed_charge_id: units for (_, fixed_charge_id), units in found.items()}


async def drop_own_units(tx: Tx, subscription_id: UUID) -> None:
    """Forget a subscription's own units: they have moved into a plan of its own."""
    await repository.delete_own_units(tx, subscription_id)


async def unit_events_of(
    tx: Tx, subscription_ids: Collection[UUID]
) -> dict[repository.UnitsKey, list[UnitEvent]]:
    """The units of subscriptions' fixed charges over time, in the order of creation."""
    return await repository.unit_events_of(tx, subscription_ids)


def _units(
    contract: Contract, charge: FixedCharge, own: dict[repository.UnitsKey, OwnUnits]
) -> tuple[Decimal, bool]:
    """The units in force, and whether their last change counts at once."""
    of_its_own = own.get((contract.subscription.id, charge.id))
    if of_its_own is not None:
        return of_its_own.units, of_its_own.apply_immediately
    return charge.units, charge.apply_units_immediately


def _differs(events: Sequence[UnitEvent], units: Decimal, *, at: datetime, is_immediate: bool) -> bool:
    if not events or events[-1].units != Fraction(units):
        return True
    return is_immediate and events[-1].effective_at > at


def _next_period(contract: Contract, at: datetime) -> datetime:
    schedule = contract.schedule
    cycle = schedule.cycle(schedule.fixed_charges_interval)
    today = local_date(at, contract.timezone)
    return start_of_day(cycle.next_start(cycle.period_start(today)), contract.timezone)


def _row(
    tx: Tx,
    contract: Contract,
    charge: FixedCharge,
    units: Decimal,
    effective_at: datetime,
    now: datetime,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "subscription_id": contract.subscription.id,
        "fixed_charge_id": charge.id,
        "units": units,
        "effective_at": effective_at,
        "created_at": now,
    }
