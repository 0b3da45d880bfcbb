"""The days, weeks and months by which figures are summed, and which of them are shown."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from tallymark.domain.recurring_revenue import add_months


class Granularity(StrEnum):
    """How long the periods are by which figures are summed: days, weeks from Mondays, or months."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    def start_of(self, day: date) -> date:
        """The first day of the period that a day is in.

        >>> Granularity.WEEKLY.start_of(date(2026, 1, 4)), Granularity.MONTHLY.start_of(date(2026, 1, 4))
        (datetime.date(2025, 12, 29), datetime.date(2026, 1, 1))
        """
        match self:
            case Granularity.DAILY:
                return day
            case Granularity.WEEKLY:
                return day - timedelta(days=day.weekday())
            case Granularity.MONTHLY:
                return day.replace(day=1)

    def later(self, start: date, count: int) -> date:
        """The first day of the period so many periods after the one that begins on a day.

        >>> Granularity.DAILY.later(date(2026, 1, 31), 1), Granularity.WEEKLY.later(date(2026, 1, 5), -1)
        (datetime.date(2026, 2, 1), datetime.date(2025, 12, 29))
        """
        match self:
            case Granularity.DAILY:
                return start + timedelta(days=count)
            case Granularity.WEEKLY:
                return start + timedelta(weeks=count)
            case Granularity.MONTHLY:
                return add_months(start, count)


def month_axis(created_at: datetime, now: datetime, last: int | None) -> list[date]:
    """From the month in which the organization was made to the current one (UTC); of these the `last` ones, one at least.

    >>> from datetime import UTC
    >>> made, now = datetime(2025, 11, 20, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
    >>> [f"{month:%y-%m}" for month in month_axis(made, now, None)]
    ['25-11', '25-12', '26-01']
    >>> [f"{month:%y-%m}" for month in month_axis(made, now, 0)]
    ['26-01']
    """
    current = now.date().replace(day=1)
    first = min(created_at.date().replace(day=1), current)
    if last is not None:
        # Nobody needs more months than there are: the calendar has a beginning.
        first = max(first, add_months(current, -min(max(last, 1) - 1, 12 * 1000)))
    count = (current.year - first.year) * 12 + current.month - first.month
    return [add_months(first, index) for index in range(count + 1)]


DAYS = 30
WEEKS = 13


def period_axis(
    granularity: Granularity, created_at: datetime, now: datetime, last: int | None
) -> list[date]:
    """The first days of the periods that are shown, up to the current one (UTC): none before the organization was made.

    Of days there are 30 and of weeks 13 at the most; of months the `last` ones.

    >>> from datetime import UTC
    >>> made, now = datetime(2025, 12, 30, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
    >>> [f"{week:%m-%d}" for week in period_axis(Granularity.WEEKLY, made, now, None)]
    ['12-29', '01-05']
    >>> days = period_axis(Granularity.DAILY, made.replace(year=2024), now, None)
    >>> len(days), f"{days[0]:%m-%d}", f"{days[-1]:%m-%d}"
    (30, '12-07', '01-05')
    """
    if granularity is Granularity.MONTHLY:
        return month_axis(created_at, now, last)
    current = granularity.start_of(now.date())
    count = DAYS if granularity is Granularity.DAILY else WEEKS
    shown = [granularity.later(current, index + 1 - count) for index in range(count)]
    made = min(granularity.start_of(created_at.date()), current)
    return [start for start in shown if start >= made]
