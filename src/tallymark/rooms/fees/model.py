"""What a stored fee is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency
from tallymark.domain.periods import Period
from tallymark.domain.values import names_of, value


@value
class FeeTax:
    """A tax as it was applied to a fee."""

    id: UUID
    tax_id: UUID
    tax_code: str
    tax_name: str
    tax_description: str | None
    tax_rate: Decimal
    currency: str
    amount_cents: int
    created_at: datetime


@value
class FeeRecord:
    """A fee as it is kept: `*_cents` in minor units, `precise_*_cents` exact, `precise_unit_amount` in currency units."""

    id: UUID
    invoice_id: UUID | None
    customer_id: UUID
    subscription_id: UUID | None
    charge_id: UUID | None
    charge_filter_id: UUID | None
    fixed_charge_id: UUID | None
    add_on_id: UUID | None
    true_up_parent_fee_id: UUID | None
    original_fee_id: UUID | None
    billable_metric_id: UUID | None
    plan_id: UUID | None
    wallet_transaction_id: UUID | None
    position: int
    fee_type: FeeType
    currency: str
    amount_cents: int
    precise_amount_cents: Decimal
    precise_coupons_amount_cents: Decimal
    taxes_amount_cents: int
    taxes_precise_amount_cents: Decimal
    taxes_rate: Decimal
    units: Decimal
    total_aggregated_units: Decimal
    unit_amount_cents: int
    precise_unit_amount: Decimal
    events_count: int | None
    amount_details: Mapping[str, Any]
    grouped_by: Mapping[str, Any]
    presentation_breakdowns: list[Mapping[str, Any]]
    pricing_unit_details: Mapping[str, Any] | None
    explanation: list[Mapping[str, Any]]
    invoice_display_name: str | None
    filter_display_name: str | None
    description: str | None
    event_id: UUID | None
    event_transaction_id: str | None
    item_code: str
    item_name: str
    item_description: str | None
    pay_in_advance: bool
    invoiceable: bool
    payment_status: str
    from_at: datetime | None
    to_at: datetime | None
    succeeded_at: datetime | None
    failed_at: datetime | None
    refunded_at: datetime | None
    created_at: datetime
    updated_at: datetime
    external_subscription_id: str | None
    external_customer_id: str
    charge_model: str | None
    charge_parent_id: UUID | None
    """What its charge was copied from, for a subscription's own prices."""

    filter_values: Mapping[str, list[str]] | None
    true_up_fee_id: UUID | None
    self_billed: bool
    taxes: tuple[FeeTax, ...] = ()

    @property
    def is_adjustment(self) -> bool:
        """Whether it bills what corrected events cost more than was billed (docs/decisions/0029)."""
        return any(step.get("step") == "correction" for step in self.explanation)

    @property
    def root_id(self) -> UUID:
        """The fee that it was first, before an invoice was made anew."""
        return self.original_fee_id or self.id

    def major(self, cents: Decimal | int) -> Fraction:
        """An amount in currency units."""
        return Fraction(cents) / currency(self.currency).subunits

    @property
    def net_precise_cents(self) -> Decimal:
        """The exact amount less what coupons take."""
        return self.precise_amount_cents - self.precise_coupons_amount_cents


@value
class BilledFixedFee:
    """A fee of a fixed charge on an invoice that stands, whose days are of `timezone`."""

    subscription_id: UUID
    fixed_charge_id: UUID
    add_on_id: UUID
    pay_in_advance: bool
    units: Decimal
    amount_cents: int
    currency: str
    explanation: list[Mapping[str, Any]]
    from_at: datetime
    to_at: datetime
    billed_at: datetime
    created_at: datetime
    timezone: str

    @property
    def worth_cents(self) -> Fraction:
        """Its amount with what it took over of the plan before an upgrade, for the same days; minor units."""
        steps = {step.get("step"): step for step in self.explanation}
        if "credit" not in steps:
            return Fraction(self.amount_cents)
        taken = Fraction(steps["pricing"]["amount"]) - Fraction(steps["credit"]["amount"])
        return self.amount_cents + taken * currency(self.currency).subunits

    def begins_in(self, period: Period, zone: ZoneInfo) -> bool:
        """Whether its days begin in a period of a zone: by their dates, for the customer may have moved there since (subscriptions §5.2)."""
        if self.timezone == zone.key:
            return self.from_at in period
        return self.from_at.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=zone) in period


