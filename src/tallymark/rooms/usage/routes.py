"""The doors to what was used."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.errors import BadRequest
from tallymark.api.pagination import InPage, Meta
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.api.wire import query_flag
from tallymark.domain.errors import NotFound
from tallymark.domain.usage import text_of
from tallymark.rooms.usage import past, service
from tallymark.rooms.usage.model import CurrentUsage, Narrowing, Question, Selection
from tallymark.rooms.usage.past_schemas import PastUsageResponse, past_period
from tallymark.rooms.usage.projected_schemas import ProjectedUsageOutput, ProjectedUsageResponse
from tallymark.rooms.usage.schemas import (
    CurrentUsageOutput,
    CurrentUsageResponse,
    UsageExplanation,
    UsageExplanationsResponse,
)

router = tenant_router("customer_usage", resource="customer_usage")
SELECTORS = reads(
    "charge_id", "charge_code", "billable_metric_code", "group", "filter_by_charge_id", "filter_by_charge_code",
    "filter_by_metric_code", "filter_by_group", "filter_by_presentation", "full_usage", "skip_grouping",
)  # fmt: skip

LARGEST_PAGE = 1_000


@router.get("/customers/{external_customer_id}/current_usage", openapi_extra=SELECTORS)
async def get_current_usage(
    external_customer_id: str,
    request: Request,
    context: InContext,
    external_subscription_id: str | None = None,
    apply_taxes: str | None = None,
) -> CurrentUsageResponse:
    """What the running period has come to so far."""
    del apply_taxes  # read from the query: present but empty means no taxes
    usage = await _read(external_customer_id, external_subscription_id, request, context)
    return CurrentUsageResponse(customer_usage=CurrentUsageOutput.of(usage))


@router.get("/customers/{external_customer_id}/current_usage/explanation", openapi_extra=SELECTORS)
async def explain_current_usage(
    external_customer_id: str,
    request: Request,
    context: InContext,
    external_subscription_id: str | None = None,
) -> UsageExplanationsResponse:
    """How each amount of the running period comes to be (beyond.md §1)."""
    usage = await _read(external_customer_id, external_subscription_id, request, context)
    currency = usage.contract.plan.amount_currency
    explanations = [UsageExplanation.of(line, currency) for line in usage.lines]
    return UsageExplanationsResponse(explanations=explanations)


@router.get("/customers/{external_customer_id}/projected_usage", openapi_extra=SELECTORS)
async def get_projected_usage(
    external_customer_id: str,
    request: Request,
    context: InContext,
    external_subscription_id: str | None = None,
    apply_taxes: str | None = None,
) -> ProjectedUsageResponse:
    """What the running period will come to if usage goes on alike."""
    del apply_taxes  # read from the query, as for current usage
    question = Question(
        external_customer_id=external_customer_id,
        external_subscription_id=external_subscription_id,
        with_taxes=_with_taxes(request),
    )
    async with context.transaction() as tx:
        usage = await service.get_projected_usage(tx, question, now=context.now)
    return ProjectedUsageResponse(customer_projected_usage=ProjectedUsageOutput.of(usage))


@router.get("/customers/{external_customer_id}/past_usage")
async def get_past_usage(
    external_customer_id: str,
    context: InContext,
    page: InPage,
    external_subscription_id: str | None = None,
    billable_metric_code: str | None = None,
    periods_count: int | None = None,
) -> PastUsageResponse:
    """What was billed for usage, period by period, the newest first."""
    if periods_count is not None and periods_count > 0:
        page = replace(page, size=min(periods_count, LARGEST_PAGE))
    async with context.transaction() as tx:
        periods, total = await past.list_past_usage(
            tx,
            external_customer_id=external_customer_id,
            external_subscription_id=external_subscription_id,
            billable_metric_code=billable_metric_code,
            page=page,
        )
    return PastUsageResponse(
        usage_periods=[past_period(period) for period in periods], meta=Meta.of(page, total)
    )


def _with_taxes(request: Request) -> bool:
    taxes = request.query_params.get("apply_taxes")
    return taxes is None or bool(query_flag(taxes))


async def _read(
    external_customer_id: str, external_subscription_id: str | None, request: Request, context: Context
) -> CurrentUsage:
    query = request.query_params
    question = Question(
        external_customer_id=external_customer_id,
        external_subscription_id=external_subscription_id,
        selection=read_selection(request),
        narrowing=read_narrowing(request),
        is_full=bool(query_flag(query.get("full_usage"))),
        with_taxes=_with_taxes(request),
    )
    async with context.transaction() as tx:
        return await service.get_current_usage(tx, question, now=context.now)


def read_selection(request: Request) -> Selection:
    """The charge selector; each has two names, of which the first wins (metering §9.1)."""
    query = request.query_params
    charge_id = query.get("charge_id") or query.get("filter_by_charge_id")
    try:
        parsed = UUID(charge_id) if charge_id else None
    except ValueError:
        raise NotFound("charge") from None
    return Selection(
        charge_id=parsed,
        charge_code=query.get("charge_code") or query.get("filter_by_charge_code"),
        billable_metric_code=query.get("billable_metric_code") or query.get("filter_by_metric_code"),
    )


def read_narrowing(request: Request) -> Narrowing:
    """Group selector, grouping and presentation keys (metering §9.1). Raises `BadRequest` for broken JSON."""
    query = request.query_params
    shown = query.get("filter_by_presentation")
    names = None if shown is None else _json(shown, "filter_by_presentation")
    if names is not None and not isinstance(names, list):
        raise BadRequest("BadRequest: filter_by_presentation is no list")
    return Narrowing(
        group=_group(request, "group") or _group(request, "filter_by_group"),
        skips_grouping=bool(query_flag(query.get("skip_grouping"))),
        presentation=None if names is None else tuple(str(name) for name in names),
    )


def _group(request: Request, name: str) -> dict[str, tuple[str, ...]]:
    """`group[key]=value`, `group[key][]=value`, or one JSON object; each value may be a list."""
    found: dict[str, list[str]] = {}
    written = re.compile(rf"{name}\[([^\]]+)\](?:\[\])?")
    for key, value in request.query_params.multi_items():
        if match := written.fullmatch(key):
            found.setdefault(match[1], []).append(value)
    whole = request.query_params.get(name)
    if whole:
        parsed = _json(whole, name)
        if not isinstance(parsed, dict):
            raise BadRequest(f"BadRequest: {name} is no object")
        for key, value in parsed.items():
            values = value if isinstance(value, list) else [value]
            found.setdefault(key, []).extend(text for item in values if (text := text_of(item)) is not None)
    return {key: tuple(values) for key, values in found.items()}


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadRequest(f"BadRequest: {name} is no JSON") from None
