"""The doors to estimates."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.routing import tenant_router
from tallymark.rooms.estimates import service
from tallymark.rooms.estimates.schemas import (
    EstimateRequest,
    EstimatesRequest,
    EstimatesResponse,
    InstantEstimatesResponse,
    estimated_fee,
    instant_fee,
)

router = tenant_router("events", resource="event")


@router.post("/events/estimate_fees")
async def estimate_fees(body: EstimateRequest, context: InContext) -> EstimatesResponse:
    """The fees that an event would make, with taxes."""
    async with context.transaction() as tx:
        fees = await service.estimate_fees(tx, body.event.to_value(), now=context.now)
    return EstimatesResponse(fees=[estimated_fee(fee) for fee in fees])


@router.post("/events/estimate_instant_fees")
async def estimate_instant_fees(body: EstimateRequest, context: InContext) -> InstantEstimatesResponse:
    """The fees that an event sent now would make for standard and percentage charges, without taxes."""
    async with context.transaction() as tx:
        fees = await service.estimate_instantly(tx, body.event.to_value(), now=context.now)
    return InstantEstimatesResponse(fees=[instant_fee(fee) for fee in fees])


@router.post("/events/batch_estimate_instant_fees")
async def batch_estimate_instant_fees(body: EstimatesRequest, context: InContext) -> InstantEstimatesResponse:
    """The same for many events."""
    asked = [event.to_value() for event in body.events or ()]
    async with context.transaction() as tx:
        fees = await service.estimate_batch(tx, asked, now=context.now)
    return InstantEstimatesResponse(fees=[instant_fee(fee) for fee in fees])
