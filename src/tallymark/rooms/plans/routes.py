"""The doors to plans and what they charge."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.key_values import check_metadata
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.plans import (
    charges,
    deletion,
    entitlements,
    filters,
    fixed_charges,
    pricing_units,
    service,
)
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.schemas.described import cascading
from tallymark.rooms.plans.schemas.inputs import (
    ChargeCreateRequest,
    ChargeUpdateRequest,
    FilterCreateRequest,
    FilterUpdateRequest,
    FixedChargeCreateRequest,
    FixedChargeUpdateRequest,
    MetadataRequest,
    PlanCreateRequest,
    PlanUpdateRequest,
    PricingUnitCreateRequest,
    PricingUnitUpdateRequest,
)
from tallymark.rooms.plans.schemas.outputs import (
    ChargeFilterOutput,
    ChargeOutput,
    ChargeResponse,
    ChargesResponse,
    FilterResponse,
    FiltersResponse,
    FixedChargeOutput,
    FixedChargeResponse,
    FixedChargesResponse,
    MetadataResponse,
    PlanListOutput,
    PlanOutput,
    PlanResponse,
    PlansResponse,
    PricingUnitOutput,
    PricingUnitResponse,
    PricingUnitsResponse,
)

router = tenant_router("plans", resource="plan")


@router.post("/plans")
async def create_plan(body: PlanCreateRequest, context: InContext) -> PlanResponse:
    """Make a plan with all that it charges."""
    async with context.transaction() as tx:
        plan = await service.create_plan(tx, body.plan.to_value(), now=context.now)
        return await _answer(tx, plan)


@router.get("/plans")
async def list_plans(context: InContext, page: InPage, search_term: str | None = None) -> PlansResponse:
    """List plans, newest first; `search_term` is looked for in names and codes."""
    async with context.transaction() as tx:
        plans, total = await service.list_plans(tx, page, search_term=search_term)
        grants = await entitlements.grants_of(tx, plans)
    shown = [PlanListOutput.of(plan, grants[plan.id]) for plan in plans]
    return PlansResponse(plans=shown, meta=Meta.of(page, total))


@router.post("/pricing_units")
async def create_pricing_unit(body: PricingUnitCreateRequest, context: InContext) -> PricingUnitResponse:
    """Make a pricing unit, a virtual currency that charges may be priced in."""
    async with context.transaction() as tx:
        made = await pricing_units.create_pricing_unit(tx, body.pricing_unit.sent, now=context.now)
    return PricingUnitResponse(pricing_unit=PricingUnitOutput.of(made))


@router.get("/pricing_units")
async def list_pricing_units(context: InContext, page: InPage) -> PricingUnitsResponse:
    """List pricing units, newest first."""
    async with context.transaction() as tx:
        found, total = await pricing_units.list_pricing_units(tx, page)
    shown = [PricingUnitOutput.of(unit) for unit in found]
    return PricingUnitsResponse(pricing_units=shown, meta=Meta.of(page, total))


@router.get("/pricing_units/{code:path}")
async def get_pricing_unit(code: str, context: InContext) -> PricingUnitResponse:
    """Read one pricing unit."""
    async with context.transaction() as tx:
        unit = await pricing_units.get_pricing_unit(tx, code=code)
    return PricingUnitResponse(pricing_unit=PricingUnitOutput.of(unit))


@router.change("/pricing_units/{code:path}")
async def update_pricing_unit(
    code: str, body: PricingUnitUpdateRequest, context: InContext
) -> PricingUnitResponse:
    """Change the names of a pricing unit."""
    async with context.transaction() as tx:
        unit = await pricing_units.update_pricing_unit(tx, code, body.pricing_unit.sent, now=context.now)
    return PricingUnitResponse(pricing_unit=PricingUnitOutput.of(unit))


@router.post("/plans/{code:path}/metadata")
async def replace_metadata(code: str, body: MetadataRequest, context: InContext) -> MetadataResponse:
    """Make a plan's metadata what is sent."""
    async with context.transaction() as tx:
        plan = await service.set_metadata(tx, code, body.notes, now=context.now)
    return MetadataResponse(metadata=None if plan.metadata is None else dict(plan.metadata))


