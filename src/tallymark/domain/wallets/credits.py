"""Credits and money: whole minor units are spent, and credits are what they are worth exactly (wallets §3).

Only a void may name a part of a minor unit. So a balance is kept in minor units, whole and precise; the credits are the
precise ones divided by the rate, and no quotient is ever rounded but to be shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency, floor_to, round_cents

SHOWN_DECIMALS = 5
"""Decimals of credits that are asked for or shown."""


@dataclass(frozen=True, slots=True)
class Credits:
    """What one credit is worth: `rate` units of a currency.

    >>> from tallymark.domain.money import currency
    >>> euros = Credits(Fraction("1.5"), currency("EUR"))
    >>> euros.cents_of(Fraction("10.12345")), euros.of_cents(1519)
    (1519, Fraction(1519, 150))
    """

    rate: Fraction
    currency: Currency

    @property
    def _cents_each(self) -> Fraction:
        return self.rate * self.currency.subunits

    def cents_of(self, credits: Fraction) -> int:
        """What paid or granted credits come to, in minor units: cut at five decimals, then rounded once."""
        return round_cents(floor_to(credits, SHOWN_DECIMALS) * self._cents_each)

    def precise_cents_of(self, credits: Fraction) -> Fraction:
        """What credits are worth in minor units, exact."""
        return credits * self._cents_each

    def of_cents(self, cents: Fraction | int) -> Fraction:
        """The credits that an amount in minor units is worth, exact."""
        return cents / self._cents_each


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet holds, in minor units: `cents` are the precise ones rounded, at all times (wallets §3)."""

    cents: int
    precise_cents: Fraction

    def __post_init__(self) -> None:
        if self.cents < 0:
            raise ValueError("a wallet's balance is never negative")
        if self.cents != round_cents(self.precise_cents) or (self.cents == 0 and self.precise_cents):
            raise ValueError("cents and credits have drifted apart")

    def plus(self, cents: int) -> Balance:
        """The balance after whole minor units came in, or with a negative number went out.

        What an earlier void left of a minor unit is dropped with the last one. Raises `ValueError` below zero.
        """
        left = self.cents + cents
        return Balance(left, self.precise_cents + cents if left else Fraction(0))

    def less_precise(self, precise_cents: Fraction) -> Balance:
        """The balance after a void that named its credits, worth this much.

        >>> full = EMPTY.plus(10_000)
        >>> once = full.less_precise(Fraction("1428.444"))
        >>> once.cents, once.less_precise(Fraction("1428.444")).cents
        (8572, 7143)
        """
        left = max(self.precise_cents - precise_cents, Fraction(0))
        cents = round_cents(left)
        return Balance(cents, left if cents else Fraction(0))


EMPTY = Balance(0, Fraction(0))
