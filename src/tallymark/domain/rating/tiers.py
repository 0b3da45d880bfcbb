"""Tiers without gaps and overlaps, and the walk along them.

A tier holds what is above the previous tier's end, up to and with its own: both styles of writing `from_value`
(0-10, 10-20 and 0-10, 11-20) mean the same (pricing §7.2, README quirk 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tallymark.domain.exact import Fraction
from tallymark.domain.money import parse_amount, plain_text
from tallymark.domain.rating.model import JSON, ZERO

_LARGEST_BOUND = 10**30


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


def check_tiers(tiers: Sequence[Tier]) -> None:
    """State what every walk relies on: from zero on, tier follows tier, and the last has no end."""
    touches = all(lower.to is not None and lower.to == upper.floor for lower, upper in pairwise(tiers))
    grows = all(tier.to is None or tier.to > tier.floor for tier in tiers)
    if not (tiers and tiers[0].floor == 0 and touches and grows and tiers[-1].to is None):
        raise ValueError("tiers leave no gap and have no end")


def reached(tiers: Sequence[Tier], units: Fraction) -> Iterator[tuple[Tier, Fraction]]:
    """The tiers that the units reach and how many lie in each; the first is reached even by none."""
    for tier in tiers:
        yield tier, tier.portion(units)
        if tier.ends_at_or_above(units):
            return


def tier_line(tier: Tier, units: Fraction, price_name: str, amount: Fraction) -> dict[str, JSON]:
    """What a tier adds to an amount, as a line of its derivation (beyond.md §1)."""
    return {
        "from": plain_text(tier.floor),
        "to": None if tier.to is None else plain_text(tier.to),
        "units": plain_text(units, 15),
        price_name: plain_text(tier.price, 15),
        "flat_amount": plain_text(tier.flat_amount, 15),
        "amount": plain_text(amount, 15),
    }


def holding(tiers: Sequence[Tier], units: Fraction) -> Tier:
    """The one tier in which the units end."""
    return next(tier for tier in tiers if tier.ends_at_or_above(units))


class BrokenTiers(ValueError):
    """Tiers that leave a gap, overlap, have no end or no price; `codes` has every fault."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        super().__init__(", ".join(codes))


def parse_tiers(
    ranges: object, *, name: str, price_key: str, is_sorted: bool = True, at_most: Fraction | None = None
) -> tuple[Tier, ...]:
    """Read the tiers of a property (pricing §7.9), by `from_value` unless they are listed in order.

    No amount and no rate is above `at_most`.
    Raises `BrokenTiers`: the list missing, else one code for each faulty range, then the faulty amounts and rates.

    >>> adjacent, next_unit = (
    ...     [{"from_value": 0, "to_value": 10, "per_unit_amount": "2", "flat_amount": "0"},
    ...      {"from_value": start, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]
    ...     for start in (10, 11)
    ... )
    >>> [parse_tiers(rows, name="graduated_ranges", price_key="per_unit_amount")[1].floor
    ...  for rows in (adjacent, next_unit)]
    [Fraction(10, 1), Fraction(10, 1)]
    """
    if not isinstance(ranges, list) or not ranges:
        raise BrokenTiers([f"missing_{name}"])
    rows = [row if isinstance(row, dict) else {} for row in ranges]
    if not is_sorted:
        rows.sort(key=_by_from_value)
    reader = _TierReader(name=name, price_key=price_key, at_most=at_most, codes=[])
    tiers = list[Tier]()
    floor: Fraction | None = ZERO
    for index, row in enumerate(rows, start=1):
        tiers.append(reader.read(row, floor, is_last=index == len(rows)))
        floor = tiers[-1].to
    if reader.codes:
        raise BrokenTiers(
            sorted(reader.codes, key=(f"invalid_{name}", "invalid_amount", "invalid_rate").index)
        )
    return tuple(tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TierReader:
    """Reads one range after the other and collects what is wrong with them."""

    name: str
    price_key: str
    at_most: Fraction | None
    codes: list[str]

    def read(self, row: Mapping[str, JSON], floor: Fraction | None, *, is_last: bool) -> Tier:
        """Read a range that begins at `floor`; None, the end of a faulty range, is not held against the next one."""
        start, end = row.get("from_value"), row.get("to_value")
        first, to = _bound(start), _bound(end)
        adjoins = first is not None and (floor is None or first in (floor, floor + 1))
        closes = end is None if is_last else to is not None and (first is None or to > first)
        if not (adjoins and closes):
            self.codes.append(f"invalid_{self.name}")
        price_code = "invalid_rate" if self.price_key == "rate" else "invalid_amount"
        return Tier(
            floor=floor or ZERO,
            to=to,
            price=self._amount(row.get(self.price_key), price_code),
            flat_amount=self._amount(row.get("flat_amount"), "invalid_amount"),
            shown_from=_shown(start, first),
            shown_to=_shown(end, to),
        )

    def _amount(self, value: object, code: str) -> Fraction:
        try:
            return parse_amount(value, at_most=self.at_most)
        except ValueError:
            self.codes.append(code)
            return ZERO


def _bound(value: object) -> Fraction | None:
    """A bound that is a number, or text of one; None if it is neither."""
    if isinstance(value, bool):
        return None
    try:
        # A JSON number with decimals is read as it was written, not as the binary fraction next to it.
        number = Fraction(value) if isinstance(value, int) else parse_amount(str(value))
    except ValueError:
        return None
    return number if 0 <= number <= _LARGEST_BOUND else None


def _shown(written: JSON, bound: Fraction | None) -> JSON:
    """The bound for a fee's details: the whole number where it is one."""
    return int(bound) if bound is not None and bound.denominator == 1 else written


def _by_from_value(row: Mapping[str, JSON]) -> Fraction:
    return _bound(row.get("from_value")) or ZERO
