"""The doors to reading events. Writing them has a lane of its own (ingest.py), described here for the API reference."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from fastapi import APIRouter, FastAPI

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import query_flag
from tallymark.domain.errors import Forbidden, Invalid
from tallymark.rooms.events import service
from tallymark.rooms.events.model import Filters
from tallymark.rooms.events.schemas import (
    EventOutput,
    EventRequest,
    EventResponse,
    EventsBatchResponse,
    EventsRequest,
    EventsResponse,
)

router = tenant_router("events")
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
async def list_events(  # noqa: PLR0913 - the contract's filters
    context: InContext,
    page: InPage,
    code: str | None = None,
    external_subscription_id: str | None = None,
    timestamp_from: str | None = None,
    timestamp_to: str | None = None,
    timestamp_from_started_at: str | None = None,
) -> EventsResponse:
    """List events, latest first."""
    from_start = _read_from_start(timestamp_from_started_at, timestamp_from, external_subscription_id)
    lower = _read_instant("timestamp_from", timestamp_from)
    upper = _read_instant("timestamp_to", timestamp_to)
    async with context.transaction() as tx:
        if from_start and external_subscription_id:
            lower = await service.subscription_start(tx, external_id=external_subscription_id)
        filters = Filters(
            code=code,
            external_subscription_id=external_subscription_id,
            timestamp_from=lower,
            timestamp_to=upper,
        )
        events, total = await service.list_events(tx, filters, page)
    return EventsResponse(events=[EventOutput.of(event) for event in events], meta=Meta.of(page, total))


@router.get("/events/{transaction_id:path}")
async def get_event(transaction_id: str, context: InContext) -> EventResponse:
    """Read one event."""
    async with context.transaction() as tx:
        event = await service.get_event(tx, transaction_id=transaction_id)
    return EventResponse(event=EventOutput.of(event))


@router.get("/events_enriched")
async def list_enriched_events() -> None:
    """Served only where events are kept in an analytical store (metering §1.4)."""
    raise Forbidden("endpoint_not_available")


def _read_instant(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read_from_start(
    flag: str | None, timestamp_from: str | None, external_subscription_id: str | None
) -> bool:
    if flag is None:
        return False
    if flag.lower() not in ("true", "false"):
        raise Invalid({"timestamp_from_started_at": ["must be one of: true, false"]})
    if not query_flag(flag):
        return False
    if timestamp_from is not None:
        raise Invalid({"timestamp_from": ["cannot be used with timestamp_from_started_at"]})
    if not external_subscription_id:
        raise Invalid({"external_subscription_id": ["required with timestamp_from_started_at"]})
    return True
