"""The fee of credits that are bought (wallets §5)."""

from __future__ import annotations

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee, FeeType, rounding_step, standard_pricing_step, unit_cents
from tallymark.domain.money import Currency, major_units, plain_text


def compute_credit_fee(credits: Fraction, *, rate: Fraction, cents: int, currency: Currency) -> Fee:
    """Credits at their rate: they come to whole minor units, for money was rounded before credits were.

    >>> from tallymark.domain.money import currency
    >>> fee = compute_credit_fee(Fraction(1519, 150), rate=Fraction("1.5"), cents=1519, currency=currency("EUR"))
    >>> fee.amount_cents, fee.unit_amount_cents
    (1519, 150)
    """
    amount = plain_text(major_units(cents, currency), 20)
    price = standard_pricing_step(plain_text(credits, 20), rate, amount)
    return Fee(
        fee_type=FeeType.CREDIT,
        units=credits,
        total_aggregated_units=credits,
        events_count=None,
        amount_cents=cents,
        precise_amount_cents=Fraction(cents),
        precise_unit_amount=rate,
        unit_amount_cents=unit_cents(rate, currency),
        explanation=(price, rounding_step(cents)),
    )
