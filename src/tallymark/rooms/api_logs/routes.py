"""The doors to API logs."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.rooms.api_logs import service
from tallymark.rooms.api_logs.schemas import (
    FILTERS,
    ApiLogOutput,
    ApiLogResponse,
    ApiLogsResponse,
    read_filters,
)

router = tenant_router("api_logs", resource="api_log")


@router.get("/api_logs", openapi_extra=FILTERS)
async def list_api_logs(request: Request, context: InContext, page: InPage) -> ApiLogsResponse:
    """List the calls that changed something or were to, newest first; a path may have `*` for any text."""
    filters, kept = read_filters(request.query_params), request.app.state.logs_kept
    async with context.transaction() as tx:
        found, total = await service.list_entries(tx, filters, page, now=context.now, kept=kept)
    return ApiLogsResponse(api_logs=[ApiLogOutput.of(entry) for entry in found], meta=Meta.of(page, total))


@router.get("/api_logs/{request_id}")
async def get_api_log(request_id: str, request: Request, context: InContext) -> ApiLogResponse:
    """Read one call by the id that it came with, or was answered with (`X-Request-Id`)."""
    kept = request.app.state.logs_kept
    async with context.transaction() as tx:
        found = await service.get_entry(tx, read_id(request_id, "api_log"), now=context.now, kept=kept)
    return ApiLogResponse(api_log=ApiLogOutput.of(found))
