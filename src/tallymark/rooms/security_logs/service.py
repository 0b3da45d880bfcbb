"""Find what was changed (platform §10.3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.security_logs import repository
from tallymark.rooms.security_logs.model import KEPT, Entry, Filters


async def get_entry(tx: Tx, entry_id: UUID, *, now: datetime) -> Entry:
    """An entry, as long as it is shown. Raises `NotFound("security_log")`."""
    found = await repository.find_entry(tx, entry_id, since=now - KEPT)
    if found is None:
        raise NotFound("security_log")
    return found


async def list_entries(tx: Tx, filters: Filters, page: Page, *, now: datetime) -> tuple[list[Entry], int]:
    """A page of entries, newest first, and how many there are."""
    return await repository.list_entries(tx, filters, page, since=now - KEPT)
