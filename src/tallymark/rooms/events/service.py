"""What can be read of events (metering §1.4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.events import repository
from tallymark.rooms.events.model import Event, Filters


async def get_event(tx: Tx, *, transaction_id: str) -> Event:
    """Any event of a transaction id. Raises `NotFound("event")`."""
    event = await repository.find_event(tx, transaction_id)
    if event is None:
        raise NotFound("event")
    return event


async def get_events(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Event]:
    """Events by id, the numbers among their properties as exact decimals."""
    return {event.id: event for event in await repository.get_events(tx, ids)} if ids else {}


async def history(tx: Tx, *, external_subscription_id: str, code: str, before: datetime) -> list[Event]:
    """What a subscription sent of a code before an instant, in the order of time and arrival."""
    return await repository.history(
        tx, external_subscription_id=external_subscription_id, code=code, before=before
    )


async def list_events(tx: Tx, filters: Filters, page: Page) -> tuple[list[Event], int]:
    """A page of events, latest first, and how many there are."""
    return await repository.list_events(tx, filters, page)


async def subscription_start(tx: Tx, *, external_id: str) -> datetime | None:
    """When the live subscription of that id started, else the last terminated one."""
    return await repository.subscription_start(tx, external_id)
