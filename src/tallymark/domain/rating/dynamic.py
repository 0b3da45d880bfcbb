"""Dynamic: the events bring their own amounts (pricing §7.7)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.money import Currency, major_units
from tallymark.domain.rating.model import NOTHING, ZERO, Needs, Rated, Usage, rated


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicPrice:
    """No price of its own: the sum of `precise_total_amount_cents`."""

    @property
    def needs(self) -> Needs:
        """Units and the events' own amounts."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:
        """Take the events' amounts, nothing where nothing was used."""
        amount = major_units(usage.precise_total_amount_cents, currency) if usage.units else ZERO
        return rated(usage, amount, {})
