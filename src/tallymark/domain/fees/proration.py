"""To charge a part of a period: days of days, exactly."""

from __future__ import annotations

from tallymark.domain.exact import Fraction


def prorate(amount_cents: int, *, days: int, of: int) -> Fraction:
    """A period's amount for some of its days; not rounded (subscriptions §4.2).

    >>> prorate(3100, days=1, of=31)
    Fraction(100, 1)
    """
    return Fraction(amount_cents * days, of)
