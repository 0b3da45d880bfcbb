"""The door to what the app shows of an event beside itself: who sent it."""

from __future__ import annotations

from pydantic import BaseModel

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import read_id
from tallymark.rooms.events import service

router = member_router("app: events")


class EventSenderOutput(BaseModel):
    """Empty where it is not kept: of events from before it was, or of longer ago than it is."""

    ip_address: str | None
    client: str | None
    """What it calls itself: its user agent."""


class EventSenderResponse(BaseModel):
    event_sender: EventSenderOutput


@router.get("/events/{lago_id}/sender")
@permitted("developers:manage")
async def get_event_sender(lago_id: str, context: InContext) -> EventSenderResponse:
    """Tell from which address an event came, and from which client (ui §5)."""
    async with context.transaction() as tx:
        sender = await service.get_sender(tx, read_id(lago_id, "event"))
    shown = EventSenderOutput(
        ip_address=(sender and sender.ip_address) or None, client=(sender and sender.client) or None
    )
    return EventSenderResponse(event_sender=shown)
