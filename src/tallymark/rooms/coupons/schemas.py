"""How coupons look on the wire (pricing §16)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.pagination import Meta
from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import (
    DecimalText,
    Input,
    Instant,
    InstantInput,
    Integer,
    Name,
    NotEmpty,
    OptionalText,
    one_of,
)
from tallymark.domain.exact import Fraction
from tallymark.domain.money import fixed
from tallymark.rooms.coupons.model import NO_TARGETS, AppliedView, Coupon, CouponInput, Targets
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices.model import CreditLine
from tallymark.rooms.invoices.schemas import CreditOutput

MOST_PERCENT = 10**5
"""A rate has five digits before the point and five after it (pricing §1.4)."""


def _rate(value: Any) -> Any:
    try:
        rate = Decimal(str(value)) if value is not None and not isinstance(value, bool) else None
    except ArithmeticError:
        rate = None
    if rate is None or not rate.is_finite():
        code = "value_is_mandatory" if value in (None, "") else "value_is_invalid"
        raise PydanticCustomError(code, code)
    if not 0 < rate < MOST_PERCENT:
        raise PydanticCustomError("value_is_out_of_range", "out of range")
    return fixed(Fraction(rate), 5)


Rate = Annotated[Decimal, BeforeValidator(_rate)]
Amount = Annotated[Integer, Field(gt=0, lt=2**63)]
Duration = Annotated[Integer, Field(gt=0, lt=2**31)]
AFrequency = Annotated[str, one_of("once", "recurring", "forever")]


class AppliesToInput(Input):
    plan_codes: list[str] | None = None
    billable_metric_codes: list[str] | None = None


class CouponUpdateInput(Input):
    name: Name = ""
    code: Name = ""
    description: OptionalText = None
    coupon_type: Annotated[str, one_of("fixed_amount", "percentage")] = ""
    amount_cents: Amount | None = None
    amount_currency: CurrencyCode | None = None
    percentage_rate: Rate | None = None
    frequency: AFrequency = ""
    frequency_duration: Duration | None = None
    expiration: Annotated[str, one_of("no_expiration", "time_limit")] = ""
    expiration_at: InstantInput | None = None
    reusable: bool | None = None
    applies_to: AppliesToInput | None = None

    def to_value(self) -> CouponInput:
        """What the request names; a null flag is one that is not named."""
        values = {name: value for name, value in self.sent.items() if name != "applies_to"}
        if values.get("reusable", True) is None:
            del values["reusable"]
        limits = self.applies_to
        return CouponInput(
            values=values,
            plan_codes=limits.plan_codes if limits else None,
            billable_metric_codes=limits.billable_metric_codes if limits else None,
        )


class CouponCreateInput(CouponUpdateInput):
    name: Name
    code: Name
    coupon_type: Annotated[str, one_of("fixed_amount", "percentage")]
    frequency: AFrequency
    expiration: Annotated[str, one_of("no_expiration", "time_limit")]


class CouponCreateRequest(BaseModel):
    coupon: Annotated[CouponCreateInput, NotEmpty]


class CouponUpdateRequest(BaseModel):
    coupon: Annotated[CouponUpdateInput, NotEmpty]


class CouponOutput(BaseModel):
    lago_id: UUID
    name: str
    code: str
    description: str | None
    coupon_type: str
    amount_cents: int | None
    amount_currency: str | None
    percentage_rate: DecimalText | None
    frequency: str
    frequency_duration: int | None
    reusable: bool
    limited_plans: bool
    plan_codes: list[str]
    limited_billable_metrics: bool
    billable_metric_codes: list[str]
    expiration: str
    expiration_at: Instant | None
    created_at: Instant
    terminated_at: Instant | None

    @classmethod
    def of(cls, coupon: Coupon, targets: Targets = NO_TARGETS) -> CouponOutput:
        """Show a coupon with what it is limited to."""
        names = set(cls.model_fields) - {"lago_id", "plan_codes", "billable_metric_codes"}
        return cls(
            lago_id=coupon.id,
            plan_codes=list(targets.plans.values()),
            billable_metric_codes=list(targets.billable_metrics.values()),
            **{name: getattr(coupon, name) for name in names},
        )


class CouponResponse(BaseModel):
    coupon: CouponOutput


class CouponsResponse(BaseModel):
    coupons: list[CouponOutput]
    meta: Meta


class AppliedCouponInput(Input):
    external_customer_id: Name
    coupon_code: Name
    frequency: AFrequency | None = None
    frequency_duration: Duration | None = None
    amount_cents: Amount | None = None
    amount_currency: CurrencyCode | None = None
    percentage_rate: Rate | None = None

    def to_terms(self) -> dict[str, Any]:
        """The terms that the request names."""
        names = {"external_customer_id", "coupon_code"}
        return {name: value for name, value in self.sent.items() if name not in names}


class AppliedCouponRequest(BaseModel):
    applied_coupon: Annotated[AppliedCouponInput, NotEmpty]


class AppliedCouponOutput(BaseModel):
    lago_id: UUID
    lago_coupon_id: UUID
    coupon_code: str
    coupon_name: str
    coupon_status: str
    coupon_deleted_at: Instant | None
    lago_customer_id: UUID
    external_customer_id: str
    status: str
    amount_cents: int | None
    amount_cents_remaining: int | None
    amount_currency: str | None
    percentage_rate: DecimalText | None
    frequency: str
    frequency_duration: int | None
    frequency_duration_remaining: int | None
    expiration_at: Instant | None
    created_at: Instant
    terminated_at: Instant | None

    @classmethod
    def of(cls, view: AppliedView) -> AppliedCouponOutput:
        """Show an applied coupon."""
        return cls(**applied_fields(view))


class ListedAppliedCouponOutput(AppliedCouponOutput):
    customer_name: str
    """What people call the customer."""
    credits: list[CreditOutput]

    @classmethod
    def of_listed(
        cls, view: AppliedView, customer: Customer, credits: list[tuple[CreditLine, str]]
    ) -> ListedAppliedCouponOutput:
        """Show an applied coupon in a list, with whose it is and what invoices took of it."""
        return cls(
            **applied_fields(view),
            customer_name=customer.display_name,
            credits=[CreditOutput.of(line, status) for line, status in credits],
        )


class AppliedCouponResponse(BaseModel):
    applied_coupon: AppliedCouponOutput


class AppliedCouponsResponse(BaseModel):
    applied_coupons: list[ListedAppliedCouponOutput]
    meta: Meta


def applied_fields(view: AppliedView) -> dict[str, Any]:
    """The wire's names for an applied coupon."""
    applied, coupon = view.applied, view.coupon
    names = (
        "status", "amount_cents", "amount_currency", "percentage_rate", "frequency", "frequency_duration",
        "frequency_duration_remaining", "created_at", "terminated_at",
    )  # fmt: skip
    return {
        "lago_id": applied.id,
        "lago_coupon_id": coupon.id,
        "coupon_code": coupon.code,
        "coupon_name": coupon.name,
        "coupon_status": coupon.status,
        "coupon_deleted_at": coupon.deleted_at,
        "lago_customer_id": applied.customer_id,
        "external_customer_id": view.external_customer_id,
        "amount_cents_remaining": view.amount_cents_remaining,
        "expiration_at": coupon.expiration_at,
        **{name: getattr(applied, name) for name in names},
    }
