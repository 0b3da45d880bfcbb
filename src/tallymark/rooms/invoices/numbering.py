"""Numbers of invoices: given once, when an invoice is finalized, without gaps (invoicing §2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.domain.periods import local_date
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import repository
from tallymark.rooms.organizations.model import BillingEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """An invoice's number and the counters that it used."""

    text: str
    sequential_id: int
    entity_sequential_id: int | None


def draft_number(entity: BillingEntity) -> str:
    """What an invoice without a number shows."""
    return f"{entity.document_number_prefix}-DRAFT"


async def take_number(tx: Tx, *, customer: Customer, entity: BillingEntity, now: datetime) -> Number:
    """Take the next number; the entity's numbering is locked until the transaction ends.

    Invoices that a partner bills to themselves are numbered by the customer, whatever the entity's scheme.
    """
    await tx.lock("numbering", entity.id)
    own = 1 + await repository.last_sequential_id(tx, customer_id=customer.id, entity_id=entity.id)
    if entity.document_numbering == "per_customer" or customer.is_partner:
        text = f"{entity.document_number_prefix}-{customer.sequential_id:03d}-{own:03d}"
        return Number(text=text, sequential_id=own, entity_sequential_id=None)
    counter = 1 + await repository.last_entity_sequential_id(tx, entity_id=entity.id)
    month = local_date(now, ZoneInfo(entity.timezone))
    text = f"{entity.document_number_prefix}-{month:%Y%m}-{counter:03d}"
    return Number(text=text, sequential_id=own, entity_sequential_id=counter)
