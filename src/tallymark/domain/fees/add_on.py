"""The fee of an add-on on a one-off invoice (invoicing §10.1)."""

from __future__ import annotations

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee, FeeType, rounding_step, standard_pricing_step
from tallymark.domain.money import Currency, major_units, plain_text, round_cents


def compute_add_on_fee(units: Fraction, *, unit_amount_cents: int, currency: Currency) -> Fee:
    """Units (at most 10 decimals) at a price in minor units, rounded once.

    >>> from tallymark.domain.money import currency
    >>> compute_add_on_fee(Fraction(5, 2), unit_amount_cents=333, currency=currency("EUR")).amount_cents
    833
    """
    exact = units * unit_amount_cents
    unit_amount = major_units(unit_amount_cents, currency)
    cents = round_cents(exact)
    amount = plain_text(major_units(exact, currency), 20)
    price = standard_pricing_step(plain_text(units), unit_amount, amount)
    return Fee(
        fee_type=FeeType.ADD_ON,
        units=units,
        total_aggregated_units=units,
        events_count=None,
        amount_cents=cents,
        precise_amount_cents=exact,
        precise_unit_amount=unit_amount,
        unit_amount_cents=unit_amount_cents,
        explanation=(price, rounding_step(cents)),
    )
