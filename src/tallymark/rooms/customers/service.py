"""What can be done with a customer (subscriptions §1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import IssuingRules, issuing_shift
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer, Filters, Metadata
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax

LARGEST_METADATA = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataInput:
    """A note as it was sent; `id` is that of one to change."""

    id: UUID | None
    key: str
    value: str
    display_in_invoice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerInput:
    """What an upsert names: columns, and what is kept in tables of its own (None: not sent)."""

    external_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    billing_entity_code: str | None = None
    moves_entity: bool = False
    tax_codes: Sequence[str] | None = None
    metadata: Sequence[MetadataInput] | None = None


async def upsert(tx: Tx, asked: CustomerInput, *, now: datetime) -> Customer:
    """Make a customer or change what is sent of one, all or nothing (subscriptions §1.3).

    Raises `NotFound` for an unknown billing entity or tax, `Invalid` for metadata that can't be.
    """
    entity = await organizations.get_entity(tx, code=asked.billing_entity_code)
    if asked.metadata is not None and len(asked.metadata) > LARGEST_METADATA:
        raise Invalid({"metadata": ["invalid_count"]})
    await tx.lock("customer-external-id", tx.organization_id)
    known = await repository.find_customer(tx, asked.external_id)
    if known is None:
        customer_id = await _insert(tx, asked.external_id, entity, asked.values, now=now)
    else:
        customer_id = known.id
        moved = {"billing_entity_id": entity.id} if asked.moves_entity else {}
        await repository.update_customer(tx, customer_id, {**asked.values, **moved, "updated_at": now})
    if asked.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.CUSTOMER, customer_id, asked.tax_codes)
        await taxes.refresh_drafts(tx, [customer_id], now=now)
    if asked.metadata is not None:
        await _replace_metadata(tx, customer_id, known.metadata if known else (), asked.metadata, now=now)
    customer = (await repository.get_customers(tx, {customer_id}))[customer_id]
    if known is not None:
        await _follow_changes(tx, known, customer, now=now)
    return customer


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


async def _replace_metadata(
    tx: Tx, customer_id: UUID, known: Sequence[Metadata], asked: Sequence[MetadataInput], *, now: datetime
) -> None:
    known_ids = {note.id for note in known}
    keys = [note.key for note in asked]
    # A key is kept by naming its note's id; sent without it, it collides with the one that exists (§1.6).
    clashes = {note.key for note in known} & {note.key for note in asked if note.id not in known_ids}
    if len(set(keys)) < len(keys) or clashes:
        raise Invalid({"key": ["value_already_exist"]})
    await repository.replace_metadata(tx, customer_id, [note.id for note in asked if note.id in known_ids])
    for note in asked:
        values = {"key": note.key, "value": note.value, "display_in_invoice": note.display_in_invoice}
        if note.id in known_ids and note.id is not None:
            await repository.update_metadata(tx, note.id, {**values, "updated_at": now})
        else:
            row = {
                "id": new_id(),
                "organization_id": tx.organization_id,
                "customer_id": customer_id,
                **values,
            }
            await repository.insert_metadata(tx, {**row, "created_at": now, "updated_at": now})


async def _follow_changes(tx: Tx, before: Customer, after: Customer, *, now: datetime) -> None:
    """Move what depends on the customer's zone and terms."""
    entities = await organizations.get_entities(tx, {before.billing_entity_id, after.billing_entity_id})
    old_entity, new_entity = entities[before.billing_entity_id], entities[after.billing_entity_id]
    if before.applicable_timezone(old_entity) != after.applicable_timezone(new_entity):
        await agenda.leave(tx, Item(kind=Kind.RESCHEDULE, subject_id=after.id, owner_id=after.id, due_at=now))
    old, new = before.issuing_rules(old_entity), after.issuing_rules(new_entity)
    if (old.grace_days, old.anchor, old.adjustment) != (new.grace_days, new.anchor, new.adjustment):
        await _shift_drafts(tx, after, old, new)


async def _shift_drafts(tx: Tx, customer: Customer, old: IssuingRules, new: IssuingRules) -> None:
    """Re-date drafts by the difference that the new terms make (invoicing §3); what is due then is finalized at once."""
    for draft in await repository.draft_dates(tx, customer.id):
        shift = issuing_shift(new, is_recurring=draft.is_recurring) - issuing_shift(
            old, is_recurring=draft.is_recurring
        )
        issuing_date = draft.issuing_date + timedelta(days=shift)
        finalization = draft.expected_finalization_date + timedelta(days=new.grace_days - old.grace_days)
        dates = {
            "issuing_date": issuing_date,
            "expected_finalization_date": finalization,
            "payment_due_date": issuing_date + timedelta(days=new.net_payment_term),
        }
        await repository.update_draft_dates(tx, draft.id, dates)
        due_at = datetime.combine(finalization, time.min, UTC)
        await agenda.leave(
            tx, Item(kind=Kind.FINALIZE_INVOICE, subject_id=draft.id, owner_id=customer.id, due_at=due_at)
        )


async def get_customer(tx: Tx, *, external_id: str) -> Customer:
    """A live customer by external id. Raises `NotFound("customer")`."""
    customer = await repository.find_customer(tx, external_id)
    if customer is None:
        raise NotFound("customer")
    return customer


async def find_customer(tx: Tx, *, external_id: str) -> Customer | None:
    """A live customer by external id."""
    return await repository.find_customer(tx, external_id)


async def get_customers(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """Customers by id, deleted ones included."""
    return await repository.get_customers(tx, ids) if ids else {}


async def list_customers(tx: Tx, filters: Filters, page: Page) -> tuple[list[Customer], int]:
    """A page of customers, newest first. Raises `NotFound("billing_entity")` for an unknown code."""
    for code in filters.billing_entity_codes:
        await organizations.get_entity(tx, code=code)
    return await repository.list_customers(tx, filters, page)


async def taxes_of(tx: Tx, customers: Sequence[Customer]) -> dict[UUID, tuple[Tax, ...]]:
    """The taxes that customers carry themselves."""
    return await taxes.taxes_of(tx, Owner.CUSTOMER, {customer.id for customer in customers})


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
    return (await repository.get_customers(tx, {customer_id}))[customer_id]


async def set_currency_if_blank(tx: Tx, customer: Customer, currency: str) -> None:
    """Take the currency of the first thing sold to a customer as their preference (subscriptions §1.4)."""
    if customer.currency is None:
        await repository.update_customer(tx, customer.id, {"currency": currency})


async def delete_customer(tx: Tx, external_id: str, *, now: datetime) -> Customer:
    """Soft-delete a customer, end their subscriptions and call off those to come (subscriptions §1.10)."""
    customer = await get_customer(tx, external_id=external_id)
    await tx.lock("customer", customer.id)
    for kind in (Kind.ACTIVATE_SUBSCRIPTION, Kind.TERMINATE_SUBSCRIPTION):
        await agenda.drop(tx, kind, *await repository.live_subscriptions(tx, customer.id, "pending"))
    await repository.cancel_pending_subscriptions(tx, customer.id, at=now)
    active = await repository.live_subscriptions(tx, customer.id, "active")
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.TERMINATE_SUBSCRIPTION, subject_id=item, owner_id=customer.id, due_at=now)
            for item in active
        ),
    )
    await repository.update_customer(tx, customer.id, {"deleted_at": now, "updated_at": now})
    return customer
