"""The doors to a simulated organization's clock."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router, tenant_router
from tallymark.jobs import agenda
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.schemas import TestClockOutput, TestClockResponse
from tallymark.rooms.test_clocks import service
from tallymark.rooms.test_clocks.schemas import (
    SHOWN,
    AdvanceRequest,
    AdvanceResponse,
    FailureOutput,
    PlannedOutput,
    PlannedResponse,
    read_instant,
)

router = tenant_router("test_clock", resource="organization")
planning_router = member_router("app: test clock")


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
        enter=context.transaction,
        outside=request.app.state.outside,
        hands=request.app.state.hands,
    )
    return AdvanceResponse(
        test_clock=TestClockOutput.of(advanced.clock),
        errors=[FailureOutput.of(failure) for failure in advanced.failures],
    )


@planning_router.get("/test_clock/planned")
@permitted("organization:view")
async def list_planned_work(until: str, context: InContext) -> PlannedResponse:
    """What is planned until an instant, counted by day (UTC) and kind; what follows from it is planned when it is done."""
    instant = read_instant(until)
    async with context.transaction() as tx:
        await organizations.get_test_clock(tx)
        found = await agenda.planned(tx, SHOWN, until=instant)
    return PlannedResponse(planned=[PlannedOutput.of(one) for one in found])
