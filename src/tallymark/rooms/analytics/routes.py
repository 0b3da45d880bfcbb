"""The doors to analytics; none has pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.db.engine import Tx
from tallymark.rooms.analytics import service
from tallymark.rooms.analytics.model import Asked
from tallymark.rooms.analytics.queries import Query, read_asked, read_usage_asked
from tallymark.rooms.analytics.schemas import (
    CollectionOutput,
    CollectionsResponse,
    GrossRevenueOutput,
    GrossRevenuesResponse,
    InvoicedUsageOutput,
    InvoicedUsagesResponse,
    MrrOutput,
    MrrsResponse,
    OverdueBalanceOutput,
    OverdueBalancesResponse,
    UsageOutput,
    UsagesResponse,
)

router = tenant_router("analytics", resource="analytic")

BY_MONTH = reads("currency", "months", "billing_entity_code")
OF_CUSTOMERS = reads("currency", "months", "billing_entity_code", "external_customer_id")
OF_USAGE = reads(
    "time_granularity", "currency", "from_date", "to_date", "customer_type", "external_customer_id",
    "customer_country", "external_subscription_id", "is_billable_metric_recurring", "plan_code",
    "billable_metric_code",
)  # fmt: skip

Found_co = TypeVar("Found_co", covariant=True)


class Finds(Protocol[Found_co]):
    """Answers a question by month."""

    async def __call__(self, tx: Tx, asked: Asked, *, now: datetime) -> Found_co: ...


async def answer_to(
    request: Request, context: Context, find: Finds[Found_co], *, read: Callable[[Query], Asked] = read_asked
) -> Found_co:
    """Read a question by month, and have it answered by the organization's clock. Raises `Invalid` for one that is none."""
    asked = read(request.query_params)
    async with context.transaction() as tx:
        return await find(tx, asked, now=context.now)


@router.get("/analytics/gross_revenue", openapi_extra=OF_CUSTOMERS)
async def list_gross_revenues(request: Request, context: InContext) -> GrossRevenuesResponse:
    """What invoices come to by month, less refunds, with fees in advance that are on none."""
    found = await answer_to(request, context, service.gross_revenues)
    return GrossRevenuesResponse(gross_revenues=[GrossRevenueOutput.of(row) for row in found])


@router.get("/analytics/invoice_collection", openapi_extra=BY_MONTH)
async def list_invoice_collections(request: Request, context: InContext) -> CollectionsResponse:
    """Invoices by month and payment status."""
    found = await answer_to(request, context, service.invoice_collections)
    return CollectionsResponse(invoice_collections=[CollectionOutput.of(row) for row in found])


@router.get("/analytics/invoiced_usage", openapi_extra=BY_MONTH)
async def list_invoiced_usages(request: Request, context: InContext) -> InvoicedUsagesResponse:
    """What usage was billed by month and metric."""
    found = await answer_to(request, context, service.invoiced_usages)
    return InvoicedUsagesResponse(invoiced_usages=[InvoicedUsageOutput.of(row) for row in found])


@router.get("/analytics/overdue_balance", openapi_extra=OF_CUSTOMERS)
async def list_overdue_balances(request: Request, context: InContext) -> OverdueBalancesResponse:
    """What is overdue, by the month in which it fell due."""
    found = await answer_to(request, context, service.overdue_balances)
    return OverdueBalancesResponse(overdue_balances=[OverdueBalanceOutput.of(row) for row in found])


@router.get("/analytics/mrr", openapi_extra=BY_MONTH)
async def list_mrrs(request: Request, context: InContext) -> MrrsResponse:
    """Monthly recurring revenue: base prices that were invoiced, spread over the months of their periods."""
    found = await answer_to(request, context, service.recurring_revenues)
    return MrrsResponse(mrrs=[MrrOutput.of(row) for row in found])


@router.get("/analytics/usage", openapi_extra=OF_USAGE)
async def list_usages(request: Request, context: InContext) -> UsagesResponse:
    """What was used by day, week or month, and metric."""
    asked = read_usage_asked(request.query_params)
    async with context.transaction() as tx:
        found = await service.usages(tx, asked)
    return UsagesResponse(usages=[UsageOutput.of(row, context.organization_id) for row in found])
