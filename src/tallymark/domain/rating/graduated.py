"""Graduated: each tier's units at that tier's price (pricing §7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency, plain_text
from tallymark.domain.rating.model import (
    JSON,
    ZERO,
    Details,
    Needs,
    Rated,
    Usage,
    amount_text,
    rated,
    units_text,
)
from tallymark.domain.rating.prorated_tiers import flat_amounts, walk
from tallymark.domain.rating.tiers import Tier, check_tiers, reached, tier_line


@dataclass(frozen=True, slots=True, kw_only=True)
class GraduatedPrice:
    """Tiers of a price per unit; the flat amount of every tier reached is due in full."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    @property
    def needs(self) -> Needs:
        """Units, and of prorated usage each event's."""
        return Needs(changes=True)

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Walk the tiers that the units reach; of prorated usage, in the order of its events (§9).

        Raises `ValueError` where prorated units come without them.
        """
        if (changes := usage.placed_changes) is not None:
            return self._rate_changes(usage, changes)
        if usage.shown_units != usage.units:
            raise ValueError("prorated units are not placed on tiers by their sum")
        amount, details, lines = ZERO, list[JSON](), list[Details]()
        for tier, units in reached(self.tiers, usage.units):
            total = units * tier.price
            amount += total + tier.flat_amount
            details.append(
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
            lines.append(tier_line(tier, units, "unit_amount", total + tier.flat_amount))
        return rated(usage, amount, {"graduated_ranges": details}, lines=lines)

    def _rate_changes(self, usage: Usage, changes: Sequence[tuple[Fraction, Fraction]]) -> Rated:
        if not usage.units:
            return rated(usage, self.tiers[0].flat_amount, {})
        if sum(units for units, _ in changes) < 0:
            return rated(usage, ZERO, {})
        amount = max(walk(self.tiers, changes), ZERO) + flat_amounts(self.tiers, changes)
        lines = [{"units": plain_text(units, 15), "share": f"{share}"} for units, share in changes]
        return rated(usage, amount, {}, lines=lines)
