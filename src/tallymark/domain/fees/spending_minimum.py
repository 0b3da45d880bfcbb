"""The true-up of a charge whose usage stays below its minimum (pricing §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import PRICING_UNIT_CENTS, Conversion, fee_of_amount
from tallymark.domain.fees.model import Fee, Step
from tallymark.domain.fees.proration import prorate
from tallymark.domain.money import Currency, major_units, plain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingMinimum:
    """A charge's minimum for `full_days`, of which the window has `days`; in cents of its pricing unit if it has one."""

    amount_cents: int
    days: int
    full_days: int
    window: Step
    conversion: Conversion | None = None


def compute_true_up(minimum: SpendingMinimum, fees: Sequence[Fee], currency: Currency) -> Fee | None:
    """What the fees of a charge lack to its prorated minimum, None where they lack nothing.

    The amount is the prorated minimum less the rounded amounts, rounded once; the precise one less the precise ones.

    >>> from tallymark.domain.money import currency
    >>> minimum = SpendingMinimum(amount_cents=9000, days=21, full_days=30, window={})
    >>> used = fee_of_amount(Fraction("41.60"), Fraction(0), currency("EUR"), None)
    >>> compute_true_up(minimum, [used], currency("EUR")).amount_cents
    2140

    A minimum in pricing units of 2.00 each is 126.00, of which the same fee, told by hand in currency, leaves 84.40:

    >>> in_units = replace(minimum, conversion=Conversion(short_name="CR", rate=Fraction(2)))
    >>> compute_true_up(in_units, [used], currency("EUR")).amount_cents
    8440
    """
    prorated = prorate(minimum.amount_cents, days=minimum.days, of=minimum.full_days)
    used = sum((_in_cents_of(minimum, fee, currency) for fee in fees), Fraction(0))
    if used >= prorated:
        return None
    subunits = currency.subunits if minimum.conversion is None else PRICING_UNIT_CENTS
    lacking = (prorated - used) / subunits
    fee = fee_of_amount(lacking, lacking, currency, minimum.conversion)
    if minimum.conversion is None:
        precise = prorated - sum((fee.precise_amount_cents for fee in fees), Fraction(0))
        fee = replace(fee, precise_amount_cents=precise)
    return replace(
        fee,
        units=Fraction(1),
        total_aggregated_units=Fraction(1),
        events_count=0,
        explanation=(*_steps(minimum, prorated, used), *fee.explanation),
    )


def _in_cents_of(minimum: SpendingMinimum, fee: Fee, currency: Currency) -> Fraction:
    """A fee's amount in what the minimum is in: where its price was told by hand, it is in currency alone (invoicing §8)."""
    if minimum.conversion is None:
        return Fraction(fee.amount_cents)
    if fee.pricing_unit is not None:
        return Fraction(fee.pricing_unit.amount_cents)
    return major_units(fee.amount_cents, currency) / minimum.conversion.rate * PRICING_UNIT_CENTS


def _steps(minimum: SpendingMinimum, prorated: Fraction, used: Fraction) -> list[Step]:
    return [
        minimum.window,
        {"step": "base_amount", "amount_cents": minimum.amount_cents},
        {
            "step": "proration",
            "fraction": f"{minimum.days}/{minimum.full_days}",
            "amount_cents": plain_text(prorated, 20),
        },
        {
            "step": "minimum",
            "used_cents": used.numerator if used.denominator == 1 else plain_text(used, 20),
            "amount_cents": plain_text(prorated - used, 20),
        },
    ]
