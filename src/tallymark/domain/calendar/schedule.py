"""A subscription's schedule and life, and the days on which it is billed (subscriptions §3.1, §3.3, §3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from tallymark.domain.calendar.cycles import Cycle
from tallymark.domain.periods import BillingTime, Interval, local_date
from tallymark.domain.values import value

SPLIT_INTERVALS = (Interval.YEARLY, Interval.SEMIANNUAL)
"""Intervals of plans that may bill their charges by the month."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The rules of a calendar: interval, anchor, timing and the customer's zone. What follows from them is found once."""

    interval: Interval
    billing_time: BillingTime
    is_pay_in_advance: bool
    bills_charges_monthly: bool = False
    bills_fixed_charges_monthly: bool = False
    subscription_at: datetime
    tz: ZoneInfo

    @cached_property
    def anchor(self) -> date:
        """The local day of `subscription_at`: never that of the start."""
        return local_date(self.subscription_at, self.tz)

    @property
    def is_split(self) -> bool:
        """Whether something is billed monthly on a longer plan."""
        return self.interval in SPLIT_INTERVALS and (
            self.bills_charges_monthly or self.bills_fixed_charges_monthly
        )

    def cycle(self, interval: Interval | None = None) -> Cycle:
        """The plan's cycle, or that of another interval from the same anchor."""
        return Cycle(interval or self.interval, self.billing_time, self.anchor)

    @property
    def charges_interval(self) -> Interval:
        """The interval of usage charges."""
        is_monthly = self.bills_charges_monthly and self.interval in SPLIT_INTERVALS
        return Interval.MONTHLY if is_monthly else self.interval

    @property
    def fixed_charges_interval(self) -> Interval:
        """The interval of fixed charges."""
        is_monthly = self.bills_fixed_charges_monthly and self.interval in SPLIT_INTERVALS
        return Interval.MONTHLY if is_monthly else self.interval


@value
class Life:
    """When a subscription began and ended, and what came after it."""

    started_at: datetime
    terminated_at: datetime | None = None
    has_successor: bool = False
    is_downgraded: bool = False

    @property
    def is_upgraded(self) -> bool:
        """Whether a dearer plan ended it: its last day then belongs to its successor."""
        return self.terminated_at is not None and self.has_successor and not self.is_downgraded


def is_billing_day(schedule: Schedule, day: date) -> bool:
    """Whether periods of the plan, or the months of what it bills monthly, start on this day (§3.3)."""
    if schedule.cycle().period_start(day) == day:
        return True
    return schedule.is_split and schedule.cycle(Interval.MONTHLY).period_start(day) == day


def next_billing_day(schedule: Schedule, *, after: date) -> date:
    """The first billing day later than a day."""
    cycle = schedule.cycle(Interval.MONTHLY if schedule.is_split else None)
    return cycle.next_start(cycle.period_start(after))


def is_first_month(schedule: Schedule, day: date) -> bool:
    """Whether a day lies in the first month of a yearly or semiannual period (§3.5)."""
    step = 12 if schedule.interval is Interval.YEARLY else 6
    if schedule.billing_time is BillingTime.CALENDAR:
        return (day.month - 1) % step == 0
    return (schedule.cycle(Interval.MONTHLY).period_start(day).month - schedule.anchor.month) % step == 0
