"""Standard: so much a unit (pricing §7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency
from tallymark.domain.rating.model import NOTHING, ZERO, Needs, Rated, Usage, rated


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardPrice:
    """`amount` currency units for each unit."""

    amount: Fraction

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError("a price is not negative")

    @property
    def needs(self) -> Needs:
        """Units only."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Multiply."""
        return rated(usage, usage.units * self.amount, {})

    def signed(self, usage: Usage) -> Rated:
        """The same where it is negative, too: one side of what an event in advance costs (metering §8.3)."""
        amount = usage.units * self.amount
        return Rated(units=usage.shown_units, amount=amount, unit_amount=ZERO, amount_details={})
