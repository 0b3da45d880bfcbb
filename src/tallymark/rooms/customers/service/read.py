"""Find customers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer, Filters, Identity, Standing
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax


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


async def get_identities(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Identity]:
    """Who customers are, for what shows no more of them; deleted ones included."""
    return await repository.get_identities(tx, ids) if ids else {}


async def list_customers(tx: Tx, filters: Filters, page: Page) -> tuple[list[Customer], int]:
    """A page of customers, newest first. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_customers(tx, filters, page)


async def standings_of(tx: Tx, customers: Sequence[Customer]) -> dict[UUID, Standing]:
    """The subscriptions of customers that run, and what is to be paid, in a constant number of statements."""
    return await repository.standings_of(tx, [customer.id for customer in customers]) if customers else {}


async def taxes_of(tx: Tx, customers: Sequence[Customer]) -> dict[UUID, tuple[Tax, ...]]:
    """The taxes that customers carry themselves."""
    return await taxes.taxes_of(tx, Owner.CUSTOMER, {customer.id for customer in customers})
