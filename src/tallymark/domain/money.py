"""Currencies, exact amounts and the few named ways of rounding them.

Amounts are `Fraction`s until a named line rounds them: exact whatever the number of digits, with no context to set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallymark.domain.exact import Fraction

Number = Fraction | Decimal | int


class UnknownCurrency(ValueError):
    """No currency of that code is accepted."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: how many decimals its amounts are rounded to, and how many minor units make one unit."""

    code: str
    exponent: int
    subunits: int


_TWO_DECIMALS = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC
    CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG IDR ILS INR IRR JMD KES KGS
    KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
    PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLL SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH USD
    UYU UZS WST XCD YER ZAR ZMW
"""
_NO_DECIMALS = "BIF CLP DJF GNF HUF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"

CURRENCIES: Mapping[str, Currency] = {
    **{code: Currency(code, 2, 100) for code in _TWO_DECIMALS.split()},
    **{code: Currency(code, 0, 1) for code in _NO_DECIMALS.split()},
    **{code: Currency(code, 3, 1000) for code in ("BHD", "JOD", "KWD")},
    "CLF": Currency("CLF", 4, 10_000),
    # The ouguiya has five khoums and no decimals: whole khoums are what is rounded to (pricing §1.3).
    "MRO": Currency("MRO", 0, 5),
}
"""The accepted currencies by code (pricing §1.3)."""


def currency(code: str) -> Currency:
    """Look a currency up. Raises `UnknownCurrency`.

    >>> currency("KWD").subunits
    1000
    """
    try:
        return CURRENCIES[code]
    except KeyError:
        raise UnknownCurrency(code) from None


def round_half_away(value: Fraction, digits: int = 0) -> Fraction:
    """Round to `digits` decimals, ties away from zero; negative digits mean tens, hundreds.

    >>> round_half_away(Fraction(-5, 2)), round_half_away(Fraction("12.345"), 2)
    (Fraction(-3, 1), Fraction(247, 20))
    """
    scaled = _scaled(value, digits)
    return Fraction(scaled, 10**digits) if digits >= 0 else Fraction(scaled * 10**-digits)


def _scaled(value: Number, digits: int) -> int:
    """A number times ten to the power of `digits`, rounded to a whole one, ties away from zero.

    In whole numbers only: every amount that is billed goes through here many times, and fractions cost ten times as much.
    """
    above, below = value.as_integer_ratio()
    return _half_away(above * 10**digits, below) if digits >= 0 else _half_away(above, below * 10**-digits)


def _half_away(above: int, below: int) -> int:
    magnitude = (2 * abs(above) + below) // (2 * below)
    return magnitude if above >= 0 else -magnitude


def round_cents(value: Fraction) -> int:
    """Round an amount in minor units to whole ones, ties away from zero.

    >>> round_cents(Fraction(245, 2)), round_cents(Fraction(-5, 2))
    (123, -3)
    """
    return _scaled(value, 0)


def trunc_cents(value: Fraction) -> int:
    """Cut the fraction of an amount in minor units, towards zero.

    >>> trunc_cents(Fraction("2.9")), trunc_cents(Fraction("-2.9"))
    (2, -2)
    """
    return int(value)


def floor_to(value: Fraction, digits: int = 0) -> Fraction:
    """Round towards minus infinity at `digits` decimals."""
    above, below = value.as_integer_ratio()
    if digits >= 0:
        return Fraction(above * 10**digits // below, 10**digits)
    return Fraction(above // (below * 10**-digits) * 10**-digits)


def ceil_to(value: Fraction, digits: int = 0) -> Fraction:
    """Round towards plus infinity at `digits` decimals.

    >>> ceil_to(Fraction("13.05"), -1)
    Fraction(20, 1)
    """
    return -floor_to(-value, digits)


def ceil5(value: Fraction) -> Fraction:
    """Round towards plus infinity at five decimals, as prorated units are (metering §0).

    >>> ceil5(Fraction(79, 31))
    Fraction(254839, 100000)
    """
    return ceil_to(value, 5)


def minor_units(amount: Fraction, of: Currency) -> int:
    """An amount in currency units as whole minor units, rounded once (pricing §1.4).

    >>> minor_units(Fraction("28.075"), currency("EUR")), minor_units(Fraction("1234.5"), currency("JPY"))
    (2808, 1235)
    """
    return _half_away(amount.numerator * of.subunits, amount.denominator)


def cut_minor_units(amount: Fraction, of: Currency) -> int:
    """An amount in currency units as whole minor units, the rest cut off, towards zero.

    >>> cut_minor_units(Fraction("0.0299"), currency("EUR")), cut_minor_units(Fraction("-0.0299"), currency("EUR"))
    (2, -2)
    """
    magnitude = abs(amount.numerator) * of.subunits // amount.denominator
    return magnitude if amount.numerator >= 0 else -magnitude


def exact_minor_units(amount: Fraction, of: Currency) -> Fraction:
    """An amount in currency units as minor units, exact.

    >>> exact_minor_units(Fraction("28.075"), currency("EUR"))
    Fraction(5615, 2)
    """
    return amount * of.subunits


def major_units(cents: Number, of: Currency) -> Fraction:
    """Minor units as an amount in currency units.

    >>> major_units(1500, currency("KWD"))
    Fraction(3, 2)
    """
    return Fraction(cents) / of.subunits


def allocate(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Spread a non-negative total over weights so that the parts add up to it.

    Raises `ValueError` when there is something to spread and nothing to spread it over.

    >>> allocate(100, [1, 1, 1])
    (34, 33, 33)
    """
    whole = sum(weights)
    if total == 0:
        return (0,) * len(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError("a total needs weights, and neither is negative")
    parts = [total * weight // whole for weight in weights]
    # Flooring each share loses up to n - 1 units; the largest remainders get them back.
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


def fixed(value: Number, places: int) -> Decimal:
    """A decimal with exactly `places` decimals, ties away from zero: what a numeric column keeps.

    >>> fixed(Fraction(1, 3), 5)
    Decimal('0.33333')
    """
    return Decimal(f"{_scaled(value, places)}E-{places}")  # made of a text it is exact, whatever the context


def plain_text(value: Number, places: int = 10) -> str:
    """A number in plain notation with at most `places` decimals and no superfluous zeros.

    >>> plain_text(Fraction(4)), plain_text(Fraction(1, 3), 4), plain_text(Decimal("1E+2"))
    ('4', '0.3333', '100')
    """
    if isinstance(value, Decimal) and value.is_finite():
        # What columns keep comes as decimals, whose digits need no rounding where there are few enough.
        whole, _, part = f"{value:f}".partition(".")
        if len(part) <= places:
            part = part.rstrip("0")
            return f"{whole}.{part}" if part else whole if value else "0"
    scaled = _scaled(value, places)
    digits = str(abs(scaled)).rjust(places + 1, "0")
    cut = len(digits) - places
    whole, part = digits[:cut], digits[cut:].rstrip("0")
    return f"{'-' if scaled < 0 else ''}{whole}{'.' if part else ''}{part}"


def decimal_text(value: Number, places: int = 15) -> str:
    """The wire's form of a decimal: plain notation with at least one decimal (platform §1.3).

    >>> decimal_text(Fraction(4)), decimal_text(Decimal("0.00001")), decimal_text(Fraction(-5, 2))
    ('4.0', '0.00001', '-2.5')
    """
    text = plain_text(value, places)
    return text if "." in text else f"{text}.0"


_DIGITS = r"\d+(?:_\d+)*"
_AMOUNT = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE]([+-]?\d{{1,3}}))?", re.ASCII)
_LONGEST_AMOUNT = 100
_LARGEST_EXPONENT = 100


def parse_amount(text: object, *, at_most: Fraction | None = None) -> Fraction:
    """Read a price: a JSON string holding a finite decimal of at least zero (pricing §5.1).

    Raises `ValueError` for anything else, the JSON number 5 included, for what is too long or too large to be a price, and for
    what is above `at_most`.

    >>> parse_amount("1_000.5e-1")
    Fraction(2001, 20)
    """
    if not isinstance(text, str) or len(text) > _LONGEST_AMOUNT:
        raise ValueError("not a decimal in a string")
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or abs(int(match[1] or 0)) > _LARGEST_EXPONENT:
        raise ValueError("not a decimal in a string")
    amount = Fraction(Decimal(match[0]))
    if amount < 0:
        raise ValueError("a price is not negative")
    if at_most is not None and amount > at_most:
        raise ValueError("a price is no more than can be billed")
    return amount
