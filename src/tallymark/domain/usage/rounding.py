"""Rounding of aggregated units by the metric's function (metering §5.4)."""

from __future__ import annotations

from tallymark.domain.exact import Fraction
from tallymark.domain.money import ceil_to, floor_to, round_half_away


def round_units(units: Fraction, function: str | None, precision: int | None) -> Fraction:
    """Round units; without a function they stay as they are.

    >>> round_units(Fraction("12.345"), "floor", 1), round_units(Fraction("12.345"), "ceil", -1)
    (Fraction(123, 10), Fraction(20, 1))
    """
    match function:
        case None:
            return units
        case "round":
            return round_half_away(units, precision or 0)
        case "ceil":
            return ceil_to(units, precision or 0)
        case "floor":
            return floor_to(units, precision or 0)
    raise ValueError(f"no rounding function {function!r}")
