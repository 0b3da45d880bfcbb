"""Cycles of local days: where periods start, and how long they are (subscriptions §3.2)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from tallymark.domain.periods import BillingTime, Interval

MONTHS = {Interval.MONTHLY: 1, Interval.QUARTERLY: 3, Interval.SEMIANNUAL: 6, Interval.YEARLY: 12}


@lru_cache(maxsize=4096)  # a billing run asks for the same few days tens of times for each subscription
def clamp(month_index: int, day: int) -> date:
    """The given day of a month counted from year 0, or the month's last day where it has no such day.

    >>> clamp(2025 * 12 + 1, 31)
    datetime.date(2025, 2, 28)
    """
    year, month = divmod(month_index, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def month_index(day: date) -> int:
    """Months since year 0."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class Cycle:
    """Periods of one interval, by the calendar or from an anchor day.

    The day of an anniversary is derived from the anchor each time: after a short month it comes back.

    >>> cycle = Cycle(Interval.MONTHLY, BillingTime.ANNIVERSARY, date(2026, 10, 31))
    >>> cycle.next_start(date(2027, 2, 28))
    datetime.date(2027, 3, 31)
    """

    interval: Interval
    billing_time: BillingTime
    anchor: date

    @property
    def _is_calendar(self) -> bool:
        return self.billing_time is BillingTime.CALENDAR

    @property
    def _day(self) -> int:
        return 1 if self._is_calendar else self.anchor.day

    def period_start(self, day: date) -> date:
        """The first day of the period that holds a day."""
        if self.interval is Interval.WEEKLY:
            first_weekday = 0 if self._is_calendar else self.anchor.weekday()
            return day - timedelta(days=(day.weekday() - first_weekday) % 7)
        step = MONTHS[self.interval]
        phase = 0 if self._is_calendar else month_index(self.anchor)
        index = month_index(day) - (month_index(day) - phase) % step
        start = clamp(index, self._day)
        return start if start <= day else clamp(index - step, self._day)

    def next_start(self, start: date) -> date:
        """The first day of the period after the one that starts on `start`."""
        if self.interval is Interval.WEEKLY:
            return start + timedelta(days=7)
        return clamp(month_index(start) + MONTHS[self.interval], self._day)

    def period_end(self, start: date) -> date:
        """The last day of the period that starts on `start`."""
        return self.next_start(start) - timedelta(days=1)

    def back(self, day: date) -> date:
        """A day one interval earlier: on a billing day, a day of the period that has just ended."""
        if self.interval is Interval.WEEKLY:
            return day - timedelta(days=7)
        number = day.day
        is_last = monthrange(day.year, day.month)[1] == number
        if not self._is_calendar and is_last and number < self.anchor.day:
            number = self.anchor.day
        return clamp(month_index(day) - MONTHS[self.interval], number)

    def length(self, day: date) -> int:
        """How many days the full period has that holds a day."""
        start = self.period_start(day)
        return (self.next_start(start) - start).days
