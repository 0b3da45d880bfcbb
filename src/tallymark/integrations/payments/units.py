"""Amounts as vendors write and count them, in units of the currency or in minor ones of their own: exact, or not at all (pricing §1.3, wallets-and-payments §12.3)."""

from __future__ import annotations

from decimal import Decimal

from tallymark.domain.exact import Fraction
from tallymark.domain.money import UnknownCurrency, currency, exact_minor_units, major_units, plain_text
from tallymark.rooms.payment_providers.ports import ProviderRefused

NOT_EXACT = "amount_not_representable"
"""Why an amount is refused that a vendor, or we, have no exact number for."""

_LONGEST = 30
_PLAIN = frozenset("0123456789.")


def units(amount_cents: int, code: str) -> Decimal:
    """An amount in minor units as one in units of its currency.

    >>> units(123456, "KWD"), units(500, "JPY"), units(2050, "INR")
    (Decimal('123.456'), Decimal('500'), Decimal('20.5'))
    """
    return Decimal(plain_text(major_units(amount_cents, currency(code))))


def decimals(amount: Decimal) -> int:
    """How many digits stand behind the point of what `units` gives.

    >>> decimals(Decimal("123.456")), decimals(Decimal("500"))
    (3, 0)
    """
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "amounts are finite"
    return -exponent


def told_cents(value: object, code: object) -> int:
    """What a vendor says was paid, in minor units; numbers come as `read_json` gives them, or as texts.

    Raises `ProviderRefused` for what is no whole number of minor units of a currency that is known: nothing is rounded here.

    >>> told_cents("20.50", "INR"), told_cents(500, "JPY"), told_cents(Decimal("1.5"), "KWD")
    (2050, 500, 1500)
    """
    try:
        text = value if isinstance(value, str) else _text(value)
        if len(text) > _LONGEST or not _PLAIN.issuperset(text):
            raise ValueError(text)
        cents = exact_minor_units(Fraction(Decimal(text)), currency(str(code)))
    except (ValueError, ArithmeticError):
        raise ProviderRefused(f"no amount of money: {value!r} {code!r}", code=NOT_EXACT) from None
    if cents.denominator != 1:
        raise ProviderRefused(f"not whole minor units: {value!r} {code!r}", code=NOT_EXACT)
    return cents.numerator


def to_vendor(amount_cents: int, code: str, places: int) -> int:
    """Our minor units as those of a vendor who counts a currency with so many decimals. Raises `ProviderRefused`.

    Forints have no minor unit here, and two decimals at vendors:

    >>> to_vendor(2500, "HUF", 2), to_vendor(1999, "EUR", 2)
    (250000, 1999)
    """
    return _whole(Fraction(amount_cents * 10**places, _subunits(code)), code)


def from_vendor(value: int, code: str, places: int) -> int:
    """A vendor's minor units as ours. Raises `ProviderRefused`.

    >>> from_vendor(250000, "HUF", 2)
    2500
    """
    return _whole(Fraction(value * _subunits(code), 10**places), code)


def _subunits(code: str) -> int:
    try:
        return currency(code).subunits
    except UnknownCurrency:
        raise ProviderRefused(f"{code} is not a currency that is known here", code=NOT_EXACT) from None


def _whole(amount: Fraction, code: str) -> int:
    if amount.denominator != 1:
        raise ProviderRefused(f"{amount} minor units of {code} cannot be told exactly", code=NOT_EXACT)
    return amount.numerator


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not a number")
    # A vendor's 1E+2 is a number as good as 100; one of a thousand digits is none.
    return str(value) if isinstance(value, int) or value.adjusted() > _LONGEST else f"{value:f}"
