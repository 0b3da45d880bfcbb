"""The doors to dunning, for people: the contract leaves campaigns to the web app (wallets §17, platform §4)."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import permitted
from tallymark.api.queries import reads
from tallymark.api.routing import member_router
from tallymark.rooms.customers import service as customers
from tallymark.rooms.dunning import service
from tallymark.rooms.dunning.model import Campaign
from tallymark.rooms.dunning.schemas import (
    CampaignCreateRequest,
    CampaignOutput,
    CampaignResponse,
    CampaignsResponse,
    CampaignUpdateRequest,
    CustomerChoiceRequest,
    CustomerDunningOutput,
    CustomerDunningResponse,
    EntityCampaignResponse,
    EntityChoiceRequest,
)
from tallymark.rooms.organizations import service as organizations

router = member_router("app: dunning campaigns")


@router.post("/dunning_campaigns")
@permitted("dunning_campaigns:create")
async def create_campaign(body: CampaignCreateRequest, context: InContext) -> CampaignResponse:
    """Make a campaign; `applied_to_organization` gives it to the default billing entity."""
    async with context.transaction() as tx:
        return _answer(await service.create_campaign(tx, body.dunning_campaign.to_value(), now=context.now))


@router.get("/dunning_campaigns", openapi_extra=reads("search_term"))
@permitted("dunning_campaigns:view")
async def list_campaigns(request: Request, context: InContext, page: InPage) -> CampaignsResponse:
    """List campaigns, the newest first; `search_term` looks in names and codes."""
    searched = request.query_params.get("search_term", "").strip()
    async with context.transaction() as tx:
        found, total = await service.list_campaigns(tx, searched, page)
    shown = [CampaignOutput.of(campaign) for campaign in found]
    return CampaignsResponse(dunning_campaigns=shown, meta=Meta.of(page, total))


@router.get("/dunning_campaigns/{code:path}")
@permitted("dunning_campaigns:view")
async def get_campaign(code: str, context: InContext) -> CampaignResponse:
    """Read one campaign."""
    async with context.transaction() as tx:
        return _answer(await service.get_campaign(tx, code=code))


@router.put("/dunning_campaigns/{code:path}")
@permitted("dunning_campaigns:update")
async def update_campaign(code: str, body: CampaignUpdateRequest, context: InContext) -> CampaignResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        changed = await service.update_campaign(tx, code, body.dunning_campaign.to_value(), now=context.now)
        return _answer(changed)


@router.delete("/dunning_campaigns/{code:path}")
@permitted("dunning_campaigns:delete")
async def delete_campaign(code: str, context: InContext) -> CampaignResponse:
    """Delete a campaign: nobody is asked by it any more."""
    async with context.transaction() as tx:
        return _answer(await service.delete_campaign(tx, code, now=context.now))


@router.get("/billing_entities/{code:path}/dunning_campaign")
@permitted("billing_entities:view")
async def get_entity_campaign(code: str, context: InContext) -> EntityCampaignResponse:
    """By which campaign a billing entity's customers are asked."""
    async with context.transaction() as tx:
        entity = await organizations.get_entity(tx, code=code)
        found = await service.get_entity_campaign(tx, entity)
    return EntityCampaignResponse(dunning_campaign=None if found is None else CampaignOutput.of(found))


@router.put("/billing_entities/{code:path}/dunning_campaign")
@permitted("billing_entities:update")
async def choose_for_entity(
    code: str, body: EntityChoiceRequest, context: InContext
) -> EntityCampaignResponse:
    """Have a billing entity's customers asked by a campaign, or by none; those with a choice of their own keep it."""
    async with context.transaction() as tx:
        entity = await organizations.get_entity(tx, code=code)
        await service.choose_for_entity(tx, entity, body.dunning_campaign_code, now=context.now)
        found = await service.get_entity_campaign(tx, entity)
    return EntityCampaignResponse(dunning_campaign=None if found is None else CampaignOutput.of(found))


@router.get("/customers/{external_id:path}/dunning")
@permitted("customers:view")
async def get_customer_dunning(external_id: str, context: InContext) -> CustomerDunningResponse:
    """By which campaign a customer is asked, and how often it was."""
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_id)
        found = await service.dunning_of(tx, customer)
    return CustomerDunningResponse(dunning=CustomerDunningOutput.of(found))


@router.put("/customers/{external_id:path}/dunning")
@permitted("customers:update")
async def choose_for_customer(
    external_id: str, body: CustomerChoiceRequest, context: InContext
) -> CustomerDunningResponse:
    """Have a customer asked by a campaign of their own, by none, or as their billing entity has it."""
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_id)
        await service.choose_for_customer(
            tx,
            customer,
            code=body.dunning_campaign_code,
            is_excluded=body.exclude_from_dunning_campaign,
            now=context.now,
        )
        found = await service.dunning_of(tx, customer)
    return CustomerDunningResponse(dunning=CustomerDunningOutput.of(found))


def _answer(campaign: Campaign) -> CampaignResponse:
    return CampaignResponse(dunning_campaign=CampaignOutput.of(campaign))
