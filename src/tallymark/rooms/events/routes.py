"""The doors to reading events. Writing them has a lane of its own (ingest.py), described here for the API reference."""

from __future__ import annotations

from typing import Annotated, NoReturn

from fastapi import APIRouter, FastAPI, Query, Response

from tallymark.api.context import InContext
from tallymark.api.errors import answer_to
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import query_flag
from tallymark.db.engine import Tx
from tallymark.domain.errors import Forbidden, Invalid
from tallymark.rooms.events import service
from tallymark.rooms.events.model import Filters, UnmatchedReason
from tallymark.rooms.events.schemas import (
    EventFilters,
    EventOutput,
    EventRequest,
    EventResponse,
    EventsBatchResponse,
    EventsRequest,
    EventsResponse,
    InFilters,
    ReplayOutput,
    ReplayRequest,
    ReplayResponse,
    UnmatchedCountOutput,
    UnmatchedEventOutput,
    UnmatchedEventsResponse,
    UnmatchedSummaryResponse,
)

router = tenant_router("events", resource="event")
described = APIRouter(prefix="/api/v1", tags=["events"])


@described.post("/events")
def create_event(body: EventRequest) -> EventResponse:
    """Record one event. Answered once it is durable; the same `transaction_id` again is refused."""
    _in_the_fast_lane(body)


@described.post("/events/batch")
def create_events(body: EventsRequest) -> EventsBatchResponse:
    """Record up to 100 events, all or none."""
    _in_the_fast_lane(body)


def _in_the_fast_lane(body: object) -> NoReturn:
    raise AssertionError(f"{type(body).__name__} is answered before the framework")


def describe(api: FastAPI) -> None:
    """Add the fast lane to the API's description."""
    api.include_router(described)


@router.get("/events")
async def list_events(
    context: InContext,
    page: InPage,
    asked: InFilters,
    unmatched: Annotated[
        str | None, Query(description="Only events that count nowhere, with the reason.")
    ] = None,
    unmatched_reason: str | None = None,
) -> EventsResponse | UnmatchedEventsResponse:
    """List events, latest first."""
    reason = _read_reason(unmatched_reason)
    asked.check()
    async with context.transaction() as tx:
        filters = await _filters(tx, asked)
        if query_flag(unmatched) or reason is not None:
            found, total = await service.list_unmatched(tx, filters, reason, page)
            shown = [UnmatchedEventOutput.because(event, why) for event, why in found]
            return UnmatchedEventsResponse(events=shown, meta=Meta.of(page, total))
        events, total = await service.list_events(tx, filters, page)
    return EventsResponse(events=[EventOutput.of(event) for event in events], meta=Meta.of(page, total))


@router.get("/events/unmatched_summary")
async def summarize_unmatched(
    context: InContext,
    page: InPage,
    asked: InFilters,
    unmatched_reason: str | None = None,
) -> UnmatchedSummaryResponse:
    """Count the events that count nowhere by reason, code and subscription, the most first."""
    reason = _read_reason(unmatched_reason)
    asked.check()
    async with context.transaction() as tx:
        counts, total = await service.count_unmatched(tx, await _filters(tx, asked), reason, page)
    lines = [UnmatchedCountOutput.of(count) for count in counts]
    return UnmatchedSummaryResponse(unmatched_summary=lines, meta=Meta.of(page, total))


@router.post("/events/replay")
async def replay_events(body: ReplayRequest, context: InContext) -> ReplayResponse:
    """Look at stored events again: how many there are, and how many of them count somewhere."""
    async with context.transaction() as tx:
        return ReplayResponse(replay=ReplayOutput.of(await service.replay(tx, body.replay.reach)))


async def _filters(tx: Tx, asked: EventFilters) -> Filters:
    lower = asked.lower
    if asked.is_from_start and asked.external_subscription_id:
        lower = await service.subscription_start(tx, external_id=asked.external_subscription_id)
    return Filters(
        code=asked.code,
        external_subscription_id=asked.external_subscription_id,
        timestamp_from=lower,
        timestamp_to=asked.upper,
    )


def _read_reason(text: str | None) -> UnmatchedReason | None:
    if not text:
        return None
    try:
        return UnmatchedReason(text)
    except ValueError:
        raise Invalid({"unmatched_reason": ["value_is_invalid"]}) from None


@router.get("/events/{transaction_id:path}")
async def get_event(transaction_id: str, context: InContext) -> EventResponse:
    """Read one event."""
    async with context.transaction() as tx:
        event = await service.get_event(tx, transaction_id=transaction_id)
    return EventResponse(event=EventOutput.of(event))


@router.get("/events_enriched", response_model=None)
async def list_enriched_events() -> Response:
    """Served only where events are kept in an analytical store (metering §1.4); its answer is marked as not final (platform §1.1)."""
    answer = answer_to(Forbidden("endpoint_not_available"))
    answer.headers["X-Lago-Endpoint-Status"] = "beta"
    return answer
