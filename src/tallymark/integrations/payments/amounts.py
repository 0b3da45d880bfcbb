"""Amounts as vendors count them, where their minor unit is not ours (pricing §1.3): told exactly, or not at all."""

from __future__ import annotations

from tallymark.domain.exact import Fraction
from tallymark.domain.money import UnknownCurrency
from tallymark.domain.money import currency as find_currency
from tallymark.rooms.payment_providers.ports import ProviderRefused

CODE = "amount_not_representable"
"""Why an amount is refused that its vendor has no whole number for."""


def to_vendor(amount_cents: int, currency: str, decimals: int) -> int:
    """Our minor units as those of a vendor who counts a currency with so many decimals. Raises `ProviderRefused`.

    Forints have no minor unit here, and two decimals at vendors:

    >>> to_vendor(2500, "HUF", 2), to_vendor(1999, "EUR", 2)
    (250000, 1999)
    """
    return _whole(Fraction(amount_cents * 10**decimals, _subunits(currency)), currency)


def from_vendor(value: int, currency: str, decimals: int) -> int:
    """A vendor's minor units as ours. Raises `ProviderRefused`.

    >>> from_vendor(250000, "HUF", 2)
    2500
    """
    return _whole(Fraction(value * _subunits(currency), 10**decimals), currency)


def _subunits(currency: str) -> int:
    try:
        return find_currency(currency).subunits
    except UnknownCurrency:
        raise ProviderRefused(f"{currency} is not a currency that is known here", code=CODE) from None


def _whole(amount: Fraction, currency: str) -> int:
    if amount.denominator != 1:
        raise ProviderRefused(f"{amount} minor units of {currency} cannot be told exactly", code=CODE)
    return amount.numerator
