"""The doors to limits: an organization sees its own, the operator sets them."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.operators import operator_of, operator_router, staff_of
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Database
from tallymark.rooms.limits import service
from tallymark.rooms.limits.schemas import AllowedResponse, LimitsRequest, UsedResponse
from tallymark.rooms.limits.service import Setter
from tallymark.rooms.organizations.access import system_now

router = member_router("app: limits")
admin_router = operator_router()


@router.get("/limits")
@permitted("organization:view")
async def list_limits(request: Request, context: InContext) -> UsedResponse:
    """List how much the organization may have, and how much it has."""
    defaults = request.app.state.tenant_limits.defaults
    async with context.transaction() as tx:
        found = await service.list_used(tx.connection, tx.organization_id, defaults, now=context.now)
    return UsedResponse.of(found)


@admin_router.get("/organizations/{lago_id}/limits")
async def get_limits(lago_id: str, request: Request) -> AllowedResponse:
    """Read how much an organization may have."""
    return await _show(request, lago_id)


@admin_router.put("/organizations/{lago_id}/limits")
async def set_limits(lago_id: str, body: LimitsRequest, request: Request) -> AllowedResponse:
    """Say how much an organization may have: null is as the settings say, 0 any number; other processes know within half a minute."""
    database: Database = request.app.state.database
    organization_id = read_id(lago_id, "organization")
    by = Setter(staff=staff_of(request), actor=operator_of(request))
    async with database.system() as connection:
        await service.set_own(connection, organization_id, body.to_values(), by=by, now=system_now())
    request.app.state.gatekeeper.forget()
    return await _show(request, lago_id)


async def _show(request: Request, lago_id: str) -> AllowedResponse:
    database: Database = request.app.state.database
    defaults = request.app.state.tenant_limits.defaults
    async with database.system() as connection:
        found = await service.list_allowed(connection, read_id(lago_id, "organization"), defaults)
    return AllowedResponse.of(found)
