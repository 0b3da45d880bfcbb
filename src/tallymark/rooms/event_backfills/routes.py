"""The doors to backfills."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.refusals import not_allowed
from tallymark.api.routing import tenant_router
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.adjustments.model import UNTOLD
from tallymark.rooms.event_backfills import service
from tallymark.rooms.event_backfills.model import Author, BackfillStatus
from tallymark.rooms.event_backfills.schemas import (
    AddedEventsRequest,
    AddedEventsResponse,
    BackfillOutput,
    BackfillRequest,
    BackfillResponse,
    BackfillsResponse,
    StepRequest,
    read_events,
)
from tallymark.rooms.events.service import Sender

router = tenant_router("event_backfills", resource="event")


@router.post("/event_backfills")
async def create_event_backfill(body: BackfillRequest, context: InContext) -> BackfillResponse:
    """Begin to collect events that are to replace all of a subscription and code in a stretch of time."""
    asked = body.event_backfill.to_value()
    async with context.transaction() as tx:
        made = await service.create_backfill(tx, asked, _author(context, asked.reason))
    return BackfillResponse(event_backfill=BackfillOutput.of(made))


@router.get("/event_backfills")
async def list_event_backfills(
    context: InContext,
    page: InPage,
    external_subscription_id: str | None = None,
    code: str | None = None,
    status: str | None = None,
) -> BackfillsResponse:
    """List backfills, the newest first."""
    async with context.transaction() as tx:
        found, total = await service.list_backfills(
            tx,
            page,
            external_subscription_id=external_subscription_id,
            code=code,
            status=_read_status(status),
        )
    shown = [BackfillOutput.of(backfill) for backfill in found]
    return BackfillsResponse(event_backfills=shown, meta=Meta.of(page, total))


@router.get("/event_backfills/{lago_id}")
async def get_event_backfill(lago_id: str, context: InContext) -> BackfillResponse:
    """Read one backfill: how many events it brings and replaced, and what closing it changed in each period."""
    async with context.transaction() as tx:
        found = await service.get_backfill(tx, _read_id(lago_id))
    return BackfillResponse(event_backfill=BackfillOutput.of(found))


@router.post("/event_backfills/{lago_id}/events")
async def add_backfilled_events(
    lago_id: str, body: AddedEventsRequest, request: Request, context: InContext
) -> AddedEventsResponse:
    """Add up to 1,000 events, all or none; they count nowhere before the backfill is closed."""
    del body
    sent = read_events(await request.body())
    is_kept = request.app.state.keeps_event_senders
    sender = Sender.of(context.ip_address, context.user_agent) if is_kept else None
    async with context.transaction() as tx:
        rows = await service.add_events(tx, _read_id(lago_id), sent, sender=sender, now=context.now)
    return AddedEventsResponse.of(rows)


@router.post(
    "/event_backfills/{lago_id}/close",
    responses=not_allowed("event_backfill_not_open", "period_already_invoiced", *UNTOLD),
)
async def close_event_backfill(
    lago_id: str, context: InContext, body: StepRequest | None = None
) -> BackfillResponse:
    """Replace the events of the stretch of time by those that were added, at once and everywhere."""
    async with context.transaction() as tx:
        closed = await service.close(tx, _read_id(lago_id), _author(context, _reason(body)))
    return BackfillResponse(event_backfill=BackfillOutput.of(closed))


@router.post(
    "/event_backfills/{lago_id}/revert",
    responses=not_allowed(
        "event_backfill_not_closed",
        "overlapped_by_later_backfill",
        "period_already_invoiced",
        *UNTOLD,
    ),
)
async def revert_event_backfill(
    lago_id: str, context: InContext, body: StepRequest | None = None
) -> BackfillResponse:
    """Have every event be what it was before the backfill was closed."""
    async with context.transaction() as tx:
        reverted = await service.revert(tx, _read_id(lago_id), _author(context, _reason(body)))
    return BackfillResponse(event_backfill=BackfillOutput.of(reverted))


@router.delete("/event_backfills/{lago_id}")
async def delete_event_backfill(lago_id: str, context: InContext) -> BackfillResponse:
    """Let go of an open backfill, and of what was added to it."""
    async with context.transaction() as tx:
        dropped = await service.drop(tx, _read_id(lago_id))
    return BackfillResponse(event_backfill=BackfillOutput.of(dropped))


def _author(context: Context, reason: str | None) -> Author:
    actor = context.actor
    return Author(
        api_key_id=actor.api_key_id, user_email=actor.user_email, reason=reason or "", now=context.now
    )


def _reason(body: StepRequest | None) -> str | None:
    return body.event_backfill.reason if body and body.event_backfill else None


def _read_id(text: str) -> UUID:
    """Raises `NotFound("event_backfill")` for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("event_backfill") from None


def _read_status(text: str | None) -> BackfillStatus | None:
    if not text:
        return None
    try:
        return BackfillStatus(text)
    except ValueError:
        raise Invalid({"status": ["value_is_invalid"]}) from None
