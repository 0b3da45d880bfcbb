"""Prorated units on graduated tiers: each event's units take their places in time (pricing §9).

Full units decide which tier an event reaches, its share of the period how much of the tier's price is due. Units leave
not strictly last-in-first-out, so the walk itself is the rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.domain.exact import Fraction
from tallymark.domain.rating.model import ZERO
from tallymark.domain.rating.tiers import Tier

Change = tuple[Fraction, Fraction]


def walk(tiers: Sequence[Tier], changes: Sequence[Change]) -> Fraction:
    """The amount of units that come and go, without flat amounts; in currency units, not rounded.

    >>> from tallymark.domain.rating.tiers import parse_tiers
    >>> rows = [{"from_value": 0, "to_value": 5, "per_unit_amount": "10", "flat_amount": "0"},
    ...         {"from_value": 6, "to_value": None, "per_unit_amount": "5", "flat_amount": "0"}]
    >>> tiers = parse_tiers(rows, name="graduated_ranges", price_key="per_unit_amount")
    >>> walk(tiers, [(Fraction(2), Fraction(21, 30)), (Fraction(5), Fraction(1, 2))])  # 3.5 to the fifth unit, 1 above
    Fraction(34, 1)
    """
    amount = batch = total = ZERO
    tier = tiers[0]
    for units, share in changes:
        tier = _tier_at(tiers, total, is_growing=units > 0)
        total += units
        if _is_inside(tier, total):
            batch += units * share
            continue
        rest = _beyond(tier, total)
        amount += (batch + (units - rest) * share) * tier.price
        batch = ZERO
        while rest:
            tier = (
                _tier_at(tiers, total - rest, is_growing=True) if rest > 0 else _holding(tiers, total + rest)
            )
            if tier.to is not None and total >= tier.to:
                above = total - tier.to
                amount += (rest - above) * share * tier.price
                rest = above
            else:
                batch += rest * share
                rest = ZERO
    return amount + batch * tier.price


def flat_amounts(tiers: Sequence[Tier], changes: Sequence[Change]) -> Fraction:
    """The flat amounts of all tiers up to the one that the highest running total reached."""
    total = peak = ZERO
    for units, _ in changes:
        total += units
        peak = max(peak, total)
    last = _holding(tiers, peak)
    return sum((tier.flat_amount for tier in tiers if tier.floor <= last.floor), ZERO)


def _start(tier: Tier) -> Fraction:
    """The first whole unit of a tier; the first tier begins at zero."""
    return tier.floor + 1 if tier.floor else ZERO


def _holding(tiers: Sequence[Tier], total: Fraction) -> Tier:
    return next(tier for tier in tiers if tier.ends_at_or_above(total))


def _tier_at(tiers: Sequence[Tier], total: Fraction, *, is_growing: bool) -> Tier:
    """The tier that holds a total; one that is full gives way to the next as units are added."""
    tier = _holding(tiers, total)
    return tiers[tiers.index(tier) + 1] if is_growing and tier.to == total else tier


def _is_inside(tier: Tier, total: Fraction) -> bool:
    if tier.to is None:
        return total >= _start(tier) - 1
    return _start(tier) <= total < tier.to


def _beyond(tier: Tier, total: Fraction) -> Fraction:
    """The units that lie past the end of the tier; not positive where they left it downwards."""
    if tier.to is not None and total >= tier.to:
        return total - tier.to
    return total - _start(tier) + 1
