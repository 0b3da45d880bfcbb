"""Make customers and change them (subscriptions §1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid
from tallymark.jobs.activity import Changes, changes, differences, shown
from tallymark.jobs.outbox import Message, emit, log_change
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer, Step
from tallymark.rooms.customers.service import funding
from tallymark.rooms.customers.service.follow import follow_customer
from tallymark.rooms.customers.service.link import is_followed, note_steps
from tallymark.rooms.customers.service.notes import MetadataInput, check_count, replace_metadata
from tallymark.rooms.customers.service.provider import (
    OF_PROVIDER,
    LinkChange,
    ProviderInput,
    check_transfers,
    read_link,
)
from tallymark.rooms.customers.service.sections import check_sections, choose_sections
from tallymark.rooms.customers.service.vat import apply_taxes
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerInput:
    """What an upsert names: columns, and what is kept in tables of its own (None: not sent)."""

    external_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    billing_entity_code: str | None = None
    moves_entity: bool = False
    tax_codes: Sequence[str] | None = None
    metadata: Sequence[MetadataInput] | None = None
    provider: ProviderInput | None = None
    integration_types: Sequence[str] = ()
    section_codes: Sequence[str] | None = None


async def upsert(
    tx: Tx,
    asked: CustomerInput,
    *,
    check_allowed: Callable[[Customer | None], None],
    is_awaited: bool = False,
    now: datetime,
) -> Customer:
    """Make a customer or change what is sent of one, all or nothing (subscriptions §1.3).

    `check_allowed` hears whom it would change, None for one who is new, and raises where the caller may not. Of one whose link
    `is_awaited` the caller asks the provider themselves, once this is committed.
    Raises `NotFound` for an unknown billing entity or tax, `Invalid` for metadata or a payment provider that can't be.
    """
    await tx.lock("customer-external-id", tx.organization_id)
    known = await repository.find_customer(tx, asked.external_id)
    if known is not None and asked.provider is not None:
        await tx.lock("customer", known.id)  # a job may be writing who they are at their provider
        known = await repository.find_customer(tx, asked.external_id)
    check_allowed(known)
    entity = await organizations.get_entity(tx, code=asked.billing_entity_code)
    check_count(asked.metadata)
    if len(set(asked.integration_types)) < len(asked.integration_types):
        raise Invalid({"integration_customers": ["invalid_count_per_integration_type"]})
    skips = asked.values.get("skip_invoice_custom_sections")
    check_sections(skips, asked.section_codes)
    link = await read_link(tx, known, asked.provider)
    values = {**asked.values, **link.columns}
    if known is None:
        customer_id = await _insert(tx, asked.external_id, entity, values, now=now)
    else:
        customer_id = known.id
        if "account_type" in values and not await repository.is_editable(tx, known.id):
            del values["account_type"]  # a quirk: upserts carry it along (§1.3)
        moved = {"billing_entity_id": entity.id} if asked.moves_entity else {}
        await repository.update_customer(tx, customer_id, {**values, **moved, "updated_at": now})
        if link.parts or any(
            values.get(name, getattr(known, name)) != getattr(known, name) for name in OF_PROVIDER[:2]
        ):
            await repository.delete_payment_methods(tx, customer_id, at=now)
    if asked.metadata is not None:
        await replace_metadata(tx, customer_id, known.metadata if known else (), asked.metadata, now=now)
    printed = await choose_sections(tx, customer_id, skips=skips, codes=asked.section_codes)
    customer = (await repository.get_customers(tx, {customer_id}))[customer_id]
    if asked.integration_types and not customer.is_partner:
        raise Invalid({"integration_customers": ["unsupported_value"]})
    taxed = await apply_taxes(tx, known, customer, asked.tax_codes, now=now)
    if asked.provider is not None:
        check_transfers(customer, entity)
    await _ask_provider(tx, known, customer, link, is_awaited=is_awaited, now=now)
    if known is not None:
        await follow_customer(tx, known, customer, now=now)
    await _tell(tx, known, customer, {**printed, **taxed}, now=now)
    return customer


async def _ask_provider(
    tx: Tx,
    before: Customer | None,
    customer: Customer,
    link: LinkChange,
    *,
    is_awaited: bool,
    now: datetime,
) -> None:
    """Have the provider asked for what a change of the link, or of who the customer is, comes to."""
    is_anew = before is not None and any(
        getattr(before, name) != getattr(customer, name) for name in OF_PROVIDER
    )
    steps = set(link.steps)
    if before is not None and customer.provider_customer_id is not None and is_followed(before, customer):
        steps.add(Step.FOLLOW)
    if is_anew:
        await funding.forget(tx, customer.id)
    if await funding.look_ahead(tx, before, customer, now=now):
        steps.add(Step.FUND)
    if steps or is_anew:
        await note_steps(tx, customer.id, steps, is_anew=is_anew, is_awaited=is_awaited, now=now)


async def _insert(
    tx: Tx, external_id: str, entity: BillingEntity, values: Mapping[str, Any], *, now: datetime
) -> UUID:
    number = await organizations.take_customer_number(tx)
    organization = await organizations.get_organization(tx)
    customer_id = new_id()
    await repository.insert_customer(
        tx,
        {
            "id": customer_id,
            "organization_id": tx.organization_id,
            "billing_entity_id": entity.id,
            "external_id": external_id,
            "sequential_id": number,
            "slug": f"{organization.document_number_prefix}-{number:03d}",
            **values,
            "created_at": now,
            "updated_at": now,
        },
    )
    return customer_id


async def _tell(tx: Tx, before: Customer | None, customer: Customer, more: Changes, *, now: datetime) -> None:
    message = Message(
        webhook_type="customer.created" if before is None else "customer.updated",
        object_type="customer",
        object_id=customer.id,
        changes={} if before is None else {**_changes(before, customer), **more},
    )
    await emit(tx, message, now=now)


def _changes(before: Customer, after: Customer) -> Changes:
    """What is another of a customer's fields, addresses and notes, as the wire names them."""
    moved = changes(before.shipping_address, after.shipping_address)
    shipping = [{name: pair[side] for name, pair in moved.items()} for side in (0, 1)]
    notes = [
        [shown(note, without=("id", "created_at")) for note in customer.metadata]
        for customer in (before, after)
    ]
    return {
        **changes(before, after),
        **changes(before.address, after.address),
        **differences({"shipping_address": shipping[0]}, {"shipping_address": shipping[1]}),
        **differences({"metadata": notes[0]}, {"metadata": notes[1]}),
    }