@router.change("/plans/{code:path}/metadata", is_patch_shown=True)
async def merge_metadata(code: str, body: MetadataRequest, context: InContext) -> MetadataResponse:
    """Add to a plan's metadata, or change it."""
    async with context.transaction() as tx:
        known = (await service.get_plan(tx, code=code)).metadata or {}
        merged = check_metadata({**known, **body.notes})
        plan = await service.set_metadata(tx, code, merged, now=context.now)
    return MetadataResponse(metadata=None if plan.metadata is None else dict(plan.metadata))


@router.delete("/plans/{code:path}/metadata/{key}")
async def delete_metadata_key(code: str, key: str, context: InContext) -> MetadataResponse:
    """Remove one key of a plan's metadata."""
    async with context.transaction() as tx:
        known = (await service.get_plan(tx, code=code)).metadata
        if known is None:
            raise NotFound("metadata")
        left = {name: value for name, value in known.items() if name != key}
        plan = await service.set_metadata(tx, code, left, now=context.now)
    return MetadataResponse(metadata=None if plan.metadata is None else dict(plan.metadata))


@router.delete("/plans/{code:path}/metadata")
async def delete_metadata(code: str, context: InContext) -> MetadataResponse:
    """Remove a plan's metadata."""
    async with context.transaction() as tx:
        await service.set_metadata(tx, code, None, now=context.now)
    return MetadataResponse(metadata=None)


@router.post("/plans/{code:path}/charges/{charge_code}/filters")
async def create_filter(
    code: str, charge_code: str, body: FilterCreateRequest, context: InContext
) -> FilterResponse:
    """Add a filter to a charge."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        charge = charges.find_charge(plan, charge_code)
        editing = await service.edit(tx, plan, now=context.now, cascades=bool(body.filter.cascade_updates))
        made = await filters.add_filter(tx, editing, charge, body.filter.to_value())
        charge = charges.find_charge(await service.finish(tx, editing), charge_code)
    return FilterResponse(filter=ChargeFilterOutput.of_charge(filters.find_filter(charge, made), charge_code))


@router.get("/plans/{code:path}/charges/{charge_code}/filters")
async def list_filters(code: str, charge_code: str, context: InContext, page: InPage) -> FiltersResponse:
    """List a charge's filters, in the order in which they are billed."""
    async with context.transaction() as tx:
        charge = charges.find_charge(await service.get_plan(tx, code=code), charge_code)
    shown = charge.filters[page.offset : page.offset + page.size]
    return FiltersResponse(
        filters=[ChargeFilterOutput.of_charge(item, charge_code) for item in shown],
        meta=Meta.of(page, len(charge.filters)),
    )


@router.get("/plans/{code:path}/charges/{charge_code}/filters/{lago_id}")
async def get_filter(code: str, charge_code: str, lago_id: str, context: InContext) -> FilterResponse:
    """Read one filter."""
    async with context.transaction() as tx:
        charge = charges.find_charge(await service.get_plan(tx, code=code), charge_code)
    found = filters.find_filter(charge, read_id(lago_id, "charge_filter"))
    return FilterResponse(filter=ChargeFilterOutput.of_charge(found, charge_code))


