"""Drafts: whose there are, and what they bill."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.invoices import repository
from tallymark.rooms.invoices.model import Invoice


async def drafts_of_customers(tx: Tx, customer_ids: Collection[UUID]) -> list[Invoice]:
    """The drafts of customers."""
    return await repository.drafts_of_customers(tx, customer_ids)


async def drafts_billing(tx: Tx, subscription_ids: Collection[UUID]) -> list[UUID]:
    """Drafts that bill any of these subscriptions, oldest first."""
    return await repository.drafts_billing(tx, subscription_ids)
