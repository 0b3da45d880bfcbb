"""The doors to plans and their charges."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.rooms.plans import charges, service
from tallymark.rooms.plans.schemas import (
    ChargeCreateRequest,
    ChargeOutput,
    ChargeResponse,
    ChargesResponse,
    ChargeUpdateRequest,
    PlanCreateRequest,
    PlanListOutput,
    PlanOutput,
    PlanResponse,
    PlansResponse,
    PlanUpdateRequest,
)

router = tenant_router("plans")


@router.post("/plans")
async def create_plan(body: PlanCreateRequest, context: InContext) -> PlanResponse:
    """Make a plan with its charges."""
    asked = body.plan
    async with context.transaction() as tx:
        plan = await service.create_plan(
            tx,
            asked.to_values(),
            charge_inputs=[charge.to_value() for charge in asked.charges or ()],
            tax_codes=asked.tax_codes or (),
            now=context.now,
        )
    return PlanResponse(plan=PlanOutput.of(plan))


@router.get("/plans")
async def list_plans(context: InContext, page: InPage) -> PlansResponse:
    """List plans, newest first."""
    async with context.transaction() as tx:
        plans, total = await service.list_plans(tx, page)
    return PlansResponse(plans=[PlanListOutput.of(plan) for plan in plans], meta=Meta.of(page, total))


@router.post("/plans/{code:path}/charges")
async def create_charge(code: str, body: ChargeCreateRequest, context: InContext) -> ChargeResponse:
    """Add a charge to a plan."""
    item = body.charge.to_value()
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        await charges.create_charge(tx, plan, item, now=context.now)
        made = charges.find_charge(await service.get_plan(tx, code=code), str(item.values["code"]))
    return ChargeResponse(charge=ChargeOutput.of(made))


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
        is_attached = await service.is_attached(tx, plan.id)
        await charges.update_charge(
            tx, charge, body.charge.to_value(), is_attached=is_attached, now=context.now
        )
        plan = await service.get_plan(tx, code=code)
    changed = next(found for found in plan.charges if found.id == charge.id)
    return ChargeResponse(charge=ChargeOutput.of(changed))


@router.delete("/plans/{code:path}/charges/{charge_code:path}")
async def delete_charge(code: str, charge_code: str, context: InContext) -> ChargeResponse:
    """Delete a charge; what it billed stays."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
        charge = charges.find_charge(plan, charge_code)
        await charges.delete_charge(tx, charge, now=context.now)
    return ChargeResponse(charge=ChargeOutput.of(charge))


@router.get("/plans/{code:path}")
async def get_plan(code: str, context: InContext) -> PlanResponse:
    """Read one plan."""
    async with context.transaction() as tx:
        plan = await service.get_plan(tx, code=code)
    return PlanResponse(plan=PlanOutput.of(plan))


@router.change("/plans/{code:path}")
async def update_plan(code: str, body: PlanUpdateRequest, context: InContext) -> PlanResponse:
    """Change what is sent; `charges` is the full list of them."""
    asked = body.plan
    async with context.transaction() as tx:
        plan = await service.update_plan(
            tx,
            code,
            asked.to_values(),
            charge_inputs=None if asked.charges is None else [charge.to_value() for charge in asked.charges],
            tax_codes=asked.tax_codes,
            now=context.now,
        )
    return PlanResponse(plan=PlanOutput.of(plan))


@router.delete("/plans/{code:path}")
async def delete_plan(code: str, context: InContext) -> PlanResponse:
    """Delete a plan that nobody is on."""
    async with context.transaction() as tx:
        plan = await service.delete_plan(tx, code, now=context.now)
    return PlanResponse(plan=PlanOutput.of(plan))