@router.change("/plans/{code:path}/charges/{charge_code}/filters/{lago_id}")
async def update_filter(
    code: str, charge_code: str, lago_id: str, body: FilterUpdateRequest, context: InContext
) -> FilterResponse:
    """Change a filter's price or name; its values are what it is."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        charge = charges.find_charge(plan, charge_code)
        known = filters.find_filter(charge, read_id(lago_id, "charge_filter"))
        editing = await service.edit(tx, plan, now=context.now, cascades=bool(body.filter.cascade_updates))
        await filters.update_filter(tx, editing, charge, known, body.filter.to_value().sent)
        charge = charges.find_charge(await service.finish(tx, editing), charge_code)
    return FilterResponse(
        filter=ChargeFilterOutput.of_charge(filters.find_filter(charge, known.id), charge_code)
    )


@router.delete(
    "/plans/{code:path}/charges/{charge_code}/filters/{lago_id}", openapi_extra=cascading("filter")
)
async def delete_filter(
    code: str, charge_code: str, lago_id: str, request: Request, context: InContext
) -> FilterResponse:
    """Delete a filter; its events fall to what else matches."""
    cascades = await read_cascade(request, "filter")
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        charge = charges.find_charge(plan, charge_code)
        known = filters.find_filter(charge, read_id(lago_id, "charge_filter"))
        editing = await service.edit(tx, plan, now=context.now, cascades=cascades)
        await filters.delete_filter(tx, editing, known)
        await service.finish(tx, editing)
    return FilterResponse(filter=ChargeFilterOutput.of_charge(known, charge_code))


@router.post("/plans/{code:path}/charges")
async def create_charge(code: str, body: ChargeCreateRequest, context: InContext) -> ChargeResponse:
    """Add a charge to a plan."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        editing = await service.edit(tx, plan, now=context.now, cascades=bool(body.charge.cascade_updates))
        made = await charges.create_charge(tx, editing, body.charge.to_value())
        plan = await service.finish(tx, editing)
    return ChargeResponse(charge=ChargeOutput.of(next(c for c in plan.charges if c.id == made)))


@router.get("/plans/{code:path}/charges")
async def list_charges(code: str, context: InContext, page: InPage) -> ChargesResponse:
    """List a plan's charges, newest first."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
    newest_first = sorted(sorted(plan.charges, key=lambda c: c.id), key=lambda c: c.created_at, reverse=True)
    shown = newest_first[page.offset : page.offset + page.size]
    return ChargesResponse(
        charges=[ChargeOutput.of(charge) for charge in shown], meta=Meta.of(page, len(newest_first))
    )


@router.get("/plans/{code:path}/charges/{charge_code:path}")
async def get_charge(code: str, charge_code: str, context: InContext) -> ChargeResponse:
    """Read one charge."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
    return ChargeResponse(charge=ChargeOutput.of(charges.find_charge(plan, charge_code)))


@router.change("/plans/{code:path}/charges/{charge_code:path}")
async def update_charge(
    code: str, charge_code: str, body: ChargeUpdateRequest, context: InContext
) -> ChargeResponse:
    """Change what is sent of a charge."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        charge = charges.find_charge(plan, charge_code)
        editing = await service.edit(tx, plan, now=context.now, cascades=bool(body.charge.cascade_updates))
        await charges.change_charge(tx, editing, charge, body.charge.to_value())
        plan = await service.finish(tx, editing)
    changed = next(found for found in plan.charges if found.id == charge.id)
    return ChargeResponse(charge=ChargeOutput.of(changed))


@router.delete("/plans/{code:path}/charges/{charge_code:path}", openapi_extra=cascading("charge"))
async def delete_charge(code: str, charge_code: str, request: Request, context: InContext) -> ChargeResponse:
    """Delete a charge; what it billed stays."""
    cascades = await read_cascade(request, "charge")
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        charge = charges.find_charge(plan, charge_code)
        editing = await service.edit(tx, plan, now=context.now, cascades=cascades)
        await charges.delete_charge(tx, editing, charge)
        await service.finish(tx, editing)
    return ChargeResponse(charge=ChargeOutput.of(charge))


@router.post("/plans/{code:path}/fixed_charges")
async def create_fixed_charge(
    code: str, body: FixedChargeCreateRequest, context: InContext
) -> FixedChargeResponse:
    """Add a fixed charge to a plan."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        cascades = bool(body.fixed_charge.cascade_updates)
        editing = await service.edit(tx, plan, now=context.now, cascades=cascades)
        made = await fixed_charges.create_fixed_charge(tx, editing, body.fixed_charge.to_value())
        plan = await service.finish(tx, editing)
    shown = FixedChargeOutput.of(fixed_charges.find_fixed_charge(plan, made))
    return FixedChargeResponse(fixed_charge=shown)


