"""Keep campaigns (wallets §17)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.activity import changes
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.dunning import repository
from tallymark.rooms.dunning.model import Campaign, CampaignInput
from tallymark.rooms.dunning.service import asking
from tallymark.rooms.dunning.service.choices import set_entity_campaign
from tallymark.rooms.organizations import service as organizations


async def create_campaign(tx: Tx, asked: CampaignInput, *, now: datetime) -> Campaign:
    """Make a campaign, for the default billing entity where that is said. Raises `Invalid` for a code that is taken."""
    assert asked.thresholds, "a campaign has thresholds"
    await tx.lock(asking.LOCK, tx.organization_id)
    await _check_code(tx, asked.values["code"])
    campaign_id = new_id()
    row = {"id": campaign_id, "organization_id": tx.organization_id, **asked.values}
    await repository.insert_campaign(tx, {**row, "created_at": now, "updated_at": now})
    await repository.replace_thresholds(tx, campaign_id, asked.thresholds)
    if asked.applied_to_organization:
        await set_entity_campaign(tx, await organizations.get_default_entity(tx), campaign_id, now=now)
    await log_alone(tx, "dunning_campaign.created", campaign_id, now=now)
    return await get_campaign(tx, code=asked.values["code"])


async def update_campaign(tx: Tx, code: str, asked: CampaignInput, *, now: datetime) -> Campaign:
    """Change what is sent, and look at everybody whom it asks anew.

    Who reaches none of changed thresholds any more begins anew; other days and counts change nothing that was.
    Raises `NotFound`, and `Invalid` for a code that is taken.
    """
    await tx.lock(asking.LOCK, tx.organization_id)
    campaign = await get_campaign(tx, code=code)
    new_code = asked.values.get("code", code)
    if new_code != code:
        await _check_code(tx, new_code)
    await repository.update_campaign(tx, campaign.id, {**asked.values, "updated_at": now})
    if asked.thresholds is not None:
        await repository.replace_thresholds(tx, campaign.id, asked.thresholds)
        if not campaign.thresholds.items() <= asked.thresholds.items():  # more of them take nothing away
            await repository.forget_unreached(tx, campaign.id)
    if asked.applied_to_organization not in (None, campaign.applied_to_organization):
        chosen = campaign.id if asked.applied_to_organization else None
        await set_entity_campaign(tx, await organizations.get_default_entity(tx), chosen, now=now)
    await asking.note(tx, await repository.concerned(tx, campaign_id=campaign.id), now=now)
    changed = await get_campaign(tx, code=new_code)
    different = changes(campaign, changed)
    await log_alone(tx, "dunning_campaign.updated", campaign.id, now=now, changed=different)
    return changed


async def get_campaign(tx: Tx, *, code: str) -> Campaign:
    """A campaign by code. Raises `NotFound("dunning_campaign")`."""
    found = await repository.find_campaign(tx, code)
    if found is None:
        raise NotFound("dunning_campaign")
    return found


async def list_campaigns(tx: Tx, searched: str, page: Page) -> tuple[list[Campaign], int]:
    """A page of campaigns, the newest first, of those that have a text in their name or code, and how many there are."""
    return await repository.list_campaigns(tx, searched, page)


async def delete_campaign(tx: Tx, code: str, *, now: datetime) -> Campaign:
    """Delete a campaign: whom it asked begins anew, by their billing entity's where it was their own. Raises `NotFound`."""
    await tx.lock(asking.LOCK, tx.organization_id)
    campaign = await get_campaign(tx, code=code)
    concerned = await repository.concerned(tx, campaign_id=campaign.id)
    await repository.forget_all_of(tx, campaign_id=campaign.id)
    await repository.detach(tx, campaign.id)
    await repository.update_campaign(tx, campaign.id, {"deleted_at": now, "updated_at": now})
    await asking.note(tx, await repository.concerned(tx, customer_ids=concerned), now=now)
    await log_alone(tx, "dunning_campaign.deleted", campaign.id, now=now)
    return campaign


async def get_campaigns(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Campaign]:
    """Campaigns by id, deleted ones too."""
    return await repository.get_campaigns(tx, ids)


async def bcc_emails_of(tx: Tx, campaign_id: UUID) -> Collection[str]:
    """Who gets a copy of what a campaign sends, though nobody else sees it."""
    return (await repository.get_campaigns(tx, [campaign_id]))[campaign_id].bcc_emails


async def _check_code(tx: Tx, code: str) -> None:
    if await repository.find_campaign(tx, code) is not None:
        raise Invalid({"code": ["value_already_exist"]})
