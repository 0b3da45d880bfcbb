"""The doors to activity logs."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.rooms.activity_logs import service
from tallymark.rooms.activity_logs.schemas import (
    FILTERS,
    ActivityLogOutput,
    ActivityLogResponse,
    ActivityLogsResponse,
    read_filters,
)

router = tenant_router("activity_logs", resource="activity_log")


@router.get("/activity_logs", openapi_extra=FILTERS)
async def list_activity_logs(request: Request, context: InContext, page: InPage) -> ActivityLogsResponse:
    """List what was done, newest first."""
    filters, state = read_filters(request.query_params), request.app.state
    async with context.transaction() as tx:
        found, total = await service.list_entries(
            tx, filters, page, state.site, now=context.now, kept=state.logs_kept
        )
    shown = [ActivityLogOutput.of(entry, context.organization_id) for entry in found]
    return ActivityLogsResponse(activity_logs=shown, meta=Meta.of(page, total))


@router.get("/activity_logs/{activity_id}")
async def get_activity_log(activity_id: str, request: Request, context: InContext) -> ActivityLogResponse:
    """Read one entry."""
    entry_id, state = read_id(activity_id, "activity_log"), request.app.state
    async with context.transaction() as tx:
        found = await service.get_entry(tx, entry_id, state.site, now=context.now, kept=state.logs_kept)
    return ActivityLogResponse(activity_log=ActivityLogOutput.of(found, context.organization_id))
