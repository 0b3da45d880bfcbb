"""What a price would make of units that nobody has used: the points of its curve, by the rating that bills go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import ChargeFacts, compute_charge_fee
from tallymark.domain.fees.fixed_charge import FixedChargeFacts, compute_fixed_charge_fee
from tallymark.domain.fees.model import JSON, Fee
from tallymark.domain.fees.spending_minimum import SpendingMinimum, compute_true_up
from tallymark.domain.money import Currency, major_units
from tallymark.domain.rating import ChargeModel, Price, Usage
from tallymark.domain.values import value

ZERO = Fraction(0)
SUM = "sum_agg"
COUNTS = ("count_agg", "unique_count_agg")
"""Aggregations in which each unit is an event."""


@value
class Tariff:
    """A charge's price as it would stand in a plan; `min_amount_cents` is for a whole period (pricing §10)."""

    charge_model: ChargeModel
    price: Price
    properties: Mapping[str, JSON]
    aggregation_type: str = SUM
    min_amount_cents: int = 0
    is_fixed: bool = False

    @property
    def looks_at_events(self) -> bool:
        """Whether its amount depends on more than the number of units: events have to be made up, one by one."""
        needs = self.price.needs
        return needs.event_values or (needs.running_totals and self.aggregation_type == SUM)


@value
class PricePoint:
    """What some units cost: their fee, and what the charge's minimum adds to it."""

    fee: Fee
    true_up_cents: int

    @property
    def total_cents(self) -> int:
        """What an invoice would have for a whole period, before coupons and taxes."""
        return self.fee.amount_cents + self.true_up_cents

    def amount(self, currency: Currency) -> Fraction:
        """The fee in currency units, not rounded."""
        return major_units(self.fee.precise_amount_cents, currency)

    @property
    def lines(self) -> Sequence[Mapping[str, JSON]]:
        """The tiers that the amount is the sum of, as the fee's derivation has them."""
        (pricing,) = [step for step in self.fee.explanation if step["step"] == "pricing"]
        lines = pricing.get("lines", [])
        assert isinstance(lines, list), "lines are a list"
        return [line for line in lines if isinstance(line, dict)]


def price_units(tariff: Tariff, usage: Usage, currency: Currency) -> PricePoint:
    """Price one usage of a whole period, as an invoice does (pricing §7, §10, §13).

    >>> from tallymark.domain.money import currency
    >>> from tallymark.domain.rating import parse_price
    >>> price = parse_price(ChargeModel.STANDARD, {"amount": "0.006"}, aggregation_type=SUM)
    >>> tariff = Tariff(charge_model=ChargeModel.STANDARD, price=price, properties={}, min_amount_cents=10)
    >>> point = price_units(tariff, spread(tariff, Fraction(3), events_count=1), currency("EUR"))
    >>> point.fee.amount_cents, point.true_up_cents, point.total_cents
    (2, 8, 10)
    """
    fee = _fixed_fee(tariff, usage, currency) if tariff.is_fixed else _charge_fee(tariff, usage, currency)
    minimum = SpendingMinimum(amount_cents=tariff.min_amount_cents, days=1, full_days=1, window={})
    lacking = compute_true_up(minimum, [fee], currency)
    return PricePoint(fee=fee, true_up_cents=0 if lacking is None else lacking.amount_cents)


def spread(tariff: Tariff, units: Fraction, *, events_count: int) -> Usage:
    """Units that came by so many events of one size; of a count, each unit is an event; of fixed units there are none.

    >>> from tallymark.domain.rating import parse_price
    >>> price = parse_price(ChargeModel.PERCENTAGE, {"rate": "1", "free_units_per_events": 2}, aggregation_type=SUM)
    >>> tariff = Tariff(charge_model=ChargeModel.PERCENTAGE, price=price, properties={})
    >>> spread(tariff, Fraction(90), events_count=3).running_totals
    (Fraction(30, 1), Fraction(60, 1))
    """
    if tariff.is_fixed or not units:
        return Usage(units=units, events_count=0, event_values=())
    needs = tariff.price.needs
    if tariff.aggregation_type in COUNTS:
        return Usage(
            units=units,
            events_count=int(units),
            running_totals=range(1, int(units) + 1) if needs.running_totals else (),
            event_values=(Fraction(1),) * int(units) if needs.event_values else (),
        )
    if not tariff.looks_at_events:
        return Usage(units=units, events_count=events_count)
    if tariff.aggregation_type == SUM:
        return of_events(tariff, [units / events_count] * events_count)
    # Of the greatest value, the event that had it is the one that is priced (metering §5.6).
    return Usage(units=units, events_count=events_count, event_values=(units, *(ZERO,) * (events_count - 1)))


def of_events(tariff: Tariff, values: Sequence[Fraction]) -> Usage:
    """The usage of events that are summed, with these values in the order of time."""
    totals = tuple(accumulate(values))
    return Usage(
        units=totals[-1] if totals else ZERO,
        events_count=len(values),
        running_totals=tariff.price.needs.trim(totals),
        event_values=tuple(values),
    )


def _charge_fee(tariff: Tariff, usage: Usage, currency: Currency) -> Fee:
    facts = ChargeFacts(
        metric_code="",
        aggregation_type=tariff.aggregation_type,
        rounding_function=None,
        rounding_precision=None,
        charge_model=tariff.charge_model,
        properties=tariff.properties,
        price=tariff.price,
        usage=usage,
        units_before_rounding=usage.units,
        window={"step": "window"},
    )
    return compute_charge_fee(facts, currency)


def _fixed_fee(tariff: Tariff, usage: Usage, currency: Currency) -> Fee:
    facts = FixedChargeFacts(
        charge_model=tariff.charge_model,
        properties=tariff.properties,
        price=tariff.price,
        usage=usage,
        window={"step": "window"},
    )
    return compute_fixed_charge_fee(facts, currency)
