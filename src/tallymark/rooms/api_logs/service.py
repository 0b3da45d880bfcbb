"""Keep calls, and find them again (platform §10.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from tallymark.api.calls import API_VERSION, Call
from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.rooms.api_logs import repository
from tallymark.rooms.api_logs.model import Entry, Filters, kept_answer, kept_body


class ApiLog:
    """Implements `api.calls.CallLog`."""

    async def note(self, tx: Tx, call: Call, *, api_key_id: UUID) -> None:
        """Keep a call without its secrets."""
        values = {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "api_key_id": api_key_id,
            "request_id": call.request_id,
            "client": call.client,
            "http_method": call.http_method,
            "http_status": call.http_status,
            "request_origin": call.request_origin,
            "request_path": call.request_path,
            "request_body": kept_body(call.parameters),
            "request_response": kept_answer(call.answer),
            "api_version": API_VERSION,
            "logged_at": call.logged_at,
            "created_at": call.logged_at,
        }
        await repository.insert_entry(tx, values)


async def get_entry(tx: Tx, request_id: UUID, *, now: datetime, kept: timedelta | None) -> Entry:
    """The last call of an id, as long as it is shown. Raises `NotFound("api_log")`."""
    found = await repository.find_entry(tx, request_id, since=now - kept if kept else None)
    if found is None:
        raise NotFound("api_log")
    return found


async def list_entries(
    tx: Tx, filters: Filters, page: Page, *, now: datetime, kept: timedelta | None
) -> tuple[list[Entry], int]:
    """A page of calls, newest first, and how many there are; those from before `kept` are not shown."""
    return await repository.list_entries(tx, filters, page, since=now - kept if kept else None)
