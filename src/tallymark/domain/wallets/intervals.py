"""The days on which a rule fills its wallet: intervals from an anchor (wallets §8)."""

from __future__ import annotations

from datetime import date, timedelta

from tallymark.domain.calendar.cycles import MONTHS, clamp, month_index
from tallymark.domain.periods import Interval


def next_interval_day(interval: Interval, anchor: date, *, after: date) -> date:
    """The first matching day later than a day, and not before the anchor.

    Each is counted from the anchor, so that its day of the month comes back after a short month.

    >>> next_interval_day(Interval.MONTHLY, date(2024, 1, 31), after=date(2024, 2, 29))
    datetime.date(2024, 3, 31)
    """
    if after < anchor:
        return anchor
    if interval is Interval.WEEKLY:
        return after + timedelta(days=7 - (after - anchor).days % 7)
    step = MONTHS[interval]
    passed = (month_index(after) - month_index(anchor)) // step
    same = clamp(month_index(anchor) + passed * step, anchor.day)
    return same if same > after else clamp(month_index(anchor) + (passed + 1) * step, anchor.day)
