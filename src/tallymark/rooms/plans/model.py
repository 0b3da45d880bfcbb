"""What a plan and a charge are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import Conversion
from tallymark.domain.invoicing.thresholds import Threshold
from tallymark.domain.rating import ChargeModel, Price, parse_price
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric
from tallymark.rooms.taxes.model import Tax

FIXED_WHEN_ATTACHED = ("code", "interval", "pay_in_advance", "amount_currency", "trial_period",
                       "bill_charges_monthly", "bill_fixed_charges_monthly")  # fmt: skip
"""What does not change on a plan that a subscription references (pricing §4.3)."""

CHARGE_FIXED_WHEN_ATTACHED = ("code", "charge_model", "min_amount_cents", "billable_metric_id",
                              "pay_in_advance", "invoiceable", "prorated", "regroup_paid_fees")  # fmt: skip
"""The same for a charge (pricing §5.2)."""


ALL_FILTER_VALUES = "__ALL_FILTER_VALUES__"
"""In a charge filter: every value that the metric's filter has now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingUnit:
    """A virtual currency with two decimals (pricing §11)."""

    id: UUID
    code: str
    name: str
    short_name: str
    description: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPricingUnit:
    """The unit that a charge's properties are in; `conversion_rate` is currency units per pricing unit."""

    pricing_unit: PricingUnit
    conversion_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFilter:
    """A price list of its own for the events that have these values (pricing §6).

    `values` maps keys of the metric's filters to lists of values, or to ALL_FILTER_VALUES alone.
    """

    id: UUID
    values: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, Any]
    invoice_display_name: str | None
    position: int
    created_at: datetime

    @property
    def display_name(self) -> str:
        """What invoices call it: its name, else its values, a key standing for all of its own (pricing §6)."""
        shown = [
            key if values == (ALL_FILTER_VALUES,) else ", ".join(values)
            for key, values in self.values.items()
        ]
        return self.invoice_display_name or ", ".join(shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One priced metric of a plan; `min_amount_cents` is its spending minimum for a full period."""

    id: UUID
    plan_id: UUID
    code: str
    billable_metric: BillableMetric
    charge_model: ChargeModel
    properties: Mapping[str, Any]
    pay_in_advance: bool
    invoiceable: bool
    prorated: bool
    regroup_paid_fees: str | None
    accepts_target_wallet: bool
    min_amount_cents: int
    applied_pricing_unit: AppliedPricingUnit | None
    invoice_display_name: str | None
    parent_id: UUID | None
    filters: tuple[ChargeFilter, ...]
    """In the order in which they are shown and billed: the longest unchanged first."""

    taxes: tuple[Tax, ...]
    created_at: datetime

    @property
    def family_id(self) -> UUID:
        """The charge that it was copied from for one subscription, or itself: the same of all copies."""
        return self.parent_id or self.id

    @property
    def price(self) -> Price:
        """The charge model with its properties."""
        return parse_price(
            self.charge_model, self.properties, aggregation_type=self.billable_metric.aggregation_type.value
        )

    @property
    def changes_by_day(self) -> bool:
        """Whether what is used of it changes from day to day without any event."""
        return self.prorated or self.billable_metric.aggregation_type is AggregationType.WEIGHTED_SUM

    @property
    def conversion(self) -> Conversion | None:
        """From the pricing unit that its properties are in, if it has one, to the plan's currency."""
        applied = self.applied_pricing_unit
        if applied is None:
            return None
        return Conversion(short_name=applied.pricing_unit.short_name, rate=Fraction(applied.conversion_rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCharge:
    """An add-on billed with each period, whatever is used; `units` are the plan's (pricing §13)."""

    id: UUID
    plan_id: UUID
    parent_id: UUID | None
    add_on: AddOn
    code: str
    charge_model: ChargeModel
    properties: Mapping[str, Any]
    units: Decimal
    apply_units_immediately: bool
    """Whether the last change of units counts at once."""

    pay_in_advance: bool
    prorated: bool
    invoice_display_name: str | None
    taxes: tuple[Tax, ...]
    created_at: datetime

    @property
    def price(self) -> Price:
        """The charge model with its properties."""
        return parse_price(self.charge_model, self.properties, aggregation_type=AggregationType.SUM.value)

    @property
    def invoice_name(self) -> str:
        """What invoices call it."""
        return self.invoice_display_name or self.add_on.invoice_name


FIXED_CHARGE_FIXED = ("pay_in_advance", "prorated")
"""What never changes on a fixed charge; where its plan is attached, its model and code neither (pricing §13.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """The least that a period comes to, in the minor unit of the plan's currency (pricing §15)."""

    id: UUID
    plan_id: UUID
    amount_cents: int
    invoice_display_name: str | None
    taxes: tuple[Tax, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageThreshold:
    """A mark of usage at which a progressive invoice is issued (pricing §14)."""

    id: UUID
    amount_cents: int
    threshold_display_name: str | None
    recurring: bool
    created_at: datetime
    updated_at: datetime

    @property
    def as_mark(self) -> Threshold:
        """It as the domain knows it."""
        return Threshold(amount_cents=self.amount_cents, is_recurring=self.recurring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An offer: a base price for each interval, and charges. `amount_cents` is in the minor unit of its currency."""

    id: UUID
    parent_id: UUID | None
    code: str
    name: str
    invoice_display_name: str | None
    description: str | None
    interval: str
    amount_cents: int
    amount_currency: str
    pay_in_advance: bool
    trial_period: Decimal | None
    bill_charges_monthly: bool | None
    bill_fixed_charges_monthly: bool | None
    pending_deletion: bool
    created_at: datetime
    charges: tuple[Charge, ...]
    fixed_charges: tuple[FixedCharge, ...]
    minimum_commitment: Commitment | None
    usage_thresholds: tuple[UsageThreshold, ...]
    """Its own."""

    applicable_usage_thresholds: tuple[UsageThreshold, ...]
    """Those of its parent for a child plan, its own otherwise (pricing §4.1)."""

    taxes: tuple[Tax, ...]
    metadata: Mapping[str, str | None] | None

    @property
    def changes_by_day(self) -> bool:
        """Whether what is used of it changes from day to day without any event."""
        return any(charge.changes_by_day for charge in self.charges)

    @property
    def carries_over(self) -> bool:
        """Whether a period may begin with units of the one before."""
        return any(charge.billable_metric.recurring for charge in self.charges)

    @property
    def invoice_name(self) -> str:
        """What invoices call it."""
        return self.invoice_display_name or self.name