@value
class PayableFee:
    """A fee as wallets pay it: what it is for, the wallet that its events name, and its amounts in minor units."""

    fee_type: str
    billable_metric_id: UUID | None
    target_wallet_code: str | None
    amount_cents: int
    precise_coupons_amount_cents: Decimal
    taxes_amount_cents: int
    taxes_precise_amount_cents: Decimal

    @classmethod
    def of_row(cls, row: Mapping[str, Any], target_wallet_code: str | None) -> PayableFee:
        """A fee that was written just now."""
        names = (name for name in names_of(PayableFee) if name != "target_wallet_code")
        return cls(**{name: row[name] for name in names}, target_wallet_code=target_wallet_code)


@value
class SpentFee:
    """What a subscription was charged for a window, before coupons and taxes."""

    from_at: datetime
    to_at: datetime
    amount_cents: int
    precise_amount_cents: Decimal


@value
class ElsewhereFee(SpentFee):
    """The same of a fee that another system billed; none of ours stands for it."""

    fee_type: FeeType


@value
class UsageFee:
    """What a charge's fee says of the usage that it is for; amounts in minor units."""

    charge_id: UUID | None
    charge_filter_id: UUID | None
    filter_display_name: str | None
    filter_values: Mapping[str, list[str]] | None
    grouped_by: Mapping[str, Any]
    presentation_breakdowns: list[Mapping[str, Any]]
    pricing_unit_details: Mapping[str, Any] | None
    units: Decimal
    total_aggregated_units: Decimal
    events_count: int | None
    amount_cents: int
    taxes_amount_cents: int

    @classmethod
    def of(cls, fee: FeeRecord) -> UsageFee:
        """The same of a fee as it is kept."""
        return cls(**{name: getattr(fee, name) for name in names_of(UsageFee)})

    @classmethod
    def of_row(cls, row: Mapping[str, Any], filter_values: Mapping[str, list[str]] | None) -> UsageFee:
        """The same of a fee that has just been written."""
        own = {name: row[name] for name in names_of(UsageFee) if name != "filter_values"}
        return cls(**own, filter_values=filter_values)


@value
class BilledWindow:
    """The window of a subscription's usage [from_at, to_at), and the invoice that ends it."""

    invoice_id: UUID
    subscription_id: UUID
    from_at: datetime
    to_at: datetime


@value
class AdjustedFee:
    """What was told otherwise of a fee of a draft (invoicing §8); `unit_precise_amount` is in currency units.

    The fee is known by what it is for, since a draft's fees are made anew at each refresh.
    """

    id: UUID
    invoice_id: UUID
    subscription_id: UUID
    fee_type: FeeType
    charge_id: UUID | None
    charge_filter_id: UUID | None
    fixed_charge_id: UUID | None
    grouped_by: Mapping[str, str | None]
    units: Decimal | None
    unit_precise_amount: Decimal | None
    invoice_display_name: str | None
    created_at: datetime

    @property
    def subject(self) -> tuple[Any, ...]:
        """What the fee is for."""
        return subject_of(self)


def subject_of(fee: AdjustedFee | FeeRecord) -> tuple[Any, ...]:
    """What a fee of an invoice is for: no other one on it is for the same, but a true-up."""
    return (
        fee.subscription_id,
        fee.fee_type,
        fee.charge_id,
        fee.charge_filter_id,
        fee.fixed_charge_id,
        tuple(sorted(fee.grouped_by.items())),
    )


@value
class Filters:
    """Which fees a list shows; bounds are inclusive."""

    external_customer_id: str | None = None
    external_subscription_id: str | None = None
    currency: str | None = None
    billable_metric_code: str | None = None
    fee_type: str | None = None
    payment_status: str | None = None
    event_transaction_id: str | None = None
    instants: tuple[tuple[str, str, datetime], ...] = ()
    """(column, "from" or "to", instant)."""
