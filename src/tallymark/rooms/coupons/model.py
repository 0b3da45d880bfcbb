"""What coupons are, and what giving one to a customer makes (pricing §16)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


class Status(StrEnum):
    """Where a coupon, or one given to a customer, stands."""

    ACTIVE = "active"
    TERMINATED = "terminated"


class CouponType(StrEnum):
    """What it takes off."""

    FIXED_AMOUNT = "fixed_amount"
    PERCENTAGE = "percentage"


class Frequency(StrEnum):
    """On how many invoices: one, `frequency_duration` of them, all."""

    ONCE = "once"
    RECURRING = "recurring"
    FOREVER = "forever"


class Expiration(StrEnum):
    """Whether it ends by itself."""

    NONE = "no_expiration"
    TIME_LIMIT = "time_limit"


CHANGEABLE = ("name", "description", "expiration", "expiration_at")
"""What of a coupon may change once it was given to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A discount on offer; amounts in the minor unit of its currency, the rate in percent."""

    id: UUID
    code: str
    name: str
    description: str | None
    coupon_type: CouponType
    amount_cents: int | None
    amount_currency: str | None
    percentage_rate: Decimal | None
    frequency: Frequency
    frequency_duration: int | None
    expiration: Expiration
    expiration_at: datetime | None
    reusable: bool
    limited_plans: bool
    limited_billable_metrics: bool
    status: Status
    terminated_at: datetime | None
    created_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a limited coupon is for, by id with the code; at most one of both."""

    plans: Mapping[UUID, str]
    billable_metrics: Mapping[UUID, str]


NO_TARGETS = Targets(plans={}, billable_metrics={})


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponInput:
    """What is sent of a coupon; None for codes that are not named."""

    values: Mapping[str, Any]
    plan_codes: Collection[str] | None
    billable_metric_codes: Collection[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCoupon:
    """A coupon given to a customer, on terms copied when it was given."""

    id: UUID
    coupon_id: UUID
    customer_id: UUID
    status: Status
    amount_cents: int | None
    amount_currency: str | None
    percentage_rate: Decimal | None
    frequency: Frequency
    frequency_duration: int | None
    frequency_duration_remaining: int | None
    terminated_at: datetime | None
    created_at: datetime

    @property
    def is_fixed(self) -> bool:
        """Whether it takes off an amount, rather than a share."""
        return self.amount_cents is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCoupon:
    """A coupon that a customer was given elsewhere, on the terms of there, with what became of it since."""

    coupon_code: str
    status: Status
    amount_cents: int | None
    amount_currency: str | None
    percentage_rate: Decimal | None
    frequency: Frequency
    frequency_duration: int | None
    frequency_duration_remaining: int | None
    used_cents: int
    terminated_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableCoupon:
    """An applied coupon as the next invoice finds it; `used_cents` is what invoices took of it so far."""

    applied: AppliedCoupon
    coupon: Coupon
    targets: Targets
    used_cents: int

    @property
    def at_most_cents(self) -> int | None:
        """What a fixed one gives to the next invoice at the most; None for a percentage."""
        amount = self.applied.amount_cents
        if amount is None or self.applied.frequency is not Frequency.ONCE:
            return amount
        return max(amount - self.used_cents, 0)

    @property
    def rank(self) -> tuple[int, datetime, UUID]:
        """Limited to metrics comes first, then to plans, then the rest; the oldest first (pricing §16.3)."""
        kind = 0 if self.coupon.limited_billable_metrics else 1 if self.coupon.limited_plans else 2
        return kind, self.applied.created_at, self.applied.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What an invoice took of a coupon, in minor units, and how that came to be."""

    usable: UsableCoupon
    amount_cents: int
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedView:
    """An applied coupon with what it stands on, as the API shows it."""

    applied: AppliedCoupon
    coupon: Coupon
    external_customer_id: str
    used_cents: int

    @property
    def amount_cents_remaining(self) -> int | None:
        """What is left of a fixed amount that is given once; None for all others."""
        amount = self.applied.amount_cents
        if amount is None or self.applied.frequency is not Frequency.ONCE:
            return None
        return amount - self.used_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which applied coupons a list shows; None and empty mean any."""

    external_customer_id: str | None = None
    status: Status | None = None
    coupon_codes: tuple[str, ...] = ()
