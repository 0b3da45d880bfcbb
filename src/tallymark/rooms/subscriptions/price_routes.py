"""The doors to the prices of one subscription (pricing §12.2, subscriptions §2.11)."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.rooms.plans import charges, filters, fixed_charges
from tallymark.rooms.plans.schemas.inputs import (
    ChargeUpdateRequest,
    FilterCreateRequest,
    FilterUpdateRequest,
    FixedChargeUpdateRequest,
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
)
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.subscriptions.service import fixed_units, prices

router = tenant_router("subscriptions", resource="subscription")
STATUS = reads("subscription_status")
UNITS_ONLY = {"units", "apply_units_immediately", "cascade_updates"}


async def find_contract(tx: Tx, external_id: str, request: Request) -> Contract:
    """The subscription that a path and its query name (subscriptions §2.11). Raises `NotFound("subscription")`."""
    query = request.query_params
    status = query.get("subscription_status") or query.get("status") or Status.ACTIVE
    return await prices.find_contract(tx, external_id=external_id, status=status)


@router.get("/subscriptions/{external_id}/charges", openapi_extra=STATUS)
async def list_subscription_charges(
    external_id: str, request: Request, context: InContext, page: InPage
) -> ChargesResponse:
    """List the charges of a subscription, newest first."""
    async with context.transaction() as tx:
        plan = (await find_contract(tx, external_id, request)).plan
    newest_first = sorted(sorted(plan.charges, key=lambda c: c.id), key=lambda c: c.created_at, reverse=True)
    shown = newest_first[page.offset : page.offset + page.size]
    meta = Meta.of(page, len(newest_first))
    return ChargesResponse(charges=[ChargeOutput.of(charge) for charge in shown], meta=meta)


@router.get("/subscriptions/{external_id}/charges/{code}", openapi_extra=STATUS)
async def get_subscription_charge(
    external_id: str, code: str, request: Request, context: InContext
) -> ChargeResponse:
    """Read a charge of a subscription."""
    async with context.transaction() as tx:
        plan = (await find_contract(tx, external_id, request)).plan
    return ChargeResponse(charge=ChargeOutput.of(charges.find_charge(plan, code)))


@router.change("/subscriptions/{external_id}/charges/{code}", openapi_extra=STATUS)
async def update_subscription_charge(
    external_id: str, code: str, body: ChargeUpdateRequest, request: Request, context: InContext
) -> ChargeResponse:
    """Change a charge for this subscription alone."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        changed = await prices.change_charge(tx, contract, code, body.charge.to_value(), now=context.now)
    return ChargeResponse(charge=ChargeOutput.of(charges.find_charge(changed.plan, code)))


@router.get("/subscriptions/{external_id}/charges/{code}/filters", openapi_extra=STATUS)
async def list_subscription_filters(
    external_id: str, code: str, request: Request, context: InContext, page: InPage
) -> FiltersResponse:
    """List the filters of a subscription's charge."""
    async with context.transaction() as tx:
        charge = charges.find_charge((await find_contract(tx, external_id, request)).plan, code)
    shown = charge.filters[page.offset : page.offset + page.size]
    meta = Meta.of(page, len(charge.filters))
    return FiltersResponse(filters=[ChargeFilterOutput.of_charge(item, code) for item in shown], meta=meta)


@router.post("/subscriptions/{external_id}/charges/{code}/filters", openapi_extra=STATUS)
async def create_subscription_filter(
    external_id: str, code: str, body: FilterCreateRequest, request: Request, context: InContext
) -> FilterResponse:
    """Add a filter to a charge for this subscription alone."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        own, made = await prices.add_filter(tx, contract, code, body.filter.to_value(), now=context.now)
    found = filters.find_filter(charges.find_charge(own.plan, code), made)
    return FilterResponse(filter=ChargeFilterOutput.of_charge(found, code))


@router.get("/subscriptions/{external_id}/charges/{code}/filters/{lago_id}", openapi_extra=STATUS)
async def get_subscription_filter(
    external_id: str, code: str, lago_id: str, request: Request, context: InContext
) -> FilterResponse:
    """Read a filter of a subscription's charge."""
    async with context.transaction() as tx:
        charge = charges.find_charge((await find_contract(tx, external_id, request)).plan, code)
    found = filters.find_filter(charge, read_id(lago_id, "charge_filter"))
    return FilterResponse(filter=ChargeFilterOutput.of_charge(found, code))


