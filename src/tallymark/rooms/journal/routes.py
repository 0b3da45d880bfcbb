"""The door to the journal."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.rooms.journal import service
from tallymark.rooms.journal.filters import FILTERS, read_filters
from tallymark.rooms.journal.schemas import EntriesResponse, EntryOutput

router = tenant_router("journal", resource="invoice")


@router.get("/journal_entries", openapi_extra=FILTERS)
async def list_journal_entries(request: Request, context: InContext, page: InPage) -> EntriesResponse:
    """List the journal's entries in the order in which they were posted (beyond.md §4).

    `from` and `to` are inclusive, a date means all of that day (UTC). An `account` without a dot means those below it too.
    """
    filters = read_filters(request.query_params)
    async with context.transaction() as tx:
        entries, total = await service.list_entries(tx, filters, page)
    return EntriesResponse(
        journal_entries=[EntryOutput.of(entry) for entry in entries], meta=Meta.of(page, total)
    )
