"""The doors to an organization's own settings, and the operator's door to making one."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Request

from tallymark.api.context import InContext
from tallymark.api.errors import Unauthorized
from tallymark.api.routing import tenant_router
from tallymark.api.wire import wire_instant
from tallymark.domain.errors import NotFound
from tallymark.rooms.organizations import service
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.organizations.schemas import (
    CreatedOrganizationOutput,
    NewOrganizationRequest,
    NewOrganizationResponse,
    OrganizationOutput,
    OrganizationResponse,
)

router = tenant_router("organizations", resource="organization")
admin_router = APIRouter(prefix="/admin", tags=["admin"])


@router.get("/organizations")
async def get_organization(context: InContext) -> OrganizationResponse:
    """Read the organization that the key belongs to."""
    async with context.transaction() as tx:
        organization = await service.get_organization(tx)
    return OrganizationResponse(organization=OrganizationOutput.of(organization))


@admin_router.post("/organizations")
async def create_organization(
    body: NewOrganizationRequest, request: Request, x_admin_api_key: Annotated[str | None, Header()] = None
) -> NewOrganizationResponse:
    """Make an organization, with a test clock if one is given (test-clock.md), and invite its e-mail address as admin."""
    _admit_operator(request, x_admin_api_key)
    database = request.app.state.database
    async with database.system() as connection:
        made = await service.create_organization(
            connection,
            name=body.name,
            email=body.email,
            now=system_now(),
            frozen_time=body.test_clock.frozen_time if body.test_clock else None,
        )
    async with database.tenant(made.organization_id) as tx:
        organization = await service.get_organization(tx)
        invite_url = await request.app.state.invite_admin(
            tx, body.email, now=made.frozen_time or system_now()
        )
    clock = {"frozen_time": wire_instant(made.frozen_time)} if made.frozen_time else None
    shown = CreatedOrganizationOutput(**OrganizationOutput.of(organization).__dict__, test_clock=clock)
    return NewOrganizationResponse(organization=shown, api_key=made.api_key, invite_url=invite_url)


def _admit_operator(request: Request, key: str | None) -> None:
    expected: str | None = request.app.state.admin_api_key
    if expected is None:
        raise NotFound("resource")
    if key is None or not secrets.compare_digest(key.encode(), expected.encode()):
        raise Unauthorized
