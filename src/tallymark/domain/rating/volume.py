"""Volume: all units at the price of the tier in which they end (pricing §7.4)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.money import Currency
from tallymark.domain.rating.model import NOTHING, ZERO, Needs, Rated, Usage, amount_text, rated
from tallymark.domain.rating.tiers import Tier, check_tiers, holding, tier_line


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePrice:
    """Tiers of which one prices everything; the full units choose it, also of a prorated charge."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    @property
    def needs(self) -> Needs:
        """Units only."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Multiply by the price of the one tier and add its flat amount."""
        full = usage.shown_units
        tier = holding(self.tiers, full)
        total = usage.units * tier.price
        details = {
            "flat_unit_amount": amount_text(tier.flat_amount),
            "per_unit_amount": amount_text(total / full if full else ZERO),
            "per_unit_total_amount": amount_text(total),
        }
        lines = [tier_line(tier, usage.units, "unit_amount", total + tier.flat_amount)]
        return rated(usage, total + tier.flat_amount, details, lines=lines)
