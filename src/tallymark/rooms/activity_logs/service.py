"""Write the objects of entries, and find entries again (platform §10.1)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from tallymark.api.links import Site
from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.activity_logs import repository
from tallymark.rooms.activity_logs.model import Entry, Filters, without_bulk
from tallymark.rooms.webhooks.bodies import show_objects
from tallymark.rooms.webhooks.model import Told

AT_ONCE = 300
"""How many objects are written at a time: those of a wave of invoices, of which each takes a wallet's credits."""

OF_A_CALL = 50
"""How many of its objects a call over the API waits for."""


async def close_own(tx: Tx, site: Site) -> None:
    """Write the objects of what a transaction has logged, as it leaves them; of very many the last are left open."""
    await close(tx, site, ids=tx.logged, limit=OF_A_CALL)


async def close(tx: Tx, site: Site, *, ids: Collection[UUID] | None = None, limit: int = AT_ONCE) -> bool:
    """Write the objects of some open entries, the oldest first; whether there may be more.

    What can't be shown is closed without one, and holds back nothing.
    """
    entries = await repository.take_open(tx, ids=ids, limit=limit)
    messages = [_message(number, entry) for number, entry in enumerate(entries)]
    shown, _ = await show_objects(tx, messages, site.unsigned())
    objects = {
        entry.id: without_bulk(entry.object_type, shown[number]) if number in shown else None
        for number, entry in enumerate(entries)
    }
    await repository.close(tx, objects)
    return len(entries) == limit


def _message(number: int, entry: Entry) -> Told:
    return Told(
        message_id=number,
        webhook_type=entry.activity_type,
        object_type=entry.object_type,
        object_id=entry.object_id,
        payload=None,
        created_at=entry.logged_at,
    )


async def get_entry(tx: Tx, entry_id: UUID, site: Site, *, now: datetime, kept: timedelta | None) -> Entry:
    """An entry, as long as it is shown. Raises `NotFound("activity_log")`."""
    since = now - kept if kept else None
    found = await repository.find_entry(tx, entry_id, since=since)
    if found is not None and found.is_open:
        await close(tx, site, ids=[entry_id])
        found = await repository.find_entry(tx, entry_id, since=since)
    if found is None:
        raise NotFound("activity_log")
    return found


async def list_entries(
    tx: Tx, filters: Filters, page: Page, site: Site, *, now: datetime, kept: timedelta | None
) -> tuple[list[Entry], int]:
    """A page of entries, newest first, and how many there are; those from before `kept` are not shown."""
    since = now - kept if kept else None
    found, total = await repository.list_entries(tx, filters, page, since=since)
    still_open = [entry.id for entry in found if entry.is_open]
    for start in range(0, len(still_open), AT_ONCE):
        await close(tx, site, ids=still_open[start : start + AT_ONCE])
    if still_open:
        found, total = await repository.list_entries(tx, filters, page, since=since)
    return found, total
