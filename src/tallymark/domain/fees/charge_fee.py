"""The fee of a charge: aggregated units, priced and rounded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tallymark.domain.fees.model import JSON, Fee, FeeType, Step, rounding_step, unit_cents
from tallymark.domain.money import Currency, exact_minor_units, minor_units, plain_text
from tallymark.domain.rating import Price, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """What the fee of a charge follows from: its price, and what was used in the window."""

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


def compute_charge_fee(facts: ChargeFacts, currency: Currency) -> Fee:
    """Price a charge's usage: the one rating path of current usage, previews and invoices (pricing §1.4, §7).

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
    cents = minor_units(rated.amount, currency)
    return Fee(
        fee_type=FeeType.CHARGE,
        units=rated.units,
        total_aggregated_units=rated.units,
        events_count=facts.usage.events_count,
        amount_cents=cents,
        precise_amount_cents=exact_minor_units(rated.amount, currency),
        precise_unit_amount=rated.unit_amount,
        unit_amount_cents=unit_cents(rated.unit_amount, currency),
        amount_details=rated.amount_details,
        explanation=(*_steps(facts), _pricing_step(facts, rated.amount), rounding_step(cents)),
    )


def _steps(facts: ChargeFacts) -> list[Step]:
    steps: list[Step] = [
        facts.window,
        {
            "step": "aggregation",
            "billable_metric_code": facts.metric_code,
            "aggregation_type": facts.aggregation_type,
            "filter": None,
            "group": {},
            "events_count": facts.usage.events_count,
            "value": plain_text(facts.units_before_rounding),
        },
    ]
    if facts.rounding_function is not None:
        steps.append(
            {
                "step": "rounding_of_units",
                "function": facts.rounding_function,
                "precision": facts.rounding_precision or 0,
                "value": plain_text(facts.usage.units),
            }
        )
    return steps


def _pricing_step(facts: ChargeFacts, amount: Fraction) -> Step:
    return {
        "step": "pricing",
        "charge_model": facts.charge_model,
        "properties": dict(facts.properties),
        "amount": plain_text(amount, 15),
    }
