"""What can be done with pricing units, the virtual currencies that charges may be priced in (pricing §11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.activity import changes
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.plans.model import PricingUnit
from tallymark.rooms.plans.repository import PlanRow
from tallymark.rooms.plans.repository import charges as repository


async def create_pricing_unit(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> PricingUnit:
    """Make a pricing unit. Raises `Invalid` for a code that is taken."""
    await tx.lock("pricing-unit-code", tx.organization_id)
    if await find_pricing_units(tx, [values["code"]]):
        raise Invalid({"code": ["value_already_exist"]})
    stamps = {"created_at": now, "updated_at": now}
    await repository.insert_pricing_unit(
        tx, {"id": new_id(), "organization_id": tx.organization_id, **values, **stamps}
    )
    made = await get_pricing_unit(tx, code=values["code"])
    await log_alone(tx, "pricing_unit.created", made.id, now=now)
    return made


async def get_pricing_unit(tx: Tx, *, code: str) -> PricingUnit:
    """A pricing unit by code. Raises `NotFound("pricing_unit")`."""
    found = await find_pricing_units(tx, [code])
    if code not in found:
        raise NotFound("pricing_unit")
    return found[code]


async def update_pricing_unit(tx: Tx, code: str, values: Mapping[str, Any], *, now: datetime) -> PricingUnit:
    """Change the names of a unit; its code is what charges know it by. Raises `NotFound` and `Invalid`."""
    unit = await get_pricing_unit(tx, code=code)
    if values.get("code", code) != code:
        raise Invalid({"code": ["modification_not_allowed"]})
    await repository.update_pricing_unit(tx, unit.id, {**values, "updated_at": now})
    changed = await get_pricing_unit(tx, code=code)
    await log_alone(tx, "pricing_unit.updated", unit.id, now=now, changed=changes(unit, changed))
    return changed


async def list_pricing_units(tx: Tx, page: Page) -> tuple[list[PricingUnit], int]:
    """A page of units, newest first, and how many there are."""
    rows, total = await repository.list_pricing_units(tx, page)
    return [as_value(row) for row in rows], total


async def find_pricing_units(tx: Tx, codes: Collection[str]) -> dict[str, PricingUnit]:
    """Units by code; unknown codes are left out."""
    found = await repository.find_pricing_units(tx, codes) if codes else []
    return {row.code: as_value(row) for row in found}


async def get_pricing_units(tx: Tx, ids: Collection[UUID]) -> dict[UUID, PricingUnit]:
    """Units by id."""
    found = await repository.pricing_units_of(tx, ids) if ids else []
    return {row.id: as_value(row) for row in found}


def as_value(row: PlanRow) -> PricingUnit:
    """The unit of a row."""
    return PricingUnit(
        id=row.id,
        code=row.code,
        name=row.name,
        short_name=row.short_name,
        description=row.description,
        created_at=row.created_at,
    )
