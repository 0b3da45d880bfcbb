"""The doors to billing entities, and to changing the organization's settings."""

from __future__ import annotations

import hashlib

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.permissions import WRITE, Need, Right, guarded_by
from tallymark.api.routing import tenant_router
from tallymark.db.engine import Tx
from tallymark.rooms.billing_entities import service
from tallymark.rooms.billing_entities.model import Logo
from tallymark.rooms.billing_entities.ports import LogoStore, logo_key
from tallymark.rooms.billing_entities.schemas import (
    DetailedEntityOutput,
    DetailedEntityResponse,
    EntitiesResponse,
    EntityCreateRequest,
    EntityOutput,
    EntityResponse,
    EntityUpdateRequest,
    OrganizationRequest,
    OrganizationWithTaxesOutput,
    OrganizationWithTaxesResponse,
)
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.organizations.ports import WebhookUrls
from tallymark.rooms.organizations.schemas import OrganizationOutput
from tallymark.rooms.taxes.schemas import TaxOutput

router = tenant_router("billing_entities", resource="billing_entity")

LISTENING = Need((Right(WRITE, "organization"),), frozenset(["developers:manage"]))
"""What it takes to say where webhooks go: a person who may change an organization's address may not do that, too."""


@router.post("/billing_entities")
async def create_entity(body: EntityCreateRequest, request: Request, context: InContext) -> EntityResponse:
    """Make one more issuer of invoices."""
    key = await _keep(request, context, body.billing_entity.logo)
    async with context.transaction() as tx:
        made = await service.create_entity(tx, body.billing_entity.to_value(key), now=context.now)
        default = await organizations.get_default_entity(tx)
    shown = EntityOutput.of(made, default=default, logo_url=context.file_url(made.logo_key))
    return EntityResponse(billing_entity=shown)


@router.get("/billing_entities")
async def list_entities(context: InContext) -> EntitiesResponse:
    """List the active entities, the oldest first, all on one page."""
    async with context.transaction() as tx:
        found = await organizations.list_entities(tx)
    return EntitiesResponse(
        billing_entities=[
            EntityOutput.of(entity, default=found[0], logo_url=context.file_url(entity.logo_key))
            for entity in found
        ]
    )


@router.get("/billing_entities/{code}")
async def get_entity(code: str, context: InContext) -> DetailedEntityResponse:
    """Read one entity with its taxes."""
    async with context.transaction() as tx:
        return await _answer(tx, await organizations.get_entity(tx, code=code), context)


@router.change("/billing_entities/{code}")
async def update_entity(
    code: str, body: EntityUpdateRequest, request: Request, context: InContext
) -> DetailedEntityResponse:
    """Change what is sent; drafts follow."""
    key = await _keep(request, context, body.billing_entity.logo)
    async with context.transaction() as tx:
        changed = await service.update_entity(tx, code, body.billing_entity.to_value(key), now=context.now)
        return await _answer(tx, changed, context)


@router.put("/organizations")
@guarded_by("organization")
async def update_organization(
    body: OrganizationRequest, request: Request, context: InContext
) -> OrganizationWithTaxesResponse:
    """Change what is sent, on the organization, its default billing entity and its first webhook endpoint."""
    asked = body.organization
    webhook_urls: WebhookUrls = request.app.state.webhook_urls
    if asked.webhook_url is not None:
        context.check(LISTENING)
    async with context.transaction() as tx:
        changed = await service.update_organization(tx, asked.own_values(), asked.to_value(), now=context.now)
        if asked.webhook_url is not None:
            await webhook_urls.set_first_url(tx, asked.webhook_url, now=context.now)
        taxes = await service.taxes_of(tx, changed.billing_entity)
        urls = await webhook_urls.list_urls(tx)
    shown = OrganizationWithTaxesOutput(
        **OrganizationOutput.of(changed, urls).__dict__, taxes=[TaxOutput.of(tax) for tax in taxes]
    )
    return OrganizationWithTaxesResponse(organization=shown)


async def _keep(request: Request, context: Context, logo: Logo | None) -> str | None:
    """Keep a logo before the transaction: under the name of its content, it replaces nothing."""
    if logo is None:
        return None
    store: LogoStore = request.app.state.documents
    key = logo_key(logo, hashlib.sha256(logo.content).hexdigest())
    await store.keep(context.organization_id, key, logo.content)
    return key


async def _answer(tx: Tx, entity: BillingEntity, context: Context) -> DetailedEntityResponse:
    taxes = await service.taxes_of(tx, entity)
    default = await organizations.get_default_entity(tx)
    sections = await service.sections_of(tx, entity)
    shown = EntityOutput.of(entity, default=default, logo_url=context.file_url(entity.logo_key))
    return DetailedEntityResponse(billing_entity=DetailedEntityOutput.with_choices(shown, taxes, sections))
