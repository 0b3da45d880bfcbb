"""Whose portal a link opens, and what is told there that no other room tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from tallymark.domain.values import value
from tallymark.rooms.subscriptions.model import Contract

LASTS = timedelta(hours=12)
"""How long a link opens a portal (platform §8)."""

INVOICES_A_PAGE = 8
"""How many invoices the history shows at a time (ui §8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a link says: whose customer it is for."""

    organization_id: UUID
    customer_id: UUID


@value
class Balance:
    """What a customer's issued invoices of one currency come to; amounts in minor units."""

    currency: str
    invoices_count: int
    invoiced_amount_cents: int
    due_amount_cents: int
    overdue_invoices_count: int
    overdue_amount_cents: int


@value
class Sold:
    """A subscription as its customer sees it: with the local day on which it begins, renews or ends, whichever comes next.

    `next_plan` is the name of the plan that it changes to when it would renew.
    """

    contract: Contract
    starts_on: date | None
    renews_on: date | None
    ends_on: date | None
    next_plan: str | None
