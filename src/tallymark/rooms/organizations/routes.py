"""The doors to an organization's own settings, and the operator's doors to making one and renaming it."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.operators import operator_of, operator_router, staff_of
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id, wire_instant
from tallymark.db.engine import Database, Source
from tallymark.rooms.organizations import census, service
from tallymark.rooms.organizations.access import now_of, system_now
from tallymark.rooms.organizations.ports import WebhookUrls
from tallymark.rooms.organizations.schemas import (
    CreatedOrganizationOutput,
    NewOrganizationRequest,
    NewOrganizationResponse,
    OrganizationOutput,
    OrganizationResponse,
    RenameRequest,
)

router = tenant_router("organizations", resource="organization")
admin_router = operator_router()


@router.get("/organizations")
async def get_organization(request: Request, context: InContext) -> OrganizationResponse:
    """Read the organization that the key belongs to."""
    webhook_urls: WebhookUrls = request.app.state.webhook_urls
    async with context.transaction() as tx:
        organization = await service.get_organization(tx)
        urls = await webhook_urls.list_urls(tx)
    return OrganizationResponse(organization=OrganizationOutput.of(organization, urls))


@admin_router.post("/organizations")
async def create_organization(body: NewOrganizationRequest, request: Request) -> NewOrganizationResponse:
    """Make an organization, with a test clock if one is given (test-clock.md), and invite its e-mail address as admin."""
    database: Database = request.app.state.database
    asked: dict[str, Any] = {"name": body.name, "email": body.email, "now": system_now()}
    async with database.system() as connection:
        frozen_time = body.test_clock.frozen_time if body.test_clock else None
        made = await service.create_organization(connection, **asked, frozen_time=frozen_time)
        await service.note_created(connection, made, **asked, by=staff_of(request))
    async with database.tenant(made.organization_id) as tx:
        organization = await service.get_organization(tx)
        invite_url = await request.app.state.invite_admin(
            tx, body.email, now=made.frozen_time or system_now()
        )
    clock = {"frozen_time": wire_instant(made.frozen_time)} if made.frozen_time else None
    shown = CreatedOrganizationOutput(**OrganizationOutput.of(organization, ()).__dict__, test_clock=clock)
    return NewOrganizationResponse(organization=shown, api_key=made.api_key, invite_url=invite_url)


@admin_router.put("/organizations/{lago_id}")
async def rename_organization(lago_id: str, body: RenameRequest, request: Request) -> OrganizationResponse:
    """Give an organization another name; its slug, prefix and billing entities keep theirs (platform §17)."""
    database: Database = request.app.state.database
    async with database.system() as connection:
        entry = await census.get_entry(connection, read_id(lago_id, "organization"))
    async with database.tenant(entry.id, source=Source.API, actor=operator_of(request)) as tx:
        urls = await request.app.state.webhook_urls.list_urls(tx)
        renamed = await service.rename_organization(
            tx, body.name, by=staff_of(request), now=await now_of(tx), at=system_now()
        )
    return OrganizationResponse(organization=OrganizationOutput.of(renamed, urls))
