"""The true-up of a charge whose usage stays below its minimum (pricing §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import PRICING_UNIT_CENTS, Conversion, fee_of_amount
from tallymark.domain.fees.model import Fee, Step
from tallymark.domain.fees.proration import prorate
from tallymark.domain.money import Currency, plain_text


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
    """
    prorated = prorate(minimum.amount_cents, days=minimum.days, of=minimum.full_days)
    used = sum(_cents(fee) for fee in fees)
    if used >= prorated:
        return None
    precise = prorated - sum((_precise_cents(fee) for fee in fees), Fraction(0))
    subunits = currency.subunits if minimum.conversion is None else PRICING_UNIT_CENTS
    lacking = (prorated - used) / subunits
    fee = fee_of_amount(lacking, lacking, currency, minimum.conversion)
    if minimum.conversion is None:
        fee = replace(fee, precise_amount_cents=precise)
    return replace(
        fee,
        units=Fraction(1),
        total_aggregated_units=Fraction(1),
        events_count=0,
        explanation=(*_steps(minimum, prorated, used), *fee.explanation),
    )


def _cents(fee: Fee) -> int:
    return fee.amount_cents if fee.pricing_unit is None else fee.pricing_unit.amount_cents


def _precise_cents(fee: Fee) -> Fraction:
    return fee.precise_amount_cents if fee.pricing_unit is None else fee.pricing_unit.precise_amount_cents


def _steps(minimum: SpendingMinimum, prorated: Fraction, used: int) -> list[Step]:
    return [
        minimum.window,
        {"step": "base_amount", "amount_cents": minimum.amount_cents},
        {
            "step": "proration",
            "fraction": f"{minimum.days}/{minimum.full_days}",
            "amount_cents": plain_text(prorated, 20),
        },
        {"step": "minimum", "used_cents": used, "amount_cents": plain_text(prorated - used, 20)},
    ]
