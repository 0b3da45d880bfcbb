"""What can be done with taxes: make, change and apply them (pricing §2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.domain.european_vat import automatic_taxes
from tallymark.jobs import agenda
from tallymark.jobs.activity import changes as changes_of
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.taxes import repository
from tallymark.rooms.taxes.model import AppliedTaxView, Owner, Tax


async def create_tax(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> Tax:
    """Make a tax, and attach it to the default billing entity if it is the organization's.

    Raises `Invalid` for a code that is taken.
    """
    await tx.lock("tax-code", tx.organization_id)
    if await repository.find_tax(tx, values["code"]):
        raise Invalid({"code": ["value_already_exist"]})
    stamps = {"created_at": now, "updated_at": now}
    row = {"id": new_id(), "organization_id": tx.organization_id, **values, **stamps}
    tax = await repository.insert_tax(tx, row)
    if tax.applied_to_organization:
        await _attach_to_default_entity(tx, tax, now=now)
    await log_alone(tx, "tax.created", tax.id, now=now)
    return tax


async def get_tax(tx: Tx, *, code: str) -> Tax:
    """A tax by code. Raises `NotFound("tax")`."""
    tax = await repository.find_tax(tx, code)
    if tax is None:
        raise NotFound("tax")
    return tax


async def update_tax(tx: Tx, code: str, changes: Mapping[str, Any], *, now: datetime) -> Tax:
    """Change what is sent; drafts of the customers concerned are computed anew."""
    tax = await get_tax(tx, code=code)
    new_code = changes.get("code", code)
    if new_code != code and await repository.find_tax(tx, new_code):
        raise Invalid({"code": ["value_already_exist"]})
    concerned = await repository.customers_concerned(tx, tax.id)
    changed = await repository.update_tax(tx, tax.id, {**changes, "updated_at": now})
    if changes.get("applied_to_organization") is True:
        await _attach_to_default_entity(tx, changed, now=now)
    elif changes.get("applied_to_organization") is False:
        entity = await organizations.get_default_entity(tx)
        await repository.remove_link(tx, Owner.BILLING_ENTITY, entity.id, tax.id)
    await _refresh(tx, await repository.drafts_with_tax(tx, tax.id), now=now)
    await refresh_drafts(tx, {*concerned, *await repository.customers_concerned(tx, tax.id)}, now=now)
    await log_alone(tx, "tax.updated", tax.id, now=now, changed=changes_of(tax, changed))
    return changed


async def delete_tax(tx: Tx, code: str, *, now: datetime) -> Tax:
    """Remove a tax from everything that carries it; finalized documents keep their copy."""
    await tx.lock("tax-code", tx.organization_id)
    tax = await get_tax(tx, code=code)
    concerned = await repository.customers_concerned(tx, tax.id)
    await repository.delete_tax(tx, tax.id, at=now)
    await _refresh(tx, await repository.drafts_with_tax(tx, tax.id), now=now)
    await refresh_drafts(tx, concerned, now=now)
    await log_alone(tx, "tax.deleted", tax.id, now=now)
    return tax


async def list_taxes(tx: Tx, page: Page) -> tuple[list[Tax], int]:
    """A page of taxes by name, and how many there are."""
    return await repository.list_taxes(tx, page)


async def taxes_of(tx: Tx, owner: Owner, ids: Collection[UUID]) -> dict[UUID, tuple[Tax, ...]]:
    """The taxes that owners carry themselves, by owner; owners without any are left out."""
    return await repository.taxes_of(tx, {owner: ids}) if ids else {}


async def taxes_of_several(tx: Tx, owners: Mapping[Owner, Collection[UUID]]) -> dict[UUID, tuple[Tax, ...]]:
    """The same of owners of several kinds, in one query."""
    return await repository.taxes_of(tx, owners) if any(owners.values()) else {}


async def get_taxes(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Tax]:
    """Taxes by id, deleted ones too: what was taxed keeps them."""
    return {tax.id: tax for tax in await repository.get_taxes(tx, ids)} if ids else {}


async def find_taxes(tx: Tx, codes: Collection[str]) -> dict[str, Tax]:
    """Taxes by code; unknown codes are left out."""
    found = await repository.find_taxes(tx, set(codes), is_exact=True) if codes else []
    return {tax.code: tax for tax in found}


async def replace_taxes(
    tx: Tx, owner: Owner, owner_id: UUID, codes: Sequence[str], *, is_exact: bool = True
) -> None:
    """Give an owner these taxes and no others. Raises `NotFound("tax")` for an unknown code.

    Codes that are not meant exactly may be written in any case (platform §4).
    """
    found = await repository.find_taxes(tx, set(codes), is_exact=is_exact)
    fold = str if is_exact else str.lower
    if {fold(code) for code in codes} - {fold(tax.code) for tax in found}:
        raise NotFound("tax")
    await repository.replace_links(tx, owner, owner_id, [tax.id for tax in found])


async def describe(tx: Tx, taxes: Sequence[Tax]) -> list[AppliedTaxView]:
    """Show taxes with the billing entities that carry them, in the order given."""
    carriers = await repository.entities_by_tax(tx, [tax.id for tax in taxes])
    default = await organizations.get_default_entity(tx)
    return [
        AppliedTaxView(
            tax=tax,
            is_default_entitys=any(entity_id == default.id for entity_id, _ in carriers.get(tax.id, [])),
            billing_entity_codes=tuple(code for _, code in carriers.get(tax.id, [])),
        )
        for tax in taxes
    ]


async def refresh_drafts(tx: Tx, customer_ids: Collection[UUID], *, now: datetime) -> None:
    """Have the drafts of customers computed anew (subscriptions §5.6)."""
    if not customer_ids:
        return
    await _refresh(tx, await repository.draft_invoices(tx, customer_ids), now=now)


async def _refresh(tx: Tx, drafts: Sequence[tuple[UUID, UUID]], *, now: datetime) -> None:
    # Noted, not enqueued one by one: the scheduler finds what is due by itself, and they may be many.
    await agenda.put(
        tx,
        *(
            Item(kind=Kind.REFRESH_DRAFT, subject_id=invoice_id, owner_id=customer_id, due_at=now)
            for invoice_id, customer_id in drafts
        ),
    )


async def refresh_drafts_of_entity(tx: Tx, entity_id: UUID, *, now: datetime) -> None:
    """Have the drafts of customers who inherit an entity's taxes computed anew (platform §4)."""
    await refresh_drafts(tx, await repository.customers_inheriting(tx, [entity_id]), now=now)


