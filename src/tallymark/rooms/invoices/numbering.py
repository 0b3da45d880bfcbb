"""Numbers of invoices: given once, when an invoice is finalized, without gaps (invoicing §2.4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.domain.periods import local_date
from tallymark.domain.values import value
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import repository
from tallymark.rooms.organizations.model import BillingEntity


@value
class Number:
    """An invoice's number and the counters that it used."""

    text: str
    sequential_id: int
    entity_sequential_id: int | None


def draft_number(entity: BillingEntity) -> str:
    """What an invoice without a number shows."""
    return f"{entity.document_number_prefix}-DRAFT"


async def take_numbers(
    tx: Tx, issued: Sequence[tuple[Customer, BillingEntity]], *, now: datetime
) -> list[Number]:
    """Take the next numbers, in the order given; needs the customers' locks.

    The numbering of entities that count their invoices is locked until the transaction ends; that of others is shared, so that
    nobody begins to count meanwhile. Invoices that a partner bills to themselves are numbered by the customer, whatever the
    entity's scheme.
    """
    entities = {entity.id: entity for _, entity in issued}
    counting = {entity.id for customer, entity in issued if _is_of_entity(entity, customer)}
    for is_shared, ids in ((False, counting), (True, entities.keys() - counting)):
        if ids:
            await tx.lock_all("numbering", ids, is_shared=is_shared)
    series = {
        entity.id: await _series(
            tx, entity, {customer.id: customer for customer, of in issued if of.id == entity.id}.values(), now
        )
        for entity in entities.values()
    }
    return [series[entity.id].next_of(customer) for customer, entity in issued]


async def _series(tx: Tx, entity: BillingEntity, customers: Collection[Customer], now: datetime) -> _Series:
    counts = any(_is_of_entity(entity, customer) for customer in customers)
    return _Series(
        entity=entity,
        month=local_date(now, ZoneInfo(entity.timezone)),
        own=dict(
            await repository.last_sequential_ids(
                tx, customer_ids=[customer.id for customer in customers], entity_id=entity.id
            )
        ),
        counter=await repository.last_entity_sequential_id(tx, entity_id=entity.id) if counts else 0,
    )


def _is_of_entity(entity: BillingEntity, customer: Customer) -> bool:
    return entity.document_numbering != "per_customer" and not customer.is_partner


@dataclass(slots=True)
class _Series:
    """The last numbers given by one entity."""

    entity: BillingEntity
    month: date
    own: dict[UUID, int]
    counter: int

    def next_of(self, customer: Customer) -> Number:
        own = self.own[customer.id] = self.own.get(customer.id, 0) + 1
        prefix = self.entity.document_number_prefix
        if not _is_of_entity(self.entity, customer):
            text = f"{prefix}-{customer.sequential_id:03d}-{own:03d}"
            return Number(text=text, sequential_id=own, entity_sequential_id=None)
        self.counter += 1
        text = f"{prefix}-{self.month:%Y%m}-{self.counter:03d}"
        return Number(text=text, sequential_id=own, entity_sequential_id=self.counter)
