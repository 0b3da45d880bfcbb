"""Graduated percentage: each tier's units at that tier's rate in percent (pricing §7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.money import Currency
from tallymark.domain.rating.model import (
    JSON,
    NOTHING,
    ZERO,
    Details,
    Needs,
    Rated,
    Usage,
    amount_text,
    rated,
    units_text,
)
from tallymark.domain.rating.tiers import Tier, check_tiers, reached, tier_line


@dataclass(frozen=True, slots=True, kw_only=True)
class GraduatedPercentagePrice:
    """Tiers of a rate in percent of the units, with flat amounts as in the graduated model."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    @property
    def needs(self) -> Needs:
        """Units only."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Walk the tiers that the units reach."""
        amount, details, lines = ZERO, list[JSON](), list[Details]()
        for tier, units in reached(self.tiers, usage.units):
            total = units * tier.price / 100
            amount += total + tier.flat_amount
            details.append(
                {
                    "from_value": tier.shown_from,
                    "to_value": tier.shown_to,
                    "flat_unit_amount": amount_text(tier.flat_amount),
                    "rate": amount_text(tier.price),
                    "units": units_text(units),
                    "per_unit_total_amount": amount_text(total),
                    "total_with_flat_amount": amount_text(total + tier.flat_amount),
                }
            )
            lines.append(tier_line(tier, units, "rate", total + tier.flat_amount))
        return rated(usage, amount, {"graduated_percentage_ranges": details}, lines=lines)
