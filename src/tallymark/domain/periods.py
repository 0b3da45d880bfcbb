"""Half-open periods of instants, local days, and the intervals that plans repeat by (subscriptions §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
"""The smallest step of time: a closed end is a half-open one less a tick."""


def parse_instant(text: str) -> datetime:
    """The instant of an ISO 8601 date or datetime, in UTC, which it is meant in where it names no offset.

    Raises `ValueError` for what is neither, or is no instant of the calendar in UTC.

    >>> parse_instant("2026-01-05T10:00:00+19:42").isoformat()
    '2026-01-04T14:18:00+00:00'
    """
    found = datetime.fromisoformat(text.strip())
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"beyond the calendar: {text}") from None


def parse_instant_of_any_zone(text: str) -> datetime:
    """What `parse_instant` reads, as long as it has a day in every zone, and that day a period.

    Raises `ValueError` also for the first and the last year of the calendar, whose days have no neighbours.

    >>> parse_instant_of_any_zone("9998-12-31").isoformat()
    '9998-12-31T00:00:00+00:00'
    >>> parse_instant_of_any_zone("9999-12-31")
    Traceback (most recent call last):
    ValueError: at the end of the calendar: 9999-12-31
    """
    found = parse_instant(text)
    if not 1 < found.year < 9999:
        raise ValueError(f"at the end of the calendar: {text}")
    return found


class Interval(StrEnum):
    """How often a plan repeats."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    YEARLY = "yearly"


class BillingTime(StrEnum):
    """Whether periods follow the calendar or the subscription's own start."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


PERIODS_A_YEAR = {
    Interval.WEEKLY: 52,
    Interval.MONTHLY: 12,
    Interval.QUARTERLY: 4,
    Interval.SEMIANNUAL: 2,
    Interval.YEARLY: 1,
}


def yearly_amount_cents(amount_cents: int, interval: Interval) -> int:
    """What a price comes to in a year: by it plan changes are upgrades or downgrades (subscriptions §2.4).

    >>> yearly_amount_cents(231, Interval.WEEKLY)
    12012
    """
    return amount_cents * PERIODS_A_YEAR[interval]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The instants from `start` on and before `end`, in UTC microseconds (subscriptions §3.9)."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("instants are aware")

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies in it."""
        return self.end <= self.start

    @property
    def last(self) -> datetime:
        """The last instant in it: what the wire shows, cut to the second, as its end."""
        return self.end - TICK

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@lru_cache(maxsize=4096)  # a billing run asks for the same few days tens of times for each subscription
def start_of_day(day: date, tz: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC; where midnight is skipped, the first that exists (§3.7).

    >>> start_of_day(date(2025, 3, 31), ZoneInfo("Europe/Paris")).isoformat()
    '2025-03-30T22:00:00+00:00'
    """
    return datetime.combine(day, time.min, tz).astimezone(UTC)


def local_date(instant: datetime, tz: ZoneInfo) -> date:
    """The day it is at an instant in a zone."""
    return instant.astimezone(tz).date()


def days(a: datetime, b: datetime, tz: ZoneInfo) -> int:
    """How many local days [a, b] touches: the wall clock's difference, rounded up (§4.1).

    >>> paris = ZoneInfo("Europe/Paris")
    >>> days(start_of_day(date(2025, 3, 24), paris), start_of_day(date(2025, 3, 31), paris) - TICK, paris)
    7
    """
    first, last = (instant.astimezone(tz).replace(tzinfo=None) for instant in (a, b))
    if last.time() == time.min:
        last += timedelta(seconds=1)
    return -((first - last) // ONE_DAY)


def to_second(instant: datetime) -> datetime:
    """The nearest whole second: terminations are compared by it (§3.4)."""
    return (instant + timedelta(microseconds=500_000)).replace(microsecond=0)
