"""Units of recurring metrics by the days that they were held (metering §5.5, pricing §9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tallymark.domain.exact import Fraction
from tallymark.domain.money import ceil5
from tallymark.domain.periods import Period, local_date

ZERO = Fraction(0)
ADD = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proration:
    """The days of a window. `full_days` is the length of its full period, `carried_days` how many of these count for
    what was there before (a day less after an upgrade).
    """

    window: Period
    tz: ZoneInfo
    full_days: int
    carried_days: int

    @property
    def carried(self) -> Fraction:
        """The share of what was carried over."""
        return Fraction(self.carried_days, self.full_days)

    def since(self, instant: datetime) -> Fraction:
        """The share of what came at an instant of the window: its day and all later ones."""
        return self.between(instant, self.window.last)

    def between(self, start: datetime, stop: datetime) -> Fraction:
        """The share of the local days from one instant to another, both counted; those before the window are not."""
        first = local_date(max(start, self.window.start), self.tz)
        return Fraction((local_date(stop, self.tz) - first).days + 1, self.full_days)


Change = tuple[Fraction, Fraction]
"""Full units and the share of the period for which they count, of one event."""


def sum_changes(
    carried: Fraction, values: Iterable[tuple[datetime, Fraction]], proration: Proration
) -> list[Change]:
    """What a recurring sum is made of: what was carried over, if anything, then each value of the window."""
    changes: list[Change] = [(carried, proration.carried)] if carried else []
    return [*changes, *((value, proration.since(at)) for at, value in values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An addition or a removal of a distinct value."""

    at: datetime
    value: str
    adds: bool


def unique_changes(operations: Sequence[Operation], proration: Proration) -> list[Change]:
    """What a recurring unique count is made of: +1 with its share for each addition, -1 without any for a removal.

    Operations come in the order of time. What ended before the window is left out.
    """
    found: list[tuple[datetime, Change]] = []
    for of_value in _by_value(operations):
        kept = _without_same_day_returns(_effective(of_value), proration.tz)
        for index, operation in enumerate(kept):
            following = kept[index + 1] if index + 1 < len(kept) else None
            if not operation.adds or (following and following.at < proration.window.start):
                continue
            stop = following.at if following else proration.window.last
            found.append((operation.at, (Fraction(1), proration.between(operation.at, stop))))
            if following:
                found.append((following.at, (Fraction(-1), ZERO)))
    return [change for _, change in sorted(found, key=lambda item: item[0])]


def prorated_units(changes: Iterable[Change]) -> Fraction:
    """The units that are priced: the exact sum of full units and shares, rounded up once to 5 decimals."""
    return ceil5(sum((units * share for units, share in changes), ZERO))


def _by_value(operations: Sequence[Operation]) -> list[list[Operation]]:
    found: dict[str, list[Operation]] = {}
    for operation in operations:
        found.setdefault(operation.value, []).append(operation)
    return list(found.values())


def _effective(operations: Sequence[Operation]) -> list[Operation]:
    """Those that change something: an addition of what is absent, a removal of what is present."""
    kept: list[Operation] = []
    for operation in operations:
        if operation.adds != bool(kept and kept[-1].adds):
            kept.append(operation)
    return kept


def _without_same_day_returns(operations: Sequence[Operation], tz: ZoneInfo) -> list[Operation]:
    """A removal followed by an addition on the same local day never happened, nor did that addition."""
    kept: list[Operation] = []
    for operation in operations:
        is_return = operation.adds and kept and not kept[-1].adds
        if is_return and local_date(kept[-1].at, tz) == local_date(operation.at, tz):
            kept.pop()
            continue
        kept.append(operation)
    return kept
