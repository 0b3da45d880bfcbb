"""How fees look on the wire (invoicing §7.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, PlainSerializer, WithJsonSchema

from tallymark.api.pagination import Meta
from tallymark.api.wire import DecimalText, Input, Instant, NotEmpty, Percent, one_of
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import round_cents
from tallymark.domain.periods import TICK
from tallymark.rooms.fees.model import FeeRecord, FeeTax

PaymentStatus = Literal["pending", "succeeded", "failed", "refunded"]
ITEM_TYPES = {
    FeeType.CHARGE: "BillableMetric",
    FeeType.SUBSCRIPTION: "Subscription",
    FeeType.COMMITMENT: "Subscription",
    FeeType.ADD_ON: "AddOn",
    FeeType.FIXED_CHARGE: "AddOn",
    FeeType.CREDIT: "WalletTransaction",
}


def with_offset(value: datetime) -> str:
    """UTC to the second, its offset written out: the form of a fee's dates (invoicing §1)."""
    return value.astimezone(UTC).isoformat(timespec="seconds")


_OF_TIERS = ("units", "flat_unit_amount", "per_unit_total_amount", "total_with_flat_amount")
_BOUNDS = ("from_value", "to_value")
_NUMBERS = (
    "plan_amount_cents", "free_events", "paid_events", "per_package_size",
)  # fmt: skip
_TEXTS = (
    "units", "free_units", "paid_units", "rate", "per_unit_amount", "per_unit_total_amount", "flat_unit_amount",
    "fixed_fee_unit_amount", "fixed_fee_total_amount", "min_max_adjustment_total_amount", "per_package_unit_amount",
)  # fmt: skip


def _tiers(price: str) -> dict[str, Any]:
    bounds = {name: {"type": ["number", "null"]} for name in _BOUNDS}
    texts = {name: {"type": "string"} for name in (*_OF_TIERS, price)}
    return {"type": "array", "items": {"type": "object", "properties": {**bounds, **texts}}}


AMOUNT_DETAILS: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer"} for name in _NUMBERS},
        **{name: {"type": "string"} for name in _TEXTS},
        "graduated_ranges": _tiers("per_unit_amount"),
        "graduated_percentage_ranges": _tiers("rate"),
    },
}
"""What there may be of an amount's details: those of the charge's model (pricing §7)."""

PRICING_UNIT_DETAILS: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "lago_pricing_unit_id": {"type": "string", "format": "uuid"},
        "pricing_unit_code": {"type": "string"},
        "short_name": {"type": "string"},
        "amount_cents": {"type": "integer"},
        "precise_amount_cents": {"type": "string"},
        "unit_amount_cents": {"type": "integer"},
        "precise_unit_amount": {"type": "string"},
        "conversion_rate": {"type": "string"},
    },
}
"""The amount in the charge's pricing unit (pricing §11)."""

BREAKDOWN: dict[str, Any] = {
    "type": "object",
    "properties": {"presentation_by": {"type": "object"}, "units": {"type": "string"}},
}
"""Units by presentation keys (metering §7.2)."""

OffsetInstant = Annotated[datetime, PlainSerializer(with_offset, return_type=str)]


class FeeItem(BaseModel):
    type: FeeType
    code: str
    name: str
    description: str | None
    invoice_display_name: str
    filters: dict[str, list[str]] | None
    filter_invoice_display_name: str | None
    lago_item_id: UUID | None
    item_type: str
    grouped_by: dict[str, Any]


class FeeTaxOutput(BaseModel):
    lago_id: UUID
    lago_fee_id: UUID
    lago_tax_id: UUID | None
    tax_name: str
    tax_code: str
    tax_rate: Percent
    tax_description: str | None
    amount_cents: int
    amount_currency: str
    created_at: Instant

    @classmethod
    def of(cls, fee_id: UUID, tax: FeeTax) -> FeeTaxOutput:
        """Show a tax of a fee."""
        return cls(
            lago_id=tax.id,
            lago_fee_id=fee_id,
            lago_tax_id=tax.tax_id,
            tax_name=tax.tax_name,
            tax_code=tax.tax_code,
            tax_rate=tax.tax_rate,
            tax_description=tax.tax_description,
            amount_cents=tax.amount_cents,
            amount_currency=tax.currency,
            created_at=tax.created_at,
        )


class FeeOutput(BaseModel):
    lago_id: UUID
    lago_charge_id: UUID | None
    lago_charge_filter_id: UUID | None
    lago_fixed_charge_id: UUID | None
    lago_invoice_id: UUID | None
    lago_true_up_fee_id: UUID | None
    lago_true_up_parent_fee_id: UUID | None
    lago_original_fee_id: UUID | None
    lago_subscription_id: UUID | None
    lago_customer_id: UUID | None
    external_customer_id: str | None
    external_subscription_id: str | None
    amount_cents: int
    precise_amount: DecimalText
    precise_total_amount: DecimalText
    amount_currency: str
    taxes_amount_cents: int
    taxes_precise_amount: DecimalText
    taxes_rate: Percent
    units: DecimalText
    precise_unit_amount: DecimalText
    total_aggregated_units: DecimalText
    total_amount_cents: int
    total_amount_currency: str
    events_count: int | None
    pay_in_advance: bool
    invoiceable: bool
    from_date: OffsetInstant | None
    to_date: OffsetInstant | None
    payment_status: PaymentStatus
    created_at: Instant
    succeeded_at: Instant | None
    failed_at: Instant | None
    refunded_at: Instant | None
    event_transaction_id: str | None
    description: str | None
    precise_coupons_amount_cents: DecimalText
    sub_total_excluding_taxes_amount_cents: int
    sub_total_excluding_taxes_precise_amount_cents: DecimalText
    amount_details: Annotated[dict[str, Any], WithJsonSchema(AMOUNT_DETAILS)]
    self_billed: bool
    item: FeeItem
    pricing_unit_details: Annotated[dict[str, Any] | None, WithJsonSchema(PRICING_UNIT_DETAILS)]
    presentation_breakdowns: list[Annotated[dict[str, Any], WithJsonSchema(BREAKDOWN)]]

    @classmethod
    def of(cls, fee: FeeRecord) -> FeeOutput:
        """Show a fee as a line of its invoice."""
        return cls(**fee_fields(fee))


