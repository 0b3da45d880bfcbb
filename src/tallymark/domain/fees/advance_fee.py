"""The fee of one event of a charge paid in advance: the price with the event less the price without it (metering §8.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import PRICING_UNIT_CENTS, Conversion, fee_of_amount
from tallymark.domain.fees.model import JSON, Fee, Step
from tallymark.domain.money import Currency, decimal_text, minor_units, plain_text, round_cents
from tallymark.domain.rating import ChargeModel, Price, Rated, Usage
from tallymark.domain.rating.percentage import PercentagePrice
from tallymark.domain.rating.standard import StandardPrice

ZERO = Fraction(0)

EXPLAINED_MODELS = (ChargeModel.PERCENTAGE, ChargeModel.GRADUATED_PERCENTAGE)
"""Those whose fees in advance carry details."""

FIRST_TIER_ON_FIRST_UNIT = (ChargeModel.GRADUATED, ChargeModel.GRADUATED_PERCENTAGE)
"""Those where nothing used costs nothing without the event, so that the first one pays the first flat amount."""

KEPT_DETAILS = ("rate", "from_value", "to_value", "per_unit_amount", "fixed_fee_unit_amount")
"""Details that stay those with the event; of all others the difference is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceFacts:
    """What the fee of an event follows from.

    `usage` is what was priced so far in the event's window, bucket and group, the event included: its units are A, with
    what recurring metrics carried into the window. `billed_units` is what the event adds to that (b), `shown_units` what
    its fee shows; `event_values_without` and `precise_total_amount_cents` are the values of the other events, and the
    amount that the event brings itself.
    """

    charge_model: ChargeModel
    properties: Mapping[str, JSON]
    price: Price
    usage: Usage
    billed_units: Fraction
    shown_units: Fraction
    event_values_without: Sequence[Fraction] | None = None
    precise_total_amount_cents: Fraction = ZERO
    conversion: Conversion | None = None
    steps: tuple[Step, ...] = ()


def compute_advance_amount(facts: AdvanceFacts, currency: Currency) -> Rated:
    """The amount of an event in currency units (or in the charge's pricing unit), not rounded, and never negative.

    An event that bills no unit costs nothing, whatever its model; only a dynamic one brings its own amount. The unit
    amount is left to whoever rounds.

    >>> from tallymark.domain.money import currency
    >>> from tallymark.domain.rating import parse_price
    >>> price = parse_price(ChargeModel.STANDARD, {"amount": "2"}, aggregation_type="sum_agg")
    >>> facts = AdvanceFacts(charge_model=ChargeModel.STANDARD, properties={}, price=price, shown_units=Fraction(4),
    ...     usage=Usage(units=Fraction(14), events_count=4), billed_units=Fraction(4))
    >>> compute_advance_amount(facts, currency("EUR")).amount
    Fraction(8, 1)
    """
    with_event = _side(facts.price, facts.usage, currency)
    without = with_event
    if facts.billed_units or facts.charge_model is ChargeModel.DYNAMIC:
        without = _rate_without(facts, currency)
    amount = max(with_event.amount - without.amount, ZERO)
    details: Mapping[str, JSON] = {}
    if facts.charge_model in EXPLAINED_MODELS:
        details = _difference(with_event.amount_details, without.amount_details)
    return Rated(units=facts.shown_units, amount=amount, unit_amount=ZERO, amount_details=details)


def compute_advance_fee(facts: AdvanceFacts, currency: Currency) -> Fee:
    """Round an event's amount to the currency, half away from zero; the average unit follows from the rounded amount."""
    rated = compute_advance_amount(facts, currency)
    fee = fee_of_amount(rated.amount, _unit_amount(rated, facts, currency), currency, facts.conversion)
    pricing: Step = {
        "step": "pricing",
        "charge_model": facts.charge_model.value,
        "properties": dict(facts.properties),
        "units_with_event": plain_text(facts.usage.units, 15),
        "units_of_event": plain_text(facts.billed_units, 15),
        "amount": plain_text(rated.amount, 20),
    }
    return replace(
        fee,
        units=rated.units,
        total_aggregated_units=rated.units,
        events_count=1,
        amount_details=rated.amount_details,
        explanation=(*facts.steps, pricing, *fee.explanation),
    )


def _unit_amount(rated: Rated, facts: AdvanceFacts, currency: Currency) -> Fraction:
    """The rounded amount for each unit shown, in currency or pricing units."""
    if not rated.units:
        return ZERO
    if facts.conversion is not None:
        return Fraction(round_cents(rated.amount * PRICING_UNIT_CENTS), PRICING_UNIT_CENTS) / rated.units
    return Fraction(minor_units(rated.amount, currency), currency.subunits) / rated.units


def _rate_without(facts: AdvanceFacts, currency: Currency) -> Rated:
    units = facts.usage.units - facts.billed_units
    if units <= 0 and facts.charge_model in FIRST_TIER_ON_FIRST_UNIT:
        return Rated(units=ZERO, amount=ZERO, unit_amount=ZERO)
    usage = replace(
        facts.usage,
        units=units,
        events_count=facts.usage.events_count - 1,
        event_values=facts.event_values_without,
        precise_total_amount_cents=facts.usage.precise_total_amount_cents - facts.precise_total_amount_cents,
    )
    return _side(facts.price, usage, currency)


def _side(price: Price, usage: Usage, currency: Currency) -> Rated:
    """What decreases leave below zero stands on both sides, so that units cost their price and events their own amounts."""
    return (
        price.signed(usage)
        if isinstance(price, (StandardPrice, PercentagePrice))
        else price.rate(usage, currency)
    )


def _difference(with_event: Mapping[str, JSON], without: Mapping[str, JSON]) -> dict[str, JSON]:
    return {
        name: value if name in KEPT_DETAILS else _less(value, without.get(name))
        for name, value in with_event.items()
    }


def _less(value: JSON, other: JSON) -> JSON:
    """What is more on the side with the event: numbers as they are written, lists of tiers one by one."""
    match value:
        case list():
            others = other if isinstance(other, list) else []
            padded = [*others, *({} for _ in range(len(value) - len(others)))]
            return [
                _difference(_mapping(mine), _mapping(its)) for mine, its in zip(value, padded, strict=True)
            ]
        case str():
            return decimal_text(Decimal(value) - Decimal(str(other or 0)))
        case int():
            return value - (other if isinstance(other, int) else 0)
    return value


def _mapping(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, dict) else {}
