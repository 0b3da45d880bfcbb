"""The doors to a simulated organization's clock."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.routing import tenant_router
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.schemas import TestClockOutput, TestClockResponse
from tallymark.rooms.test_clocks import service
from tallymark.rooms.test_clocks.schemas import AdvanceRequest, AdvanceResponse, FailureOutput

router = tenant_router("test_clock", resource="organization")


@router.get("/test_clock")
async def get_test_clock(context: InContext) -> TestClockResponse:
    """Where the organization's clock stands."""
    async with context.transaction() as tx:
        clock = await organizations.get_test_clock(tx)
    return TestClockResponse(test_clock=TestClockOutput.of(clock))


@router.post("/test_clock/advance", response_model_exclude_defaults=False)
@in_parts
async def advance_test_clock(body: AdvanceRequest, request: Request, context: InContext) -> AdvanceResponse:
    """Move the clock; everything due until then has happened when this answers."""
    advanced = await service.advance(
        context.database,
        context.organization_id,
        to=body.test_clock.to,
        outside=request.app.state.outside,
        hands=request.app.state.hands,
    )
    return AdvanceResponse(
        test_clock=TestClockOutput.of(advanced.clock),
        errors=[FailureOutput.of(failure) for failure in advanced.failures],
    )
