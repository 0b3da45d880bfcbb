"""The fee of a charge: the units of one bucket and group, priced and rounded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import (
    JSON,
    Fee,
    FeeType,
    PricingUnitAmounts,
    Step,
    rounding_step,
    unit_cents,
)
from tallymark.domain.money import (
    Currency,
    exact_minor_units,
    minor_units,
    plain_text,
    round_cents,
    trunc_cents,
)
from tallymark.domain.rating import ChargeModel, Price, Rated, Usage
from tallymark.domain.values import value

PRICING_UNIT_CENTS = 100
"""A pricing unit has two decimals (pricing §11)."""


@value
class Conversion:
    """The pricing unit that a charge's properties are in; `rate` is currency units per pricing unit."""

    short_name: str
    rate: Fraction


@value
class ChargeFacts:
    """What the fee of a charge follows from: its price, and what was used in the window, bucket and group."""

    metric_code: str
    aggregation_type: str
    rounding_function: str | None
    rounding_precision: int | None
    charge_model: str
    properties: Mapping[str, JSON]
    price: Price
    usage: Usage
    units_before_rounding: Fraction
    window: Step
    filter_values: Mapping[str, JSON] | None = None
    grouped_by: Mapping[str, str | None] | None = None
    conversion: Conversion | None = None


def compute_charge_fee(facts: ChargeFacts, currency: Currency) -> Fee:
    """Price a charge's usage: the one rating path of current usage, previews and invoices (pricing §1.4, §7, §11).

    >>> from tallymark.domain.money import currency
    >>> from tallymark.domain.rating import parse_price, ChargeModel
    >>> price = parse_price(ChargeModel.STANDARD, {"amount": "0.006"}, aggregation_type="count_agg")
    >>> facts = ChargeFacts(metric_code="calls", aggregation_type="count_agg", rounding_function=None,
    ...     rounding_precision=None, charge_model="standard", properties={"amount": "0.006"}, price=price,
    ...     usage=Usage(units=Fraction(3), events_count=3), units_before_rounding=Fraction(3), window={})
    >>> compute_charge_fee(facts, currency("EUR")).amount_cents
    2
    """
    rated = facts.price.rate(facts.usage, currency)
    fee = fee_of_amount(rated.amount, rated.unit_amount, currency, facts.conversion)
    total = facts.usage.total_aggregated_units
    return replace(
        fee,
        units=rated.units,
        total_aggregated_units=rated.units if total is None else max(total, Fraction(0)),
        events_count=facts.usage.events_count,
        amount_details=rated.amount_details,
        explanation=(*_steps(facts), _pricing_step(facts, rated), *fee.explanation),
    )


def fee_of_amount(
    amount: Fraction, unit_amount: Fraction, currency: Currency, conversion: Conversion | None
) -> Fee:
    """A charge fee of an amount in currency units, or in the charge's pricing unit: rounded there, converted, rounded.

    Its explanation has the steps after pricing; the units are for the caller to fill in.
    """
    if conversion is None:
        cents = minor_units(amount, currency)
        return Fee(
            fee_type=FeeType.CHARGE,
            units=Fraction(0),
            total_aggregated_units=Fraction(0),
            events_count=None,
            amount_cents=cents,
            precise_amount_cents=exact_minor_units(amount, currency),
            precise_unit_amount=unit_amount,
            unit_amount_cents=unit_cents(unit_amount, currency),
            explanation=(rounding_step(cents),),
        )
    unit = trunc_cents(unit_amount * PRICING_UNIT_CENTS)
    in_units = PricingUnitAmounts(
        short_name=conversion.short_name,
        conversion_rate=conversion.rate,
        amount_cents=round_cents(amount * PRICING_UNIT_CENTS),
        precise_amount_cents=amount * PRICING_UNIT_CENTS,
        unit_amount_cents=unit,
        precise_unit_amount=unit_amount,
    )
    fiat = in_units.amount_cents * conversion.rate / PRICING_UNIT_CENTS
    converted = fee_of_amount(fiat, unit * conversion.rate / PRICING_UNIT_CENTS, currency, None)
    return replace(
        converted,
        pricing_unit=in_units,
        explanation=(_conversion_step(in_units, fiat), *converted.explanation),
    )


def _conversion_step(of: PricingUnitAmounts, amount: Fraction) -> Step:
    return {
        "step": "conversion",
        "pricing_unit": of.short_name,
        "pricing_unit_amount_cents": of.amount_cents,
        "conversion_rate": plain_text(of.conversion_rate, 15),
        "amount": plain_text(amount, 20),
    }


def _steps(facts: ChargeFacts) -> list[Step]:
    usage = facts.usage
    steps: list[Step] = [
        facts.window,
        {
            "step": "aggregation",
            "billable_metric_code": facts.metric_code,
            "aggregation_type": facts.aggregation_type,
            "filter": None if facts.filter_values is None else dict(facts.filter_values),
            "group": dict(facts.grouped_by or {}),
            "events_count": usage.events_count,
            "value": plain_text(facts.units_before_rounding, 15),
        },
    ]
    if facts.rounding_function is not None:
        steps.append(
            {
                "step": "rounding_of_units",
                "function": facts.rounding_function,
                "precision": facts.rounding_precision or 0,
                "value": plain_text(usage.shown_units, 15),
            }
        )
    if usage.full_units is not None:
        steps.append(
            {
                "step": "proration",
                "changes": [
                    {"units": plain_text(units, 15), "fraction": str(share)}
                    for units, share in usage.changes or ()
                ],
                "rule": "ceil_to_5_decimals",
                # The metric's rounding is that of prorated units, too (metering §5.4).
                **(
                    {"function": facts.rounding_function, "precision": facts.rounding_precision or 0}
                    if facts.rounding_function is not None
                    else {}
                ),
                "units": plain_text(usage.units, 15),
            }
        )
    return steps


def _pricing_step(facts: ChargeFacts, rated: Rated) -> Step:
    step: dict[str, JSON] = {
        "step": "pricing",
        "charge_model": facts.charge_model,
        "properties": dict(facts.properties),
    }
    if rated.lines:
        step["lines"] = [dict(line) for line in rated.lines]
    elif rated.amount_details:
        step["details"] = dict(rated.amount_details)
    elif facts.charge_model == ChargeModel.DYNAMIC:
        sent = facts.usage.precise_total_amount_cents
        step["details"] = {"precise_total_amount_cents": plain_text(sent, 20)}
    return {**step, "amount": plain_text(rated.amount, 20)}
