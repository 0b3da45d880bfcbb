"""What every charge model takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from tallymark.domain.exact import Fraction
from tallymark.domain.hashing import hashed_once
from tallymark.domain.money import Currency, ceil5, decimal_text
from tallymark.domain.values import value

ZERO = Fraction(0)

JSON = str | int | bool | None | list["JSON"] | dict[str, "JSON"]
Details = Mapping[str, JSON]


class ChargeModel(StrEnum):
    """The shapes a price can have, as the wire names them.

    `CUSTOM` has no price: it needs a metric that can't be created (pricing §7.8).
    """

    STANDARD = "standard"
    GRADUATED = "graduated"
    PACKAGE = "package"
    PERCENTAGE = "percentage"
    VOLUME = "volume"
    GRADUATED_PERCENTAGE = "graduated_percentage"
    CUSTOM = "custom"
    DYNAMIC = "dynamic"


@value
class Usage:
    """What was used in one window, bucket and group.

    `running_totals` and `event_values` are given where the price says that it needs them (metering §5.6): None is
    not loaded, empty is no events. Prorated usage has its `full_units` and, by event, `changes`: full units and the
    share of the period for which they count. `total_aggregated_units` differ from the units of weighted sums only.
    """

    units: Fraction
    events_count: int
    full_units: Fraction | None = None
    running_totals: Sequence[Fraction | int] = ()
    event_values: Sequence[Fraction] | None = None
    precise_total_amount_cents: Fraction = ZERO
    changes: Sequence[tuple[Fraction, Fraction]] | None = None
    rounds_shares: bool = False
    """Whether each change's share is rounded up by itself where it takes its own place on the tiers (pricing §9)."""
    total_aggregated_units: Fraction | None = None

    @property
    def placed_changes(self) -> Sequence[tuple[Fraction, Fraction]] | None:
        """The changes as they are placed on tiers."""
        if self.changes is None or not self.rounds_shares:
            return self.changes
        return tuple((units, ceil5(share)) for units, share in self.changes)

    @property
    def shown_units(self) -> Fraction:
        """The units that a fee shows: those before proration."""
        return self.units if self.full_units is None else self.full_units


@value
class Rated:
    """An amount in currency units, not rounded, and how it came to be."""

    units: Fraction
    amount: Fraction
    unit_amount: Fraction
    amount_details: Details = field(default_factory=dict)
    lines: tuple[Details, ...] = ()
    """The tiers, or the changes of prorated units, that the amount is the sum of."""


@hashed_once
@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a price must know of the events beyond their aggregated units, and the numbers that bound it."""

    free_events: int = 0
    free_total: Fraction = ZERO
    event_values: bool = False
    changes: bool = False

    @property
    def running_totals(self) -> bool:
        """Whether cumulated values are needed."""
        return bool(self.free_events or self.free_total)

    def trim(self, totals: Sequence[Fraction]) -> Sequence[Fraction]:
        """The cumulated values that it asks for: of its free events, else up to the first beyond its free total (pricing §7.6).

        >>> Needs(free_total=Fraction(5)).trim([Fraction(3), Fraction(6), Fraction(9)])
        (Fraction(3, 1), Fraction(6, 1))
        """
        if not self.running_totals:
            return ()
        if self.free_events:
            return tuple(totals[: self.free_events])
        beyond = next((index for index, total in enumerate(totals) if total > self.free_total), len(totals))
        return tuple(totals[: beyond + 1])


NOTHING = Needs()


class Price(Protocol):
    """A charge model with its properties, which can't be built wrong."""

    @property
    def needs(self) -> Needs:
        """What must be loaded for it."""

    def rate(self, usage: Usage, currency: Currency) -> Rated:
        """Price the usage."""


def rated(
    usage: Usage,
    amount: Fraction,
    details: Details,
    *,
    unit_amount: Fraction | None = None,
    lines: Sequence[Details] = (),
) -> Rated:
    """Close a rating: the average price per unit, and nothing at all where units or amount are negative (§1.4)."""
    units = usage.shown_units
    if units < 0 or amount < 0:
        return Rated(units=ZERO, amount=ZERO, unit_amount=ZERO)
    if unit_amount is None:
        unit_amount = amount / units if units else ZERO
    return Rated(
        units=units, amount=amount, unit_amount=unit_amount, amount_details=details, lines=tuple(lines)
    )


def amount_text(amount: Fraction) -> str:
    """An amount, a price or a rate in the details of a fee: as many decimals as its precise amount keeps."""
    return decimal_text(amount, 15)


def units_text(units: Fraction | int) -> str:
    """Units in the details of a fee: at most ten decimals (pricing §1.4).

    >>> units_text(Fraction(10, 3))
    '3.3333333333'
    """
    return decimal_text(units, 10)
