"""All that a list of invoices shows, and all of their fees, by their ids: for who reads them bit by bit."""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.invoices import repository
from tallymark.rooms.invoices.model import Filters
from tallymark.rooms.organizations import service as organizations


async def list_ids(tx: Tx, filters: Filters) -> list[UUID]:
    """The invoices of a list in its order. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_ids(tx, filters)


async def list_fee_ids(tx: Tx, filters: Filters) -> list[UUID]:
    """The fees of a list's invoices, invoice by invoice in the order of their lines. Raises as `list_ids` does."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_fee_ids(tx, filters)
