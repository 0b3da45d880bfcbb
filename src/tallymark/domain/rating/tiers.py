"""Tiers without gaps and overlaps, and the walk along them.

A tier holds what is above the previous tier's end, up to and with its own: both styles of writing `from_value`
(0-10, 10-20 and 0-10, 11-20) mean the same (pricing §7.2, README quirk 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tallymark.domain.rating.model import JSON, ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One range of units: a price (an amount per unit, or a rate in percent) and a flat amount.

    `shown_from` and `shown_to` are the bounds as they were written, for the details of a fee.
    """

    floor: Fraction
    to: Fraction | None
    price: Fraction
    flat_amount: Fraction
    shown_from: JSON
    shown_to: JSON

    def portion(self, units: Fraction) -> Fraction:
        """How many of the units lie in this tier, which they reach."""
        return (units if self.to is None else min(units, self.to)) - self.floor

    def ends_at_or_above(self, units: Fraction) -> bool:
        """Whether nothing of the units lies beyond this tier."""
        return self.to is None or self.to >= units


def reached(tiers: Sequence[Tier], units: Fraction) -> Iterator[tuple[Tier, Fraction]]:
    """The tiers that the units reach and how many lie in each; the first is reached even by none."""
    for tier in tiers:
        yield tier, tier.portion(units)
        if tier.ends_at_or_above(units):
            return


def holding(tiers: Sequence[Tier], units: Fraction) -> Tier:
    """The one tier in which the units end."""
    return next(tier for tier in tiers if tier.ends_at_or_above(units))


class BrokenTiers(ValueError):
    """Tiers that leave a gap, overlap or have no end."""


def bound(value: object) -> Fraction:
    """Read a tier's bound: a number or a numeric string. Raises `BrokenTiers`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BrokenTiers
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise BrokenTiers from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise BrokenTiers
    return Fraction(number)


def check_bounds(bounds: Sequence[tuple[object, object]]) -> list[tuple[Fraction, Fraction | None]]:
    """Check `(from_value, to_value)` pairs and give each tier's floor and end (pricing §7.9).

    Raises `BrokenTiers` with the number of faulty tiers.

    >>> check_bounds([(0, 10), (11, None)]) == check_bounds([(0, 10), (10, None)])
    True
    """
    checked: list[tuple[Fraction, Fraction | None]] = []
    faults = 0
    floor: Fraction | None = ZERO
    for index, (start, end) in enumerate(bounds):
        is_last = index == len(bounds) - 1
        try:
            first = bound(start)
            to = None if end is None else bound(end)
        except BrokenTiers:
            faults, floor = faults + 1, None
            continue
        adjoins = floor is None or first in (floor, floor + 1)
        closes = (to is None) is is_last and (to is None or to > first)
        if not (adjoins and closes):
            faults += 1
        checked.append((floor if floor is not None else first, to))
        floor = to
    if faults:
        raise BrokenTiers(faults)
    return checked
