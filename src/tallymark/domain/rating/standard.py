"""Standard: so much a unit (pricing §7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency
from tallymark.domain.rating.model import NOTHING, Needs, Rated, Usage, rated


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
