"""What one event adds to what is billed in advance: only growth above the highest mark so far (metering §8.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tallymark.domain.exact import Fraction
from tallymark.domain.money import ceil5
from tallymark.domain.periods import days

ZERO = Fraction(0)
ONE = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a window stands after the events priced in it, for one bucket and group; a window begins at zero.

    `current` is the running total of the window alone, `highest` its greatest value so far, `highest_prorated` the
    prorated units that were billed up to it.
    """

    current: Fraction = ZERO
    highest: Fraction = ZERO
    highest_prorated: Fraction = ZERO


START = Checkpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What an event adds: the units it bills, the units that its fee shows, and where the window stands after it."""

    billed: Fraction
    shown: Fraction
    after: Checkpoint


def one_more(before: Checkpoint) -> Contribution:
    """Count: each event is one unit."""
    return add_value(before, ONE)


def add_value(before: Checkpoint, value: Fraction) -> Contribution:
    """Sum: what raises the running total above its highest value is billed; a decrease is never credited.

    >>> marked = Checkpoint(current=Fraction(9), highest=Fraction(10))
    >>> found = add_value(marked, Fraction(5))
    >>> found.billed, found.shown, found.after.highest
    (Fraction(4, 1), Fraction(4, 1), Fraction(14, 1))
    """
    return _move(before, value, shown=max(value, ZERO))


def change_presence(before: Checkpoint, *, was_present: bool, is_present: bool) -> Contribution:
    """Unique count: a value appears (+1), disappears (-1), or stays as it is."""
    change = Fraction(is_present - was_present)
    return _move(before, change, shown=max(change, ZERO))


def _move(before: Checkpoint, change: Fraction, *, shown: Fraction) -> Contribution:
    current = before.current + change
    billed = max(current - before.highest, ZERO)
    after = replace(before, current=current, highest=before.highest + billed)
    return Contribution(billed=billed, shown=billed or shown, after=after)


def prorate_contribution(
    found: Contribution, *, at: datetime, last: datetime, full_days: int, tz: ZoneInfo
) -> Contribution:
    """The same, its billed units prorated by the days from the event to the end of its window, rounded up to 5 decimals.

    `last` is the last instant of the window, `full_days` the length of its full period; the units shown stay full.
    """
    prorated = ceil5(found.billed * days(at, last, tz) / full_days)
    after = replace(found.after, highest_prorated=found.after.highest_prorated + prorated)
    return replace(found, billed=prorated, after=after)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Occurrence:
    """An event of a distinct value, in the order of time and then of arrival: whether it adds or removes the value."""

    at: datetime
    arrival: int
    adds: bool


def presence(occurrences: list[Occurrence], *, carried: bool, fresh: Occurrence) -> tuple[bool, bool]:
    """Whether a value is there without and with a fresh event among those priced so far; its last event decides.

    `carried` tells whether it was there when the window began. An event that is dated before a later one of the same
    value changes nothing: that one has decided already.

    >>> day = datetime.fromisoformat
    >>> later = Occurrence(at=day("2026-05-05T00:00:00+00:00"), arrival=1, adds=True)
    >>> late = Occurrence(at=day("2026-05-03T00:00:00+00:00"), arrival=2, adds=True)
    >>> presence([], carried=False, fresh=later), presence([later], carried=False, fresh=late)
    ((False, True), (True, True))
    """
    without = max(occurrences, default=None)
    before = carried if without is None else without.adds
    return before, max([*occurrences, fresh]).adds
