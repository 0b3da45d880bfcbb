"""How estimates look on the wire (metering §1.8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, model_validator

from tallymark.api.descriptions import NOTHING, TEXT, like, many, shown_as
from tallymark.api.wire import Input, NotEmpty
from tallymark.domain.errors import Invalid
from tallymark.domain.money import decimal_text
from tallymark.rooms.estimates.model import AskedEvent
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.fees.schemas import DetailedFeeOutput, FeeOutput, FeeTaxOutput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NUMBER = 60


class EstimatedEvent(Input):
    """An event as it would be sent."""

    code: str | int | float | None = None
    external_subscription_id: str | int | float | None = None
    transaction_id: str | int | None = None
    timestamp: Any = None
    properties: Any = None
    precise_total_amount_cents: Any = None

    @model_validator(mode="before")
    @classmethod
    def _without_a_root(cls, sent: Any) -> Any:
        """The contract's document has a root around each event of a batch, the pages have none: both are taken."""
        inner = sent.get("event") if isinstance(sent, dict) else None
        return inner if isinstance(inner, dict) and "code" not in sent else sent

    def to_value(self) -> AskedEvent:
        """What is asked. Raises `Invalid` for properties that are no object, and for an amount that is none."""
        properties = {} if self.properties is None else self.properties
        if not isinstance(properties, dict):
            raise Invalid({"properties": ["invalid_type"]})
        amount = _decimal(self.precise_total_amount_cents)
        if amount is None and self.precise_total_amount_cents is not None:
            raise Invalid({"precise_total_amount_cents": ["invalid_amount"]})
        timestamp = _instant(self.timestamp)
        return AskedEvent(
            code=_text(self.code),
            external_subscription_id=_text(self.external_subscription_id),
            transaction_id=_text(self.transaction_id) or None,
            properties=properties,
            timestamp=timestamp,
            has_bad_timestamp=timestamp is None and self.timestamp is not None,
            precise_total_amount_cents=amount,
        )


class EstimateRequest(BaseModel):
    event: Annotated[EstimatedEvent, NotEmpty]


class EstimatesRequest(BaseModel):
    events: list[EstimatedEvent] | None = None


NOT_MADE = ("lago_id", "lago_invoice_id", "created_at")
"""What a fee that is not made does not have."""

_TAX = like(FeeTaxOutput, lago_id=NOTHING, lago_fee_id=NOTHING)
_ESTIMATED = like(DetailedFeeOutput, **dict.fromkeys(NOT_MADE, NOTHING), applied_taxes=many(_TAX))
_AS_TEXT = (
    "amount_cents",
    "total_amount_cents",
    "precise_amount",
    "precise_total_amount",
    "precise_unit_amount",
)
_INSTANT = like(
    FeeOutput, **dict.fromkeys((*NOT_MADE, "amount_details"), NOTHING), **dict.fromkeys(_AS_TEXT, TEXT)
)


class EstimatesResponse(BaseModel):
    fees: list[Annotated[dict[str, Any], shown_as(_ESTIMATED)]]


class InstantEstimatesResponse(BaseModel):
    fees: list[Annotated[dict[str, Any], shown_as(_INSTANT)]]


def estimated_fee(fee: FeeRecord) -> dict[str, Any]:
    """A fee with its taxes; it has no id, and no details (quirk)."""
    shown = DetailedFeeOutput.of(fee).model_dump(mode="json")
    taxes = [{**tax, "lago_id": None, "lago_fee_id": None} for tax in shown["applied_taxes"]]
    return {**shown, **dict.fromkeys(NOT_MADE), "amount_details": {}, "applied_taxes": taxes}


def instant_fee(fee: FeeRecord) -> dict[str, Any]:
    """The shape of instant estimates: numbers as decimal strings, the unit amount in cents, no groups (quirks)."""
    shown = FeeOutput.of(fee).model_dump(mode="json")
    amount = decimal_text(fee.amount_cents)
    major = decimal_text(fee.major(fee.amount_cents))
    cents_each = Decimal(0) if not fee.amount_cents or not fee.units else fee.amount_cents / fee.units
    return {
        **shown,
        **dict.fromkeys(NOT_MADE),
        "amount_details": None,
        "amount_cents": amount,
        "total_amount_cents": amount,
        "precise_amount": major,
        "precise_total_amount": major,
        "precise_unit_amount": decimal_text(cents_each),
        "item": {**shown["item"], "grouped_by": {}},
    }


def _text(value: str | float | None) -> str:
    return "" if value is None else str(value)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    try:
        number = Decimal(text) if len(text) <= _LONGEST_NUMBER else Decimal("NaN")
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.copy_abs() < Decimal(10) ** 24 else None


def _instant(value: object) -> datetime | None:
    """Unix seconds, cut to the microsecond; None for what is none."""
    number = _decimal(value)
    if number is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=int((number * 1_000_000).__floor__()))
    except OverflowError:
        return None
