"""The doors to data exports (platform §14)."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import reading
from tallymark.api.routing import tenant_router
from tallymark.api.tenant_limits import Limit, TenantLimits
from tallymark.api.wire import read_id
from tallymark.domain.errors import Forbidden
from tallymark.rooms.data_exports import service
from tallymark.rooms.data_exports.model import NEEDS, ResourceType
from tallymark.rooms.data_exports.schemas import (
    DataExportOutput,
    DataExportRequest,
    DataExportResponse,
    DataExportsResponse,
)

router = tenant_router("data exports", resource="invoice")


@router.post("/data_exports")
@reading("invoice", "credit_note")
async def create_data_export(
    body: DataExportRequest, request: Request, context: InContext
) -> DataExportResponse:
    """Have a list written to a file. It takes the right to read what is exported; a person needs that to export it.

    `filters` are names and values of the list's own query. With an `email` the link is sent there once the file is done.
    """
    context.check(NEEDS[body.data_export.resource_type])
    asked = body.data_export.to_value()
    if asked.email is not None and not request.app.state.sends_emails:
        raise Forbidden("feature_unavailable")
    limits: TenantLimits = request.app.state.tenant_limits
    async with context.transaction() as tx:
        await limits.check(tx.connection, tx.organization_id, Limit.EXPORTS_UNDER_WAY, now=context.now)
        export = await service.create(tx, asked, now=context.now)
    return DataExportResponse(data_export=DataExportOutput.of(export, context.file_url, now=context.now))


@router.get("/data_exports")
@reading("invoice", "credit_note")
async def list_data_exports(context: InContext, page: InPage) -> DataExportsResponse:
    """List the exports of what the caller may read, newest first."""
    types = [one for one in ResourceType if _may_see(context, one)]
    async with context.transaction() as tx:
        found, total = await service.list_exports(tx, types, page)
    shown = [DataExportOutput.of(one, context.file_url, now=context.now) for one in found]
    return DataExportsResponse(data_exports=shown, meta=Meta.of(page, total))


@router.get("/data_exports/{lago_id}")
@reading("invoice", "credit_note")
async def get_data_export(lago_id: str, context: InContext) -> DataExportResponse:
    """Read how far one export is, and where its file is."""
    async with context.transaction() as tx:
        export = await service.get_export(tx, read_id(lago_id, "data_export"))
    context.check(NEEDS[export.resource_type])
    return DataExportResponse(data_export=DataExportOutput.of(export, context.file_url, now=context.now))


def _may_see(context: Context, resource_type: ResourceType) -> bool:
    try:
        context.check(NEEDS[resource_type])
    except Forbidden:
        return False
    return True
