"""Graduated: each tier's units at that tier's price (pricing §7.2)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.money import Currency
from tallymark.domain.rating.model import (
    JSON,
    NOTHING,
    ZERO,
    Needs,
    Rated,
    Usage,
    amount_text,
    rated,
    units_text,
)
from tallymark.domain.rating.tiers import Tier, check_tiers, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class GraduatedPrice:
    """Tiers of a price per unit; the flat amount of every tier reached is due in full."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    @property
    def needs(self) -> Needs:
        """Units only."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Walk the tiers that the units reach. Raises `ValueError` for prorated units: their events are walked (§9)."""
        if usage.shown_units != usage.units:
            raise ValueError("prorated units are not placed on tiers by their sum")
        amount, lines = ZERO, list[JSON]()
        for tier, units in reached(self.tiers, usage.units):
            total = units * tier.price
            amount += total + tier.flat_amount
            lines.append(
                {
                    "from_value": tier.shown_from,
                    "to_value": tier.shown_to,
                    "flat_unit_amount": amount_text(tier.flat_amount),
                    "per_unit_amount": amount_text(tier.price if units else ZERO),
                    "units": units_text(units),
                    "per_unit_total_amount": amount_text(total),
                    "total_with_flat_amount": amount_text(total + tier.flat_amount),
                }
            )
        return rated(usage, amount, {"graduated_ranges": lines})
