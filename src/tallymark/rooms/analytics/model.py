"""What analytics is asked, and the rows that it answers with; amounts are in minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from tallymark.rooms.analytics.periods import Granularity


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question by month: of one currency, the last so many months, one issuer, one customer; None means all.

    Dashboards are asked by day and week, too: by the last of them, whatever `months` says.
    """

    granularity: Granularity = Granularity.MONTHLY
    currency: str | None = None
    months: int | None = None
    billing_entity_code: str | None = None
    external_customer_id: str | None = None
    narrowed: Mapping[str, object] = field(default_factory=dict)
    """What a dashboard is of alone: who pays (by `external_customer_id`, `customer_country`, `customer_type`, `has_tax_number`), and
    what for (by `plan_code`, `external_subscription_id`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The same with what is known of the organization: the first days of the periods shown, oldest first, and the issuer's id."""

    granularity: Granularity
    periods: Sequence[date]
    currency: str | None
    billing_entity_id: UUID | None
    external_customer_id: str | None
    narrowed: Mapping[str, object]

    @property
    def start(self) -> date:
        """The first day that is shown."""
        return self.periods[0]

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.granularity.later(self.periods[-1], 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossRevenue:
    """What an issuer's invoices of a month come to, and fees that are on no invoice."""

    month: date
    currency: str
    billing_entity_id: UUID
    amount_cents: int
    invoices_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """The invoices of a month with one payment status; without any, neither status nor currency."""

    month: date
    payment_status: str | None = None
    currency: str | None = None
    amount_cents: int = 0
    invoices_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedUsage:
    """What the usage of a metric was billed in a month, after coupons and before taxes."""

    month: date
    code: str
    currency: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueBalance:
    """What is overdue of an issuer's invoices that fell due in a month."""

    month: date
    currency: str
    billing_entity_id: UUID
    amount_cents: int
    invoice_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringRevenue:
    """The monthly recurring revenue of a month; None where there is none."""

    month: date
    currency: str | None = None
    amount_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePrices:
    """The base prices alike of a period of one length that were issued on one day: their sum, exactly."""

    interval: str
    pay_in_advance: bool
    currency: str
    issuing_date: date
    length: timedelta
    amount_cents: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyPrices:
    """The weekly base prices of subscriptions with as many of them in a month: the sum of all."""

    month: date
    currency: str
    fees_count: int
    amount_cents: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageAsked:
    """A question about usage by day, week or month; None means any."""

    granularity: Granularity = Granularity.DAILY
    currency: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    customer_type: str | None = None
    customer_country: str | None = None
    external_customer_id: str | None = None
    external_subscription_id: str | None = None
    plan_code: str | None = None
    billable_metric_code: str | None = None
    is_recurring: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageOfPeriod:
    """What was used of a metric from one day to another, both included, and what it costs before taxes."""

    start: date
    end: date
    currency: str
    code: str
    is_deleted: bool
    units: Decimal
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueOfPeriod:
    """What one stream came to in a period: fees of a kind, or what was taken off invoices of a kind."""

    start: date
    currency: str
    stream: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRevenue:
    """What a plan's subscriptions were billed, those with prices of their own among them."""

    currency: str
    code: str
    name: str
    is_deleted: bool
    gross_cents: int
    net_cents: int
    """Less the coupons of its fees; credits are of whole invoices."""
    customers_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRevenue:
    """What a customer was billed, and what is left of it after all that was taken off."""

    currency: str
    external_id: str
    name: str
    is_deleted: bool
    gross_cents: int
    net_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How recurring revenue moved in a period, customer by customer: what shrank is negative, and all of it is the change."""

    start: date
    currency: str
    starting_cents: int
    new_cents: int
    expansion_cents: int
    contraction_cents: int
    churn_cents: int
    ending_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecurring:
    """The recurring revenue of a plan."""

    currency: str
    code: str
    name: str
    interval: str
    is_deleted: bool
    amount_cents: int
    customers_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsOfPeriod:
    """Credits of one rate that moved in a period in one way: purchased, granted, invoiced or voided."""

    start: date
    currency: str
    rate_amount: Decimal
    kind: str
    amount_cents: int
    precise_amount_cents: Decimal