async def create_implicitly(
    tx: Tx, *, external_id: str, billing_entity: BillingEntity | None, now: datetime
) -> Customer:
    """Make a customer who is known by its external id alone (subscriptions §2.4)."""
    entity = billing_entity or await organizations.get_default_entity(tx)
    await tx.lock("customer-external-id", tx.organization_id)
    known = await repository.find_customer(tx, external_id)
    if known is not None:
        return known
    customer_id = await _insert(tx, external_id, entity, {}, now=now)
    customer = (await repository.get_customers(tx, {customer_id}))[customer_id]
    await apply_taxes(tx, None, customer, None, now=now)
    await _tell(tx, None, customer, {}, now=now)
    return customer


async def set_currency_if_blank(tx: Tx, customer: Customer, currency: str, *, now: datetime) -> None:
    """Take the currency of the first thing sold to a customer as their preference (subscriptions §1.4)."""
    if customer.currency is None:
        await repository.update_customer(tx, customer.id, {"currency": currency})
        changed = {"currency": [None, currency]}
        await log_change(tx, "customer.updated", customer.id, changed, now=now)
        if await funding.look_ahead(tx, customer, replace(customer, currency=currency), now=now):
            await note_steps(tx, customer.id, [Step.FUND], is_anew=False, is_awaited=False, now=now)
