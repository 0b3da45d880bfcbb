"""A fee told otherwise by hand: other units, or units and a price (invoicing §8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import Conversion, fee_of_amount
from tallymark.domain.fees.model import Fee, FeeType, Step, rounding_step, unit_cents
from tallymark.domain.money import Currency, major_units, plain_text, round_cents
from tallymark.domain.rating import Price, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a fee is to be of: None keeps its own. `unit_amount` is in currency units, and the price model does not count."""

    units: Fraction | None = None
    unit_amount: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The price that a fee's units are computed with."""

    price: Price
    conversion: Conversion | None = None


def adjust(fee: Fee, wanted: Adjustment, model: Model | None, currency: Currency) -> Fee:
    """A fee of other units or another price; without a model its units alone can't change, and it stays as it is.

    The base price of a plan is taken as many times as there are units.
    """
    if wanted.unit_amount is not None:
        units = fee.units if wanted.units is None else wanted.units
        return _of_unit_amount(fee, units, wanted.unit_amount, currency)
    if wanted.units is None:
        return fee
    if fee.fee_type is FeeType.SUBSCRIPTION:
        return _of_unit_amount(fee, wanted.units, major_units(fee.precise_amount_cents, currency), currency)
    return fee if model is None else _of_model(fee, wanted.units, model, currency)


def _of_unit_amount(fee: Fee, units: Fraction, unit_amount: Fraction, currency: Currency) -> Fee:
    exact = units * unit_amount * currency.subunits
    cents = round_cents(exact)
    return replace(
        fee,
        units=units,
        total_aggregated_units=units,
        events_count=_no_events(fee),
        amount_cents=cents,
        precise_amount_cents=exact,
        precise_unit_amount=unit_amount,
        unit_amount_cents=unit_cents(unit_amount, currency),
        amount_details={},
        pricing_unit=None,
        explanation=(_by_hand(units, unit_amount, exact, currency), rounding_step(cents)),
    )


def _of_model(fee: Fee, units: Fraction, model: Model, currency: Currency) -> Fee:
    rated = model.price.rate(Usage(units=units, events_count=0), currency)
    computed = fee_of_amount(rated.amount, rated.unit_amount, currency, model.conversion)
    by_hand: Step = {"step": "adjustment", "units": plain_text(units), "amount": plain_text(rated.amount, 20)}
    return replace(
        computed,
        fee_type=fee.fee_type,
        units=rated.units,
        total_aggregated_units=rated.units,
        events_count=_no_events(fee),
        amount_details=rated.amount_details,
        explanation=(by_hand, *computed.explanation),
    )


def _no_events(fee: Fee) -> int | None:
    return 0 if fee.fee_type is FeeType.CHARGE else fee.events_count


def _by_hand(units: Fraction, unit_amount: Fraction, exact: Fraction, currency: Currency) -> Step:
    return {
        "step": "adjustment",
        "units": plain_text(units),
        "unit_amount": plain_text(unit_amount, 15),
        "amount": plain_text(major_units(exact, currency), 20),
    }
