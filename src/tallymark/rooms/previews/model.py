"""What a preview is asked for, and the state in which the previewed invoice finds its subscriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.domain.periods import BillingTime
from tallymark.rooms.billing.model import Assumed
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.subscriptions.model import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCoupon:
    """A coupon as a request describes it; known by its code, `terms` count where no coupon has that code."""

    code: str
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A subscription that there might be; `subscription_at` is its start, None for now."""

    plan_code: str | None
    billing_time: BillingTime = BillingTime.CALENDAR
    subscription_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """The next invoice of subscriptions that there are."""

    external_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The last invoice, were they to end at an instant: text as it was sent.

    `credit_note` says what is to happen to time that is unused; None for what the subscription says.
    """

    external_ids: Sequence[str]
    terminated_at: str
    credit_note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """The invoice of a change to another plan asked for now."""

    external_ids: Sequence[str]
    plan_code: str


Question = Proposal | Projection | Ending | PlanChange


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewInput:
    """Whose invoice is asked for: `customer` are the columns that are to differ from what is kept."""

    question: Question
    external_customer_id: str | None
    customer: Mapping[str, Any] = field(default_factory=dict)
    coupons: Sequence[GivenCoupon] = ()
    billing_entity_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who would pay, who would issue, and whether the customer is kept."""

    customer: Customer
    customer_entity: BillingEntity
    is_stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A subscription on the previewed invoice: why, and as of when."""

    contract: Contract
    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the previewed invoice bills, and what has to be taken for granted for it."""

    bills: tuple[Bill, ...]
    before: tuple[Bill, ...] = ()
    """What is billed before it, each on an invoice of its own."""

    assumed: Assumed = field(default_factory=Assumed)
    gives_back: tuple[Contract, ...] = ()
    """Subscriptions whose unused time is given back before it."""

    imagined: frozenset[UUID] = frozenset()
    """Ids of what is not stored."""
