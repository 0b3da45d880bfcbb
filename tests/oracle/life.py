"""A plain description of what happens to one customer: the input of the naive calculator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

Properties = dict[str, Any]
"""Prices or an event's values, as they are on the wire: amounts are strings."""


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A text of the expression language (metering §3), and what it means in Python."""

    text: str
    meaning: Callable[[Fraction], Fraction | str] = field(repr=False)
    """From the number under `value` to a number, or to a text."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    code: str
    aggregation: str
    """`count_agg`, `sum_agg`, `max_agg`, `latest_agg`, `unique_count_agg` or `weighted_sum_agg`."""
    recurring: bool = False
    rounding_function: str | None = None
    rounding_precision: int | None = None
    filters: dict[str, list[str]] = field(default_factory=dict)
    expression: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Filter:
    values: dict[str, list[str]]
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class Charge:
    code: str
    metric: Metric
    model: str
    properties: Properties
    filters: tuple[Filter, ...] = ()
    pay_in_advance: bool = False
    invoiceable: bool = True
    regroups: bool = False
    """`regroup_paid_fees`."""
    prorated: bool = False
    min_amount_cents: int = 0
    conversion_rate: str | None = None
    """Currency units per unit of the pricing unit that the prices are in (pricing §11)."""
    tax_codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FixedCharge:
    code: str
    model: str
    properties: Properties
    units: str
    pay_in_advance: bool = False
    prorated: bool = False
    tax_codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    code: str
    interval: str = "monthly"
    amount_cents: int = 0
    pay_in_advance: bool = False
    trial_days: Fraction = Fraction(0)
    charges_monthly: bool = False
    fixed_monthly: bool = False
    charges: tuple[Charge, ...] = ()
    fixed_charges: tuple[FixedCharge, ...] = ()
    commitment_cents: int = 0
    commitment_tax_codes: tuple[str, ...] = ()
    tax_codes: tuple[str, ...] = ()

    @property
    def yearly_cents(self) -> int:
        """Subscriptions §2.4."""
        a_year = {"weekly": 52, "monthly": 12, "quarterly": 4, "semiannual": 2, "yearly": 1}
        return self.amount_cents * a_year[self.interval]


@dataclass(frozen=True, kw_only=True)
class Subscribe:
    """POST /subscriptions: a new subscription, or another plan for the one of that external id."""

    at: datetime
    external_id: str
    plan: Plan
    overridden: Plan | None = None
    """The plan that is asked for, where `plan` is what overrides make of it."""
    billing_time: str = "calendar"
    subscription_at: datetime | None = None
    ending_at: datetime | None = None
    consolidate: bool = True


@dataclass(frozen=True, kw_only=True)
class Terminate:
    """DELETE /subscriptions/{external_id}."""

    at: datetime
    external_id: str
    invoice: bool = True
    credit_note: str | None = "skip"
    """`skip`, `credit`, or `refund` of what nobody has paid; None is `credit`."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A record of use, dated `timestamp`, that is sent when the clock stands at `at`."""

    at: datetime
    id: str
    external_id: str
    code: str
    timestamp: datetime
    properties: Properties = field(default_factory=dict)
    precise_total_amount_cents: str | None = None
    priced_at: datetime | None = None
    """When it is priced in advance, where that is not when it came: what a backfill brought is priced after all others."""


@dataclass(frozen=True, kw_only=True)
class ChangeUnits:
    """PUT /subscriptions/{external_id}/fixed_charges/{code}, units alone: of the subscription, not of its plan."""

    at: datetime
    external_id: str
    code: str
    units: str
    immediately: bool


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """A fixed amount, or a percentage; of the fees of some plans or some metrics, or of all."""

    code: str
    frequency: str
    amount_cents: int = 0
    percentage: str | None = None
    duration: int | None = None
    plans: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ApplyCoupon:
    """POST /applied_coupons."""

    at: datetime
    coupon: Coupon


@dataclass(frozen=True, kw_only=True)
class PayFees:
    """PUT /fees/{lago_id}: what is on no invoice yet was paid."""

    at: datetime
    external_id: str


Action = Subscribe | Terminate | ChangeUnits | ApplyCoupon | PayFees | Event


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a customer does between two instants; the actions in the order in which they are done."""

    zone: str
    currency: str
    begins: datetime
    ends: datetime
    actions: tuple[Action, ...]
    taxes: dict[str, str] = field(default_factory=dict)
    """Code and rate of each."""
    entity_taxes: tuple[str, ...] = ()
    customer_taxes: tuple[str, ...] = ()
    grace_days: int = 0
    anchor: str = "next_period_start"
    keeps_anchor: bool = False

    @property
    def plans(self) -> list[Plan]:
        return [action.plan for action in self.actions if isinstance(action, Subscribe)]

    @property
    def metrics(self) -> list[Metric]:
        return [charge.metric for plan in self.plans for charge in plan.charges]

    @property
    def events(self) -> list[Event]:
        """In the order of their arrival."""
        return [action for action in self.actions if isinstance(action, Event)]
