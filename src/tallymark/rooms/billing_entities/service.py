"""What can be done with billing entities, and with the organization's settings (platform §3, §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.domain.european_vat import MEMBERS
from tallymark.jobs import security
from tallymark.jobs.activity import as_json, changes, differences
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.billing_entities import repository
from tallymark.rooms.billing_entities.model import PER_ENTITY, EntityInput
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoice_custom_sections.model import Owner as Selector
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity, Organization
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax

NOT_IN_EU = "billing_entity_must_be_in_eu"
ELECTRONIC_COUNTRIES = ("FR", "DE")
"""Where an entity may issue electronic invoices (invoicing §15.1)."""

ORGANIZATION_NOT_IN_EU = "org_must_be_in_eu"


async def create_entity(tx: Tx, asked: EntityInput, *, now: datetime) -> BillingEntity:
    """Make one more issuer. Raises `Invalid` for a code that is taken or EU taxes outside the EU, `NotFound("tax")`."""
    _check_european(asked.values, NOT_IN_EU)
    _check_electronic(asked.values)
    entity = await organizations.create_entity(tx, asked.values, now=now)
    if entity.eu_tax_management:
        await taxes.make_automatic_taxes(tx, now=now)
    if asked.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.BILLING_ENTITY, entity.id, asked.tax_codes, is_exact=False)
    await _select_sections(tx, entity, asked)
    await emit(tx, _entry("billing_entities.created", entity), now=now)
    await security.record(tx, "billing_entity.created", _named(entity), now=now)
    return entity


async def update_entity(tx: Tx, code: str, asked: EntityInput, *, now: datetime) -> BillingEntity:
    """Change what is sent, and move what follows from it.

    Raises `NotFound` for an unknown entity or tax, `Invalid` for EU taxes outside the EU.
    """
    return await _change(tx, await organizations.get_entity(tx, code=code), asked, NOT_IN_EU, now=now)


async def archive_entity(tx: Tx, code: str, *, now: datetime) -> BillingEntity:
    """Take an entity out of use: it is not listed any more and takes nobody on, its documents stay (platform §4).

    Raises `NotFound("billing_entity")`; `Invalid` for the last one, and for one that bills somebody yet.
    """
    await tx.lock("billing-entity-code", tx.organization_id)
    entity = await organizations.get_entity(tx, code=code)
    if len(await organizations.list_entities(tx)) == 1:
        raise Invalid({"base": ["last_billing_entity"]})
    if await repository.bills_somebody(tx, entity.id):
        raise Invalid({"base": ["billing_entity_in_use"]})
    archived = await organizations.change_entity(tx, entity.id, {"archived_at": now}, now=now)
    await emit(tx, _entry("billing_entities.deleted", entity), now=now)
    told = {**_named(entity), **security.deletions_and_additions({"archived_at": [None, as_json(now)]})}
    await security.record(tx, "billing_entity.updated", told, now=now)
    return archived


async def update_organization(
    tx: Tx, own_values: Mapping[str, Any], asked: EntityInput, *, now: datetime
) -> Organization:
    """Change the organization's settings, and those of its default entity with the same values.

    Raises what `update_entity` raises, and `Invalid` for a slug that is taken.
    """
    entity = await organizations.get_default_entity(tx)
    await _change(tx, entity, asked, ORGANIZATION_NOT_IN_EU, now=now)
    return await organizations.change_organization(tx, own_values, now=now)


async def taxes_of(tx: Tx, entity: BillingEntity) -> tuple[Tax, ...]:
    """The taxes that an entity carries."""
    return (await taxes.taxes_of(tx, Owner.BILLING_ENTITY, {entity.id})).get(entity.id, ())


async def sections_of(tx: Tx, entity: BillingEntity) -> tuple[Section, ...]:
    """The sections that an entity has selected for invoices, by name."""
    return (await sections.sections_of(tx, Selector.BILLING_ENTITY, {entity.id})).get(entity.id, ())


async def _select_sections(tx: Tx, entity: BillingEntity, asked: EntityInput) -> None:
    if asked.section_codes is not None:
        await sections.select_sections(tx, Selector.BILLING_ENTITY, entity.id, asked.section_codes)


async def _change(
    tx: Tx, before: BillingEntity, asked: EntityInput, not_in_eu: str, *, now: datetime
) -> BillingEntity:
    merged = {
        "country": before.country,
        "eu_tax_management": before.eu_tax_management,
        "einvoicing": before.einvoicing,
        **asked.values,
    }
    _check_european(merged, not_in_eu)
    _check_electronic(merged)
    chosen = await _chosen(tx, before, asked)
    after = await organizations.change_entity(tx, before.id, asked.values, now=now)
    if asked.values.get("eu_tax_management"):
        await taxes.make_automatic_taxes(tx, now=now)
    if asked.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.BILLING_ENTITY, after.id, asked.tax_codes, is_exact=False)
        await taxes.refresh_drafts_of_entity(tx, after.id, now=now)
    await _select_sections(tx, after, asked)
    if after.document_numbering == PER_ENTITY != before.document_numbering:
        await tx.lock("numbering", after.id)
        await repository.count_up_to_now(tx, after.id)
    await customers.follow_entity(tx, before, after, now=now)
    different = {**changes(before, after), **differences(chosen, await _chosen(tx, after, asked))}
    await emit(tx, replace(_entry("billing_entities.updated", after), changes=different), now=now)
    told = {**_named(after), **security.deletions_and_additions(different)}
    await security.record(tx, "billing_entity.updated", told, now=now)
    return after


async def _chosen(tx: Tx, entity: BillingEntity, asked: EntityInput) -> Mapping[str, list[str]]:
    """The codes of taxes and sections that an entity carries, of those kinds that a request names."""
    found = {}
    if asked.tax_codes is not None:
        found["tax_codes"] = [tax.code for tax in await taxes_of(tx, entity)]
    if asked.section_codes is not None:
        found["invoice_custom_section_codes"] = [one.code for one in await sections_of(tx, entity)]
    return found


def _named(entity: BillingEntity) -> dict[str, str]:
    return {"lago_id": str(entity.id), "billing_entity_code": entity.code}


def _entry(activity_type: str, entity: BillingEntity) -> Message:
    return Message(activity_type=activity_type, object_type="billing_entity", object_id=entity.id)


def _check_european(values: Mapping[str, Any], code: str) -> None:
    if values.get("eu_tax_management") and values.get("country") not in MEMBERS:
        raise Invalid({"eu_tax_management": [code]})


def _check_electronic(values: Mapping[str, Any]) -> None:
    country = values.get("country")
    if not values.get("einvoicing") or country in ELECTRONIC_COUNTRIES:
        return
    raise Invalid({"einvoicing": ["country_not_supported" if country else "country_must_be_present"]})
