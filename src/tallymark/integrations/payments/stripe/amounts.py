"""Amounts as Stripe counts them: mostly as we do, and never rounded where it does otherwise."""

from __future__ import annotations

_HUNDREDTHS = frozenset({"HUF", "ISK", "UGX"})
"""We count whole ones. Stripe counts hundredths: forints may have them, krónur and shillings are always so many hundred."""

_TENS = frozenset({"BHD", "JOD", "KWD"})
"""Their last of three digits has to be 0."""

_UNKNOWN = frozenset({"CLF", "MRO"})
"""Stripe takes neither, and counts both in other units than we would send."""


class Inexpressible(ValueError):
    """An amount that cannot be asked for by Stripe without being changed."""


def to_stripe(amount_cents: int, currency: str) -> int:
    """Minor units as Stripe counts them. Raises `Inexpressible`.

    >>> to_stripe(1099, "USD"), to_stripe(1099, "JPY"), to_stripe(1099, "ISK"), to_stripe(5120, "KWD")
    (1099, 1099, 109900, 5120)
    """
    if currency in _UNKNOWN:
        raise Inexpressible(f"Stripe takes no {currency}")
    if currency in _TENS and amount_cents % 10:
        raise Inexpressible(f"Stripe takes amounts in {currency} with two decimals only")
    return amount_cents * 100 if currency in _HUNDREDTHS else amount_cents


def from_stripe(amount: int, currency: str) -> int | None:
    """What Stripe counts as minor units; None for one between two of ours.

    >>> from_stripe(1099, "usd"), from_stripe(109900, "isk"), from_stripe(1050, "huf")
    (1099, 1099, None)
    """
    if currency.upper() not in _HUNDREDTHS:
        return amount
    whole, rest = divmod(amount, 100)
    return None if rest else whole