@router.get("/plans/{code:path}/fixed_charges")
async def list_fixed_charges(code: str, context: InContext, page: InPage) -> FixedChargesResponse:
    """List a plan's fixed charges, newest first."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
    found = sorted(sorted(plan.fixed_charges, key=lambda c: c.id), key=lambda c: c.created_at, reverse=True)
    shown = [FixedChargeOutput.of(item) for item in found[page.offset : page.offset + page.size]]
    return FixedChargesResponse(fixed_charges=shown, meta=Meta.of(page, len(found)))


@router.get("/plans/{code:path}/fixed_charges/{fixed_charge_code:path}")
async def get_fixed_charge(code: str, fixed_charge_code: str, context: InContext) -> FixedChargeResponse:
    """Read one fixed charge."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
    found = fixed_charges.find_fixed_charge(plan, fixed_charge_code)
    return FixedChargeResponse(fixed_charge=FixedChargeOutput.of(found))


@router.change("/plans/{code:path}/fixed_charges/{fixed_charge_code:path}")
async def update_fixed_charge(
    code: str, fixed_charge_code: str, body: FixedChargeUpdateRequest, context: InContext
) -> FixedChargeResponse:
    """Change what is sent of a fixed charge."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        known = fixed_charges.find_fixed_charge(plan, fixed_charge_code)
        cascades = bool(body.fixed_charge.cascade_updates)
        editing = await service.edit(tx, plan, now=context.now, cascades=cascades)
        await fixed_charges.update_fixed_charge(tx, editing, known, body.fixed_charge.to_value())
        plan = await service.finish(tx, editing)
    changed = next(found for found in plan.fixed_charges if found.id == known.id)
    return FixedChargeResponse(fixed_charge=FixedChargeOutput.of(changed))


@router.delete(
    "/plans/{code:path}/fixed_charges/{fixed_charge_code:path}", openapi_extra=cascading("fixed_charge")
)
async def delete_fixed_charge(
    code: str, fixed_charge_code: str, request: Request, context: InContext
) -> FixedChargeResponse:
    """Delete a fixed charge; what it billed stays."""
    cascades = await read_cascade(request, "fixed_charge")
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        known = fixed_charges.find_fixed_charge(plan, fixed_charge_code)
        editing = await service.edit(tx, plan, now=context.now, cascades=cascades)
        await fixed_charges.delete_fixed_charge(tx, editing, known)
        await service.finish(tx, editing)
    return FixedChargeResponse(fixed_charge=FixedChargeOutput.of(known))


@router.get("/plans/{code:path}")
async def get_plan(code: str, context: InContext) -> PlanResponse:
    """Read one plan."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.get_plan(tx, code=code))


@router.change("/plans/{code:path}")
async def update_plan(code: str, body: PlanUpdateRequest, context: InContext) -> PlanResponse:
    """Change what is sent; `charges` and `fixed_charges` are the full lists of them."""
    async with context.transaction() as tx:
        plan = await service.update_plan(tx, code, body.plan.to_value(), now=context.now)
        return await _answer(tx, plan)


@router.delete("/plans/{code:path}")
async def delete_plan(code: str, context: InContext) -> PlanResponse:
    """Delete a plan; the subscriptions on it end, and their drafts are issued."""
    async with context.transaction() as tx:
        grants = await entitlements.list_grants(tx, code)
        plan = await deletion.delete_plan(tx, code, now=context.now)
    return PlanResponse(plan=PlanOutput.of(plan, grants))


async def _answer(tx: Tx, plan: Plan) -> PlanResponse:
    return PlanResponse(plan=PlanOutput.of(plan, (await entitlements.grants_of(tx, [plan]))[plan.id]))


async def read_cascade(request: Request, root: str) -> bool:
    """Whether a deletion asks to reach child plans: its body is optional."""
    body: Any = await request.json()
    asked = body.get(root) if isinstance(body, dict) else None
    return bool(asked.get("cascade_updates")) if isinstance(asked, dict) else False