class DetailedFeeOutput(FeeOutput):
    applied_taxes: list[FeeTaxOutput]

    @classmethod
    def of(cls, fee: FeeRecord) -> DetailedFeeOutput:
        """Show a fee with its taxes."""
        return cls(**fee_fields(fee), applied_taxes=[FeeTaxOutput.of(fee.id, tax) for tax in fee.taxes])


def fee_fields(fee: FeeRecord) -> dict[str, Any]:
    """The wire's names for a fee's values."""
    same = (
        "external_subscription_id", "amount_cents", "taxes_amount_cents", "taxes_rate", "units",
        "precise_unit_amount", "total_aggregated_units", "events_count", "pay_in_advance", "invoiceable",
        "payment_status", "created_at", "succeeded_at", "failed_at", "refunded_at", "precise_coupons_amount_cents",
        "event_transaction_id", "pricing_unit_details", "presentation_breakdowns", "self_billed",
    )  # fmt: skip
    net_cents = Fraction(fee.amount_cents - fee.precise_coupons_amount_cents)
    return {
        **{name: getattr(fee, name) for name in same},
        "lago_id": fee.id,
        "lago_charge_id": fee.charge_id,
        "lago_charge_filter_id": fee.charge_filter_id,
        "lago_fixed_charge_id": fee.fixed_charge_id,
        "lago_true_up_fee_id": fee.true_up_fee_id,
        "lago_true_up_parent_fee_id": fee.true_up_parent_fee_id,
        "lago_original_fee_id": fee.original_fee_id,
        "lago_invoice_id": fee.invoice_id,
        "lago_subscription_id": fee.subscription_id,
        "lago_customer_id": fee.customer_id if fee.subscription_id else None,
        "external_customer_id": fee.external_customer_id if fee.subscription_id else None,
        "precise_amount": fee.major(fee.precise_amount_cents),
        "precise_total_amount": fee.major(fee.precise_amount_cents + fee.taxes_precise_amount_cents),
        "taxes_precise_amount": fee.major(fee.taxes_precise_amount_cents),
        "amount_currency": fee.currency,
        "total_amount_cents": fee.amount_cents + fee.taxes_amount_cents,
        "total_amount_currency": fee.currency,
        **_dates(fee),
        "description": fee.description if fee.fee_type is FeeType.ADD_ON else None,
        "sub_total_excluding_taxes_amount_cents": round_cents(net_cents),
        "sub_total_excluding_taxes_precise_amount_cents": Decimal(fee.net_precise_cents),
        "amount_details": dict(fee.amount_details),
        "item": _item(fee),
    }


def _dates(fee: FeeRecord) -> dict[str, datetime | None]:
    """From when and to when a fee is; what a commitment adds is of no dates of its own (invoicing §7.1)."""
    if fee.fee_type is FeeType.COMMITMENT:
        return {"from_date": None, "to_date": None}
    to_at = fee.to_at if fee.to_at is None or fee.fee_type is FeeType.ADD_ON else fee.to_at - TICK
    return {"from_date": fee.from_at, "to_date": to_at}


def _item(fee: FeeRecord) -> FeeItem:
    ids = {
        FeeType.CHARGE: fee.billable_metric_id,
        FeeType.FIXED_CHARGE: fee.add_on_id,
        FeeType.ADD_ON: fee.add_on_id,
        FeeType.CREDIT: fee.wallet_transaction_id,
    }
    return FeeItem(
        type=fee.fee_type,
        code=fee.item_code,
        name=fee.item_name,
        description=fee.item_description,
        invoice_display_name=fee.invoice_display_name or fee.item_name,
        filters={key: list(values) for key, values in fee.filter_values.items()}
        if fee.filter_values
        else None,
        filter_invoice_display_name=fee.filter_display_name,
        lago_item_id=ids.get(fee.fee_type, fee.subscription_id),
        item_type=ITEM_TYPES[fee.fee_type],
        grouped_by=dict(fee.grouped_by),
    )


class FeeUpdateInput(Input):
    payment_status: Annotated[str | None, one_of("pending", "succeeded", "failed", "refunded", None)] = None


class FeeUpdateRequest(BaseModel):
    fee: Annotated[FeeUpdateInput, NotEmpty]


class FeeResponse(BaseModel):
    fee: DetailedFeeOutput


class DeletedFeeResponse(BaseModel):
    fee: FeeOutput


class FeesResponse(BaseModel):
    fees: list[DetailedFeeOutput]
    meta: Meta


class Explanation(BaseModel):
    lago_fee_id: UUID | None
    amount_cents: int
    currency: str
    steps: list[dict[str, Any]]


class ExplanationResponse(BaseModel):
    explanation: Explanation
