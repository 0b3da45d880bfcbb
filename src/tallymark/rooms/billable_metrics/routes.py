"""The doors to billable metrics."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.rooms.billable_metrics import service
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.billable_metrics.schemas import (
    CountedMetricOutput,
    CountedMetricResponse,
    ExpressionTrialRequest,
    ExpressionTrialResponse,
    ExpressionValue,
    MetricCreateRequest,
    MetricOutput,
    MetricResponse,
    MetricsResponse,
    MetricUpdateRequest,
)

router = tenant_router("billable_metrics", resource="billable_metric")


@router.post("/billable_metrics")
async def create_metric(body: MetricCreateRequest, context: InContext) -> CountedMetricResponse:
    """Define a metric."""
    async with context.transaction() as tx:
        metric = await service.create_metric(tx, body.billable_metric.to_values(), now=context.now)
    return _counted(metric)


@router.get("/billable_metrics")
async def list_metrics(context: InContext, page: InPage, search_term: str | None = None) -> MetricsResponse:
    """List metrics, newest first; `search_term` is looked for in names and codes."""
    async with context.transaction() as tx:
        metrics, total = await service.list_metrics(tx, page, search_term=search_term)
    shown = [CountedMetricOutput.of(metric) for metric in metrics]
    return MetricsResponse(billable_metrics=shown, meta=Meta.of(page, total))


@router.post("/billable_metrics/evaluate_expression")
async def evaluate_expression(body: ExpressionTrialRequest, context: InContext) -> ExpressionTrialResponse:
    """Try an expression on an event; nothing is stored."""
    value = service.try_expression(body.expression, body.to_trial(context.now))
    return ExpressionTrialResponse(expression_result=ExpressionValue(value=value))


@router.get("/billable_metrics/{code:path}")
async def get_metric(code: str, context: InContext) -> MetricResponse:
    """Read one metric."""
    async with context.transaction() as tx:
        metric = await service.get_metric(tx, code=code)
    return MetricResponse(billable_metric=MetricOutput.of(metric))


@router.change("/billable_metrics/{code:path}")
async def update_metric(code: str, body: MetricUpdateRequest, context: InContext) -> CountedMetricResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        metric = await service.update_metric(tx, code, body.billable_metric.to_values(), now=context.now)
    return _counted(metric)


@router.delete("/billable_metrics/{code:path}")
async def delete_metric(code: str, context: InContext) -> CountedMetricResponse:
    """Delete a metric and the charges on it; its events stay."""
    async with context.transaction() as tx:
        metric = await service.delete_metric(tx, code, now=context.now)
    return _counted(metric)


def _counted(metric: BillableMetric) -> CountedMetricResponse:
    return CountedMetricResponse(billable_metric=CountedMetricOutput.of(metric))
