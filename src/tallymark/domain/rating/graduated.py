"""Graduated: each tier's units at that tier's price (pricing §7.2)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.money import Currency, decimal_text
from tallymark.domain.rating.model import JSON, NOTHING, ZERO, Needs, Rated, Usage, rated
from tallymark.domain.rating.tiers import Tier, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class GraduatedPrice:
    """Tiers of a price per unit; the flat amount of every tier reached is due in full."""

    tiers: tuple[Tier, ...]

    @property
    def needs(self) -> Needs:
        """Units only."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Walk the tiers that the units reach."""
        amount, lines = ZERO, list[JSON]()
        for tier, units in reached(self.tiers, usage.units):
            total = units * tier.price
            amount += total + tier.flat_amount
            lines.append(
                {
                    "from_value": tier.shown_from,
                    "to_value": tier.shown_to,
                    "flat_unit_amount": decimal_text(tier.flat_amount),
                    "per_unit_amount": decimal_text(tier.price if units else ZERO),
                    "units": decimal_text(units),
                    "per_unit_total_amount": decimal_text(total),
                    "total_with_flat_amount": decimal_text(total + tier.flat_amount),
                }
            )
        return rated(usage, amount, {"graduated_ranges": lines})
