"""The doors to coupons."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.permissions import guarded_by, permitted
from tallymark.api.queries import reads
from tallymark.api.routing import member_router, tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.rooms.coupons import service
from tallymark.rooms.coupons.model import NO_TARGETS, Coupon, Filters, Status
from tallymark.rooms.coupons.schemas import (
    AppliedCouponOutput,
    AppliedCouponRequest,
    AppliedCouponResponse,
    AppliedCouponsResponse,
    CouponCreateRequest,
    CouponOutput,
    CouponResponse,
    CouponsResponse,
    CouponUpdateRequest,
    ListedAppliedCouponOutput,
)
from tallymark.rooms.customers import service as customers

router = tenant_router("coupons", resource="coupon")
app_router = member_router("app: coupons")


@router.post("/coupons")
async def create_coupon(body: CouponCreateRequest, context: InContext) -> CouponResponse:
    """Offer a coupon."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.create_coupon(tx, body.coupon.to_value(), now=context.now))


@router.get("/coupons")
async def list_coupons(context: InContext, page: InPage, search_term: str | None = None) -> CouponsResponse:
    """List coupons, those on offer first; `search_term` is looked for in names and codes."""
    async with context.transaction() as tx:
        found, total = await service.list_coupons(tx, page, search_term=search_term)
        targets = await service.targets_of(tx, found)
    return CouponsResponse(
        coupons=[CouponOutput.of(coupon, targets.get(coupon.id, NO_TARGETS)) for coupon in found],
        meta=Meta.of(page, total),
    )


@router.get("/coupons/{code:path}")
async def get_coupon(code: str, context: InContext) -> CouponResponse:
    """Read one coupon."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.get_coupon(tx, code=code))


@router.change("/coupons/{code:path}")
async def update_coupon(code: str, body: CouponUpdateRequest, context: InContext) -> CouponResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        changed = await service.update_coupon(tx, code, body.coupon.to_value(), now=context.now)
        return await _answer(tx, changed)


@router.delete("/coupons/{code:path}")
async def delete_coupon(code: str, context: InContext) -> CouponResponse:
    """Withdraw a coupon, from those who have it too."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.delete_coupon(tx, code, now=context.now))


@app_router.post("/coupons/{code:path}/terminate")
@permitted("coupons:update")
async def terminate_coupon(code: str, context: InContext) -> CouponResponse:
    """End a coupon before its time: nobody gets it any more, whoever has it keeps it."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.terminate_coupon(tx, code, now=context.now))


@router.post("/applied_coupons")
@guarded_by("applied_coupon")
async def apply_coupon(body: AppliedCouponRequest, context: InContext) -> AppliedCouponResponse:
    """Give a coupon to a customer."""
    asked = body.applied_coupon
    async with context.transaction() as tx:
        view = await service.apply(
            tx,
            external_customer_id=asked.external_customer_id,
            coupon_code=asked.coupon_code,
            terms=asked.to_terms(),
            now=context.now,
        )
    return AppliedCouponResponse(applied_coupon=AppliedCouponOutput.of(view))


FILTERS = reads("external_customer_id", "status", "coupon_code[]")


@router.get("/applied_coupons", openapi_extra=FILTERS)
@guarded_by("applied_coupon")
async def list_applied_coupons(request: Request, context: InContext, page: InPage) -> AppliedCouponsResponse:
    """List what was given to customers, newest first."""
    filters = _read_filters(request)
    async with context.transaction() as tx:
        return await _list(tx, filters, page)


@router.get("/customers/{external_id}/applied_coupons", openapi_extra=FILTERS)
@guarded_by("applied_coupon")
async def list_customer_applied_coupons(
    external_id: str, request: Request, context: InContext, page: InPage
) -> AppliedCouponsResponse:
    """List what was given to one customer, newest first."""
    filters = _read_filters(request, external_customer_id=external_id)
    async with context.transaction() as tx:
        await customers.get_customer(tx, external_id=external_id)
        return await _list(tx, filters, page)


@router.delete("/customers/{external_id}/applied_coupons/{lago_id}")
@guarded_by("applied_coupon")
async def detach_coupon(external_id: str, lago_id: str, context: InContext) -> AppliedCouponResponse:
    """Take a coupon from a customer."""
    applied_id = read_id(lago_id, "applied_coupon")
    async with context.transaction() as tx:
        view = await service.detach(
            tx, external_customer_id=external_id, applied_id=applied_id, now=context.now
        )
    return AppliedCouponResponse(applied_coupon=AppliedCouponOutput.of(view))


async def _answer(tx: Tx, coupon: Coupon) -> CouponResponse:
    targets = (await service.targets_of(tx, [coupon])).get(coupon.id, NO_TARGETS)
    return CouponResponse(coupon=CouponOutput.of(coupon, targets))


async def _list(tx: Tx, filters: Filters, page: Page) -> AppliedCouponsResponse:
    found, total = await service.list_applied(tx, filters, page)
    credits = await service.credits_of(tx, found)
    owners = await customers.get_customers(tx, {view.applied.customer_id for view in found})
    shown = [
        ListedAppliedCouponOutput.of_listed(
            view, owners[view.applied.customer_id], credits.get(view.applied.id, [])
        )
        for view in found
    ]
    return AppliedCouponsResponse(applied_coupons=shown, meta=Meta.of(page, total))


def _read_filters(request: Request, *, external_customer_id: str | None = None) -> Filters:
    query = request.query_params
    status = query.get("status") or None
    if status is not None and status not in set(Status):
        raise Invalid({"status": ["value_is_invalid"]})
    return Filters(
        external_customer_id=external_customer_id or query.get("external_customer_id"),
        status=Status(status) if status else None,
        coupon_codes=tuple(query.getlist("coupon_code[]") or query.getlist("coupon_code")),
    )
