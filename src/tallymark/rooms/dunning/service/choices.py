"""Choose by which campaign customers are asked: each for themselves, and those of a billing entity together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.dunning import UNTOUCHED
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs import security
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.dunning import repository
from tallymark.rooms.dunning.model import Campaign, Choice, CustomerDunning, Source
from tallymark.rooms.dunning.service import asking
from tallymark.rooms.organizations.model import BillingEntity


async def dunning_of(tx: Tx, customer: Customer) -> CustomerDunning:
    """How a customer is asked, and how far that has come."""
    choice = await repository.choice_of(tx, customer.id)
    entity_id = customer.billing_entity_id
    source = Source.CUSTOMER if choice.campaign_id else Source.BILLING_ENTITY
    campaign_id = choice.campaign_id or (await repository.entity_campaigns(tx, [entity_id])).get(entity_id)
    if choice.is_excluded or customer.is_partner:
        campaign_id = None
    known = await repository.get_campaigns(tx, [campaign_id] if campaign_id else [])
    return CustomerDunning(
        choice=choice,
        campaign=known[campaign_id] if campaign_id else None,
        source=source if campaign_id else None,
        progress=(await repository.progress_of(tx, [customer.id])).get(customer.id, UNTOUCHED),
    )


async def choose_for_customer(
    tx: Tx, customer: Customer, *, code: str | None, is_excluded: bool, now: datetime
) -> None:
    """Have a customer asked by a campaign of their own, by none, or as their billing entity says; other than before they begin anew.

    Raises `NotFound("dunning_campaign")`, and `Invalid` for a campaign for somebody who is to be left alone.
    """
    if is_excluded and code is not None:
        raise Invalid({"dunning_campaign_code": ["value_must_be_blank"]})
    await tx.lock("customer", customer.id)
    await asking.share_lock(tx)
    chosen = None if code is None else await _find(tx, code)
    before = await repository.choice_of(tx, customer.id)
    after = Choice(campaign_id=chosen.id if chosen else None, is_excluded=is_excluded)
    if after == before:
        return
    known = await repository.get_campaigns(tx, [before.campaign_id] if before.campaign_id else [])
    await repository.set_choice(tx, customer.id, after)
    await repository.forget(tx, [customer.id])
    await asking.note(tx, await repository.concerned(tx, customer_ids=[customer.id]), now=now)
    was = known[before.campaign_id] if before.campaign_id else None
    changes = _different(
        dunning_campaign_code=[_code(was), _code(chosen)],
        exclude_from_dunning_campaign=[before.is_excluded, is_excluded],
    )
    message = Message(
        webhook_type="customer.updated", object_type="customer", object_id=customer.id, changes=changes
    )
    await emit(tx, message, now=now)


async def get_entity_campaign(tx: Tx, entity: BillingEntity) -> Campaign | None:
    """By which campaign a billing entity's customers are asked who have no choice of their own."""
    campaign_id = (await repository.entity_campaigns(tx, [entity.id])).get(entity.id)
    return None if campaign_id is None else (await repository.get_campaigns(tx, [campaign_id]))[campaign_id]


async def choose_for_entity(tx: Tx, entity: BillingEntity, code: str | None, *, now: datetime) -> None:
    """Have a billing entity's customers asked by a campaign, or by none. Raises `NotFound("dunning_campaign")`."""
    await tx.lock(asking.LOCK, tx.organization_id)
    chosen = None if code is None else await _find(tx, code)
    await set_entity_campaign(tx, entity, chosen.id if chosen else None, now=now)


async def set_entity_campaign(
    tx: Tx, entity: BillingEntity, campaign_id: UUID | None, *, now: datetime
) -> None:
    """Set the campaign of a billing entity: other than before, those who have no choice of their own begin anew.

    Needs the lock alone.
    """
    before = (await repository.entity_campaigns(tx, [entity.id])).get(entity.id)
    if before == campaign_id:
        return
    await repository.set_entity_campaign(tx, entity.id, campaign_id)
    await repository.forget_all_of(tx, entity_id=entity.id)
    await asking.note(tx, await repository.concerned(tx, entity_id=entity.id), now=now)
    known = await repository.get_campaigns(tx, [one for one in (before, campaign_id) if one])
    codes = [known[one].code if one else None for one in (before, campaign_id)]
    changes = {"dunning_campaign_code": codes}
    entry = Message(
        activity_type="billing_entities.updated",
        object_type="billing_entity",
        object_id=entity.id,
        changes=changes,
    )
    await emit(tx, entry, now=now)
    named = {"lago_id": str(entity.id), "billing_entity_code": entity.code}
    told = {**named, **security.deletions_and_additions(changes)}
    await security.record(tx, "billing_entity.updated", told, now=now)


async def _find(tx: Tx, code: str) -> Campaign:
    found = await repository.find_campaign(tx, code)
    if found is None:
        raise NotFound("dunning_campaign")
    return found


def _code(campaign: Campaign | None) -> str | None:
    return campaign.code if campaign else None


def _different(**values: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}
