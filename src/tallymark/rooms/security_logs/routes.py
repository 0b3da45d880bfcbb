"""The doors to security logs."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.rooms.security_logs import service
from tallymark.rooms.security_logs.schemas import (
    FILTERS,
    SecurityLogOutput,
    SecurityLogResponse,
    SecurityLogsResponse,
    read_filters,
)

router = tenant_router("security_logs", resource="security_log")


@router.get("/security_logs", openapi_extra=FILTERS)
async def list_security_logs(request: Request, context: InContext, page: InPage) -> SecurityLogsResponse:
    """List changes of keys, issuers and webhook endpoints up to `to_date`, newest first."""
    filters = read_filters(request.query_params)
    async with context.transaction() as tx:
        found, total = await service.list_entries(tx, filters, page, now=context.now)
    shown = [SecurityLogOutput.of(entry) for entry in found]
    return SecurityLogsResponse(security_logs=shown, meta=Meta.of(page, total))


@router.get("/security_logs/{log_id}")
async def get_security_log(log_id: str, context: InContext) -> SecurityLogResponse:
    """Read one entry."""
    async with context.transaction() as tx:
        found = await service.get_entry(tx, read_id(log_id, "security_log"), now=context.now)
    return SecurityLogResponse(security_log=SecurityLogOutput.of(found))
