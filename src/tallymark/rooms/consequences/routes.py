"""The doors to consequences: GETs for the dialogs that ask whether to go on."""

from __future__ import annotations

from tallymark.api.context import Context, InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import read_id
from tallymark.rooms.consequences import service
from tallymark.rooms.consequences.model import Used
from tallymark.rooms.consequences.schemas import (
    AddOnDeletionOutput,
    ConsequencesResponse,
    CouponDeletionOutput,
    MetricDeletionOutput,
    PlanDeletionOutput,
    TaxDeletionOutput,
    TerminationOutput,
    UseOutput,
    UsesRequest,
    UsesResponse,
    VoidOutput,
)

router = member_router("app: consequences")


@router.get("/consequences/billable_metrics/{code:path}")
@permitted("billable_metrics:delete")
async def of_metric_deletion(code: str, context: InContext) -> ConsequencesResponse[MetricDeletionOutput]:
    """Tell what deleting a billable metric takes along."""
    async with context.transaction() as tx:
        found = await service.of_metric_deletion(tx, code)
    return ConsequencesResponse(consequences=MetricDeletionOutput.model_validate(found))


@router.get("/consequences/plans/{code:path}")
@permitted("plans:delete")
async def of_plan_deletion(code: str, context: InContext) -> ConsequencesResponse[PlanDeletionOutput]:
    """Tell which subscriptions deleting a plan ends."""
    async with context.transaction() as tx:
        found = await service.of_plan_deletion(tx, code)
    return ConsequencesResponse(consequences=PlanDeletionOutput.model_validate(found))


@router.get("/consequences/taxes/{code:path}")
@permitted("organization:taxes:update")
async def of_tax_deletion(code: str, context: InContext) -> ConsequencesResponse[TaxDeletionOutput]:
    """Tell what carries a tax."""
    async with context.transaction() as tx:
        found = await service.of_tax_deletion(tx, code)
    return ConsequencesResponse(consequences=TaxDeletionOutput.model_validate(found))


@router.get("/consequences/add_ons/{code:path}")
@permitted("addons:delete")
async def of_add_on_deletion(code: str, context: InContext) -> ConsequencesResponse[AddOnDeletionOutput]:
    """Tell which fixed charges go with an add-on."""
    async with context.transaction() as tx:
        found = await service.of_add_on_deletion(tx, code)
    return ConsequencesResponse(consequences=AddOnDeletionOutput.model_validate(found))


@router.get("/consequences/coupons/{code:path}")
@permitted("coupons:delete")
async def of_coupon_deletion(code: str, context: InContext) -> ConsequencesResponse[CouponDeletionOutput]:
    """Tell how many customers lose a coupon."""
    async with context.transaction() as tx:
        found = await service.of_coupon_deletion(tx, code)
    return ConsequencesResponse(consequences=CouponDeletionOutput.model_validate(found))


@router.get("/consequences/terminations/{external_id:path}")
@permitted("subscriptions:update")
async def of_termination(external_id: str, context: InContext) -> ConsequencesResponse[TerminationOutput]:
    """Tell how an active subscription would end now: its last invoice and credit notes, by each way of giving back."""
    async with context.transaction() as tx:
        found = await service.of_termination(tx, external_id, now=context.now)
    return ConsequencesResponse(consequences=TerminationOutput.of(found))


@router.get("/consequences/voids/{lago_id}")
@permitted("invoices:void")
async def of_void(lago_id: str, context: InContext) -> ConsequencesResponse[VoidOutput]:
    """Tell what voiding an invoice gives back, and how much a credit note could give instead."""
    async with context.transaction() as tx:
        found = await service.of_void(tx, read_id(lago_id, "invoice"), now=context.now)
    return ConsequencesResponse(consequences=VoidOutput.of(found))


@router.post("/uses/plans")
@permitted("subscriptions:view")
async def uses_of_plans(body: UsesRequest, context: InContext) -> UsesResponse:
    """Tell how many subscriptions run on each of some plans, those with prices of their own included."""
    return await _uses(Used.PLAN, body, context)


@router.post("/uses/features")
@permitted("subscriptions:view")
async def uses_of_features(body: UsesRequest, context: InContext) -> UsesResponse:
    """Tell how many subscriptions run that are entitled to each of some features."""
    return await _uses(Used.FEATURE, body, context)


@router.post("/uses/add_ons")
@permitted("subscriptions:view")
async def uses_of_add_ons(body: UsesRequest, context: InContext) -> UsesResponse:
    """Tell how many customers have each of some add-ons: by a subscription that runs with it, or on a one-off invoice."""
    return await _uses(Used.ADD_ON, body, context)


@router.post("/uses/coupons")
@permitted("coupons:view")
async def uses_of_coupons(body: UsesRequest, context: InContext) -> UsesResponse:
    """Tell how many customers have each of some coupons that is not used up."""
    return await _uses(Used.COUPON, body, context)


async def _uses(kind: Used, body: UsesRequest, context: Context) -> UsesResponse:
    async with context.transaction() as tx:
        found = await service.uses_of(tx, kind, body.codes)
    return UsesResponse(uses=[UseOutput(code=code, count=count) for code, count in found.items()])