@router.change("/subscriptions/{external_id}/charges/{code}/filters/{lago_id}", openapi_extra=STATUS)
async def update_subscription_filter(
    external_id: str,
    code: str,
    lago_id: str,
    body: FilterUpdateRequest,
    request: Request,
    context: InContext,
) -> FilterResponse:
    """Change a filter of a charge for this subscription alone."""
    item = body.filter.to_value()
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        filter_id = read_id(lago_id, "charge_filter")
        own, changed = await prices.change_filter(tx, contract, code, filter_id, item, now=context.now)
    found = filters.find_filter(charges.find_charge(own.plan, code), changed)
    return FilterResponse(filter=ChargeFilterOutput.of_charge(found, code))


@router.delete("/subscriptions/{external_id}/charges/{code}/filters/{lago_id}", openapi_extra=STATUS)
async def delete_subscription_filter(
    external_id: str, code: str, lago_id: str, request: Request, context: InContext
) -> FilterResponse:
    """Delete a filter of a charge for this subscription alone."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        filter_id = read_id(lago_id, "charge_filter")
        known = await prices.delete_filter(tx, contract, code, filter_id, now=context.now)
    return FilterResponse(filter=ChargeFilterOutput.of_charge(known, code))


@router.get("/subscriptions/{external_id}/fixed_charges", openapi_extra=STATUS)
async def list_subscription_fixed_charges(
    external_id: str, request: Request, context: InContext, page: InPage
) -> FixedChargesResponse:
    """List the fixed charges of a subscription, with units of its own where it has any."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        own = await fixed_units.own_units(tx, contract.subscription.id)
    found = sorted(
        sorted(contract.plan.fixed_charges, key=lambda c: c.id), key=lambda c: c.created_at, reverse=True
    )
    shown = [
        FixedChargeOutput.of(item, own[item.id].units if item.id in own else None)
        for item in found[page.offset : page.offset + page.size]
    ]
    return FixedChargesResponse(fixed_charges=shown, meta=Meta.of(page, len(found)))


@router.get("/subscriptions/{external_id}/fixed_charges/{code}", openapi_extra=STATUS)
async def get_subscription_fixed_charge(
    external_id: str, code: str, request: Request, context: InContext
) -> FixedChargeResponse:
    """Read a fixed charge of a subscription."""
    async with context.transaction() as tx:
        return await _show_fixed_charge(tx, await find_contract(tx, external_id, request), code)


@router.change("/subscriptions/{external_id}/fixed_charges/{code}", openapi_extra=STATUS)
async def update_subscription_fixed_charge(
    external_id: str, code: str, body: FixedChargeUpdateRequest, request: Request, context: InContext
) -> FixedChargeResponse:
    """Change a fixed charge for this subscription alone."""
    asked = body.fixed_charge
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        changed = await prices.change_fixed_charge(
            tx,
            contract,
            code,
            asked.to_value(),
            is_units_only="units" in asked.model_fields_set and asked.model_fields_set <= UNITS_ONLY,
            now=context.now,
        )
        return await _show_fixed_charge(tx, changed, code)


async def _show_fixed_charge(tx: Tx, contract: Contract, code: str) -> FixedChargeResponse:
    charge = fixed_charges.find_fixed_charge(contract.plan, code)
    own = (await fixed_units.own_units(tx, contract.subscription.id)).get(charge.id)
    return FixedChargeResponse(fixed_charge=FixedChargeOutput.of(charge, own.units if own else None))
