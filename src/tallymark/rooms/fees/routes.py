"""The doors to fees."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.queries import reads, through
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.domain.errors import Problems
from tallymark.domain.fees.model import FeeType
from tallymark.domain.periods import parse_instant
from tallymark.rooms.fees import service
from tallymark.rooms.fees.model import FeeRecord, Filters
from tallymark.rooms.fees.schemas import (
    DeletedFeeResponse,
    DetailedFeeOutput,
    Explanation,
    ExplanationResponse,
    FeeOutput,
    FeeResponse,
    FeesResponse,
    FeeUpdateRequest,
)

router = tenant_router("fees", resource="fee")

STATUSES = ("pending", "succeeded", "failed", "refunded")
FILTERS = reads(
    "external_customer_id", "external_subscription_id", "currency", "billable_metric_code", "fee_type",
    "payment_status", "event_transaction_id",
    *(f"{at}_at_{end}" for at in ("created", "succeeded", "failed", "refunded") for end in ("from", "to")),
)  # fmt: skip


@router.get("/fees", openapi_extra=FILTERS)
async def list_fees(request: Request, context: InContext, page: InPage) -> FeesResponse:
    """List fees, oldest first."""
    filters = read_filters(request)
    async with context.transaction() as tx:
        fees, total = await service.list_fees(tx, filters, page)
    return FeesResponse(fees=[DetailedFeeOutput.of(fee) for fee in fees], meta=Meta.of(page, total))


@router.get("/fees/{lago_id}")
async def get_fee(lago_id: str, context: InContext) -> FeeResponse:
    """Read one fee with its taxes."""
    async with context.transaction() as tx:
        fee = await service.get_fee(tx, _fee_id(lago_id))
    return FeeResponse(fee=DetailedFeeOutput.of(fee))


@router.get("/fees/{lago_id}/explanation")
async def explain_fee(lago_id: str, context: InContext) -> ExplanationResponse:
    """How the amount came to be, step by step (beyond.md §1)."""
    async with context.transaction() as tx:
        fee = await service.get_fee(tx, _fee_id(lago_id))
    explanation = Explanation(
        lago_fee_id=fee.id,
        amount_cents=fee.amount_cents,
        currency=fee.currency,
        steps=[dict(step) for step in fee.explanation],
    )
    return ExplanationResponse(explanation=explanation)


@router.change("/fees/{lago_id}")
async def update_fee(lago_id: str, body: FeeUpdateRequest, context: InContext) -> FeeResponse:
    """Set the payment status of a fee that is on no invoice."""
    async with context.transaction() as tx:
        fee = await service.set_payment_status(tx, _fee_id(lago_id), body.fee.payment_status, now=context.now)
    return FeeResponse(fee=DetailedFeeOutput.of(fee))


@router.delete("/fees/{lago_id}")
async def delete_fee(lago_id: str, context: InContext) -> DeletedFeeResponse:
    """Delete a fee that is on no invoice."""
    async with context.transaction() as tx:
        fee = await service.delete_fee(tx, _fee_id(lago_id), show=_logged, now=context.now)
    return DeletedFeeResponse(fee=FeeOutput.of(fee))


def _logged(fee: FeeRecord) -> dict[str, Any]:
    return DetailedFeeOutput.of(fee).model_dump(mode="json", by_alias=True)


def _fee_id(text: str) -> UUID:
    return read_id(text, "fee")


def read_filters(request: Request) -> Filters:
    """The filters of a list (invoicing §7.2). Raises `Invalid` for a value that is none of its list."""
    query, problems = request.query_params, Problems()
    fee_type, status = query.get("fee_type"), query.get("payment_status")
    if fee_type is not None and fee_type not in {kind.value for kind in FeeType}:
        problems.add("fee_type", "value_is_invalid")
    if status is not None and status not in STATUSES:
        problems.add("payment_status", "value_is_invalid")
    instants = []
    for column in ("created_at", "succeeded_at", "failed_at", "refunded_at"):
        for side in ("from", "to"):
            text = query.get(f"{column}_{side}")
            if text is None:
                continue
            try:
                instant = parse_instant(text)
            except ValueError:
                problems.add(f"{column}_{side}", "invalid_date")
                continue
            instants.append((column, side, through(instant) if side == "to" else instant))
    problems.raise_any()
    return Filters(
        external_customer_id=query.get("external_customer_id"),
        external_subscription_id=query.get("external_subscription_id"),
        currency=query.get("currency"),
        billable_metric_code=query.get("billable_metric_code"),
        fee_type=fee_type,
        payment_status=status,
        event_transaction_id=query.get("event_transaction_id"),
        instants=tuple(instants),
    )
