"""How prices that are only looked at come over the wire, for the plan editor's calculator and its curve."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.descriptions import shown_as
from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import DecimalText, Input, Integer, NotEmpty, Output
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.price_points import PricePoint
from tallymark.domain.money import currency
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.billable_metrics.model import AggregationType
from tallymark.rooms.plans.calculator import AskedPrice, Point, Question
from tallymark.rooms.plans.schemas.inputs import Cents, Properties

MOST_POINTS = 200
MOST_EVENTS_A_POINT = 1_000

Kind = Literal["charge", "fixed_charge"]

_UNITS = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)


def _units(value: Any) -> Any:
    """Units, written out in text; a whole number may be one of JSON."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _UNITS.fullmatch(text):
        raise PydanticCustomError("value_is_invalid", "no units")
    return Fraction(text)


Units = Annotated[
    Any,
    BeforeValidator(_units),
    shown_as({"type": "string", "pattern": r"^\d{1,15}(\.\d{1,15})?$", "examples": ["12.5"]}),
]


class AskedPriceInput(Input):
    charge_model: ChargeModel
    properties: Properties = None
    min_amount_cents: Cents = 0

    def to_value(self) -> AskedPrice:
        """The price that is asked about."""
        return AskedPrice(
            charge_model=self.charge_model,
            properties=self.properties,
            min_amount_cents=self.min_amount_cents,
        )


class ChargePriceInput(AskedPriceInput):
    kind: Kind = "charge"
    aggregation_type: AggregationType = AggregationType.SUM
    """The metric's: what is free of a percentage, and whether it may be one, depends on it."""
    currency: CurrencyCode
    units: Annotated[list[Units], Field(max_length=MOST_POINTS)] = Field(default_factory=list)
    events_count: Annotated[Integer, Field(ge=1, le=MOST_EVENTS_A_POINT)] = 1
    """By how many events of one size each of the units came; of counted metrics each unit is an event."""
    event_values: Annotated[list[Units], Field(max_length=MOST_EVENTS_A_POINT)] | None = None
    """Instead of units: the values of events that are summed, in the order of time, for one point."""
    saved: AskedPriceInput | None = None
    """The price to compare with: the one that is kept."""

    def to_question(self) -> Question:
        """What is asked."""
        return Question(
            price=self.to_value(),
            saved=None if self.saved is None else self.saved.to_value(),
            is_fixed=self.kind == "fixed_charge",
            aggregation_type=self.aggregation_type,
            currency=currency(self.currency),
            units=self.units,
            events_count=self.events_count,
            event_values=self.event_values,
        )


class ChargePriceRequest(BaseModel):
    charge_price: Annotated[ChargePriceInput, NotEmpty]


class PriceLineOutput(BaseModel):
    """A tier of the price, and what it adds."""

    from_value: str
    to_value: str | None
    units: str
    unit_amount: str | None
    rate: str | None
    """In percent, where the tiers have rates instead of amounts."""
    flat_amount: str
    amount: str


class PackagePriceOutput(BaseModel):
    """Packages that are opened, each paid in full."""

    free_units: str
    paid_units: str
    packages: int
    package_size: int
    package_amount: str


class PercentagePriceOutput(BaseModel):
    """What a percentage is made of, by the names of a fee's `amount_details`."""

    free_units: str
    free_events: int
    paid_units: str
    paid_events: int
    rate: str
    per_unit_total_amount: str
    fixed_fee_unit_amount: str
    fixed_fee_total_amount: str
    min_max_adjustment_total_amount: str


class PriceOutput(Output):
    """`amount` and `unit_amount` are exact, in currency units; cents are rounded once, as on a fee."""

    amount: DecimalText
    amount_cents: int
    unit_amount: DecimalText
    true_up_amount_cents: int
    """What the charge's minimum adds for a whole period."""
    total_amount_cents: int


class PricePointOutput(PriceOutput):
    units: DecimalText
    events_count: int
    lines: list[PriceLineOutput]
    """By tiers; empty where the price has none."""
    package: PackagePriceOutput | None
    percentage: PercentagePriceOutput | None
    saved: PriceOutput | None
    difference_amount_cents: int | None
    """The total less that of the price that is kept."""


class ChargePriceOutput(BaseModel):
    kind: Kind
    charge_model: ChargeModel
    currency: str
    points: list[PricePointOutput]

    @classmethod
    def of(cls, asked: ChargePriceInput, points: list[Point]) -> ChargePriceOutput:
        """Show the answers in the order of what was asked."""
        shown = [_shown(asked, point) for point in points]
        return cls(kind=asked.kind, charge_model=asked.charge_model, currency=asked.currency, points=shown)


class ChargePriceResponse(BaseModel):
    charge_price: ChargePriceOutput


def _shown(asked: ChargePriceInput, point: Point) -> PricePointOutput:
    details: Any = point.price.fee.amount_details
    saved = point.saved
    return PricePointOutput(
        **_price(point.price, asked.currency),
        units=point.usage.shown_units,
        events_count=point.usage.events_count,
        lines=[_line(line) for line in point.price.lines],
        package=None
        if point.packages is None
        else PackagePriceOutput(
            free_units=details["free_units"],
            paid_units=details["paid_units"],
            packages=point.packages,
            package_size=details["per_package_size"],
            package_amount=details["per_package_unit_amount"],
        ),
        percentage=PercentagePriceOutput(**details) if asked.charge_model is ChargeModel.PERCENTAGE else None,
        saved=None if saved is None else PriceOutput(**_price(saved, asked.currency)),
        difference_amount_cents=None if saved is None else point.price.total_cents - saved.total_cents,
    )


def _price(point: PricePoint, code: str) -> dict[str, Any]:
    return {
        "amount": point.amount(currency(code)),
        "amount_cents": point.fee.amount_cents,
        "unit_amount": point.fee.precise_unit_amount,
        "true_up_amount_cents": point.true_up_cents,
        "total_amount_cents": point.total_cents,
    }


def _line(line: Any) -> PriceLineOutput:
    return PriceLineOutput(
        from_value=line["from"],
        to_value=line["to"],
        unit_amount=line.get("unit_amount"),
        rate=line.get("rate"),
        **{name: line[name] for name in ("units", "flat_amount", "amount")},
    )
