"""The billing calendar: subscriptions §3.2 to §3.5 and §4.1, word by word."""

from __future__ import annotations

import math
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

STEP = {"monthly": 1, "quarterly": 3, "semiannual": 6, "yearly": 12}
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def local(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """SOD (§3.1, §3.7)."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days(a: datetime, b: datetime, zone: str) -> int:
    """§4.1: the ceiling of the difference of the wall clocks, in days."""
    wall_a = a.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    wall_b = b.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if wall_b.time() == wall_b.time().min:
        wall_b += timedelta(seconds=1)
    return math.ceil(Fraction((wall_b - wall_a) // TICK, DAY // TICK))


def cal_days(a: datetime, b: datetime, zone: str) -> int:
    """Metering §0: local dates, both ends counted."""
    return (local(b, zone) - local(a, zone)).days + 1


def clamp(year: int, month: int, day: int) -> date:
    """`clamp` of §3.2; months beyond 1 to 12 are those of other years."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))


@dataclass(frozen=True)
class Calendar:
    """`cal` and `anchor` of §3.1."""

    cal: bool
    anchor: date

    def period_start(self, x: date, unit: str) -> date:
        if unit == "weekly":
            weekday = 0 if self.cal else self.anchor.weekday()
            return next(x - n * DAY for n in range(7) if (x - n * DAY).weekday() == weekday)
        if self.cal:
            return date(x.year, x.month - (x.month - 1) % STEP[unit], 1)
        months = [m for m in range(x.month, x.month - 13, -1) if (m - self.anchor.month) % STEP[unit] == 0]
        return max(start for m in months if (start := clamp(x.year, m, self.anchor.day)) <= x)

    def next_start(self, s: date, unit: str) -> date:
        if unit == "weekly":
            return s + 7 * DAY
        return clamp(s.year, s.month + STEP[unit], 1 if self.cal else self.anchor.day)

    def period_end(self, s: date, unit: str) -> date:
        return self.next_start(s, unit) - DAY

    def back(self, x: date, unit: str) -> date:
        if unit == "weekly":
            return x - 7 * DAY
        day = x.day
        if not self.cal and x.day == monthrange(x.year, x.month)[1] and x.day < self.anchor.day:
            day = self.anchor.day
        return clamp(x.year, x.month - STEP[unit], day)

    def length(self, x: date, unit: str) -> int:
        s = self.period_start(x, unit)
        return 7 if unit == "weekly" else (self.next_start(s, unit) - s).days

    def is_billing_day(self, d: date, unit: str, *, monthly_split: bool) -> bool:
        """§3.3."""
        return d == self.period_start(d, unit) or (monthly_split and d == self.period_start(d, "monthly"))

    def first_month(self, d: date, unit: str) -> bool:
        """§3.5."""
        every = STEP[unit]
        if self.cal:
            return (d.month - 1) % every == 0
        return (self.period_start(d, "monthly").month - self.anchor.month) % every == 0