async def make_automatic_taxes(tx: Tx, *, now: datetime) -> None:
    """Make the taxes of the European Union, and bring those that exist up to date (subscriptions §1.7)."""
    await tx.lock("tax-code", tx.organization_id)
    known = {
        tax.code: tax for tax in await repository.find_taxes(tx, [tax.code for tax in automatic_taxes()])
    }
    fresh: list[dict[str, Any]] = []
    for tax in automatic_taxes():
        values = {"name": tax.name, "rate": tax.rate, "description": tax.description, "updated_at": now}
        found = known.get(tax.code)
        if found is None:
            keys = {"id": new_id(), "organization_id": tx.organization_id, "code": tax.code}
            fresh.append({**keys, **values, "auto_generated": True, "created_at": now})
        elif found.rate != tax.rate:
            changed = await repository.update_tax(tx, found.id, values)
            await refresh_drafts(tx, await repository.customers_concerned(tx, found.id), now=now)
            await log_alone(tx, "tax.updated", found.id, now=now, changed=changes_of(found, changed))
    await repository.insert_taxes(tx, fresh)
    await log_alone(tx, "tax.created", *(row["id"] for row in fresh), now=now)


async def keep_automatic_tax(tx: Tx, code: str, *, now: datetime) -> None:
    """Make the automatic taxes anew if this one was deleted."""
    if await repository.find_tax(tx, code) is None:
        await make_automatic_taxes(tx, now=now)


async def _attach_to_default_entity(tx: Tx, tax: Tax, *, now: datetime) -> None:
    entity = await organizations.get_default_entity(tx)
    await repository.add_links(tx, Owner.BILLING_ENTITY, entity.id, [tax.id])
    await refresh_drafts(tx, await repository.customers_concerned(tx, tax.id), now=now)
