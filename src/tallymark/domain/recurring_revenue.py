"""Which months the base price of a period counts in as monthly recurring revenue (platform §12.5)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from tallymark.domain.exact import Fraction
from tallymark.domain.periods import Interval

DAYS_A_MONTH = Fraction(3044, 100)
WEEKS_A_MONTH = Fraction(433, 100)

Shares = Mapping[date, Fraction]
"""What falls to each month, by its first day; it adds up to one."""


def add_months(month: date, count: int) -> date:
    """The first day of the month so many months later.

    >>> add_months(date(2025, 11, 1), 3), add_months(date(2025, 1, 1), -1)
    (datetime.date(2026, 2, 1), datetime.date(2024, 12, 1))
    """
    year, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(year, index + 1, 1)


def shares(interval: Interval, *, in_advance: bool, length: timedelta, issuing_date: date) -> Shares:
    """What share of a fee falls to which month; `length` is its period's, from the first to the last instant.

    Monthly and weekly prices count where they are issued. Longer ones are spread over as many months as their period has,
    each of 30.44 days: in arrears over the months that led to the invoice, in advance over those that come.

    >>> quarter = timedelta(days=90) - timedelta(microseconds=1)
    >>> found = shares(Interval.QUARTERLY, in_advance=False, length=quarter, issuing_date=date(2025, 4, 1))
    >>> [f"{month:%b}" for month in found], sum(found.values())
    (['Apr', 'Mar', 'Feb'], Fraction(1, 1))
    """
    month = issuing_date.replace(day=1)
    if interval in (Interval.WEEKLY, Interval.MONTHLY):
        return {month: Fraction(1)}
    months = Fraction(length // timedelta(minutes=1), 24 * 60) / DAYS_A_MONTH
    count = max(ceil(months), 1)
    if count == 1:
        return {month: Fraction(1)}
    each = 1 / months
    if not in_advance:
        found = {add_months(month, -index): each for index in range(count - 1)}
        return {**found, add_months(month, 1 - count): Fraction(1 - (count - 1) * each)}
    days = monthrange(month.year, month.month)[1]
    first = each * Fraction(days - issuing_date.day + 1, days)
    found = {month: first, **{add_months(month, index): each for index in range(1, count - 1)}}
    return {**found, add_months(month, count - 1): Fraction(1 - sum(found.values()))}
