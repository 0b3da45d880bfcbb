"""The roundings of pricing §1.4 and metering §0, on fractions."""

from __future__ import annotations

import math
from fractions import Fraction

SUBUNITS = {"JPY": 1, "HUF": 1, "EUR": 100, "USD": 100, "KWD": 1000, "CLF": 10000}


def half_away(x: Fraction) -> int:
    """2.5 → 3, −2.5 → −3."""
    return math.floor(x + Fraction(1, 2)) if x >= 0 else -half_away(-x)


def ceil_at(x: Fraction, digits: int) -> Fraction:
    return Fraction(math.ceil(x * Fraction(10) ** digits)) / Fraction(10) ** digits


def ceil5(x: Fraction) -> Fraction:
    return ceil_at(x, 5)


def round_at(x: Fraction, digits: int) -> Fraction:
    return Fraction(half_away(x * Fraction(10) ** digits)) / Fraction(10) ** digits


def floor_at(x: Fraction, digits: int) -> Fraction:
    return -ceil_at(-x, digits)


def cents(amount: Fraction, currency: str) -> int:
    """`round(A, exponent) × subunits`."""
    return half_away(amount * SUBUNITS[currency])


def plainly(x: Fraction) -> str:
    """In decimals, written out; for numbers that end."""
    whole, rest = divmod(abs(x), 1)
    digits = ""
    while rest:
        assert len(digits) < 60, "a number that does not end"
        digit, rest = divmod(rest * 10, 1)
        digits += str(digit)
    return f"{'-' if x < 0 else ''}{whole}.{digits or '0'}"
