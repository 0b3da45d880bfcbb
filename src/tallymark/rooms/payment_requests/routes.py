"""The doors to payment requests."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.domain.errors import Problems
from tallymark.domain.money import CURRENCIES
from tallymark.rooms.customers import service as customers
from tallymark.rooms.payment_requests import service
from tallymark.rooms.payment_requests.model import STATUSES, Filters
from tallymark.rooms.payment_requests.schemas import (
    NewPaymentRequest,
    RequestOutput,
    RequestResponse,
    RequestsResponse,
)

router = tenant_router("payment_requests", resource="payment_request")

READ = reads("external_customer_id", "payment_status", "currency", "billing_entity_codes[]")
READ_OF_CUSTOMER = reads("payment_status", "currency", "billing_entity_codes[]")


@router.post("/payment_requests")
async def create_payment_request(body: NewPaymentRequest, context: InContext) -> RequestResponse:
    """Ask a customer for some overdue invoices at once."""
    async with context.transaction() as tx:
        request = await service.create(tx, body.payment_request.to_value(), now=context.now)
        (view,) = await service.get_views(tx, [request], now=context.now)
    return RequestResponse(payment_request=RequestOutput.of(view, context.links))


@router.get("/payment_requests", openapi_extra=READ)
async def list_payment_requests(request: Request, context: InContext, page: InPage) -> RequestsResponse:
    """List payment requests, newest first."""
    return await _list(context, page, read_filters(request))


@router.get("/customers/{external_customer_id}/payment_requests", openapi_extra=READ_OF_CUSTOMER)
async def list_customer_payment_requests(
    external_customer_id: str, request: Request, context: InContext, page: InPage
) -> RequestsResponse:
    """The payment requests of one customer."""
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_customer_id)
    filters = replace(read_filters(request), customer_id=customer.id, external_customer_id=None)
    return await _list(context, page, filters)


@router.get("/payment_requests/{lago_id}")
async def get_payment_request(lago_id: str, context: InContext) -> RequestResponse:
    """Read one payment request."""
    async with context.transaction() as tx:
        found = await service.get_request(tx, read_id(lago_id, "payment_request"))
        (view,) = await service.get_views(tx, [found], now=context.now)
    return RequestResponse(payment_request=RequestOutput.of(view, context.links))


async def _list(context: Context, page: Page, filters: Filters) -> RequestsResponse:
    async with context.transaction() as tx:
        found, total = await service.list_requests(tx, filters, page)
        views = await service.get_views(tx, found, now=context.now)
    shown = [RequestOutput.of(view, context.links) for view in views]
    return RequestsResponse(payment_requests=shown, meta=Meta.of(page, total))


def read_filters(request: Request) -> Filters:
    """The filters of a list. Raises `Invalid` for a status or a currency that there is not."""
    query, problems = request.query_params, Problems()
    status = query.get("payment_status") or None
    currency = query.get("currency", "").upper() or None
    if status is not None and status not in STATUSES:
        problems.add("payment_status", "value_is_invalid")
    if currency is not None and currency not in CURRENCIES:
        problems.add("currency", "value_is_invalid")
    problems.raise_any()
    return Filters(
        external_customer_id=query.get("external_customer_id") or None,
        payment_status=status,
        currency=currency,
        billing_entity_codes=tuple(query.getlist("billing_entity_codes[]")),
    )
