"""The windows of one subscription on one invoice (subscriptions §3.4-3.7, §3.9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tallymark.domain.calendar.cycles import Cycle
from tallymark.domain.calendar.schedule import SPLIT_INTERVALS, Life, Schedule, is_first_month
from tallymark.domain.periods import ONE_DAY, TICK, Interval, Period, local_date, start_of_day, to_second
from tallymark.domain.values import value

NEAR = timedelta(hours=26)
"""How far a change of zone can move the start of a day."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open period, the end that the wire shows of it, and the full period with its length in days.

    `own_start` is where it would begin if it did not follow a window that was billed in another zone (§3.7).
    """

    period: Period
    wire_to: datetime
    full_days: int
    full_period: Period
    own_start: datetime | None = None

    @classmethod
    def billed(
        cls, period: Period, *, wire_to: datetime, full_period: Period, started_at: datetime, tz: ZoneInfo
    ) -> Window:
        """The window of usage that a billing record keeps, of a subscription that started at an instant."""
        own_start = max(full_period.start, _to_millisecond(started_at))
        return cls(
            period=period,
            wire_to=wire_to,
            full_days=(local_date(full_period.end, tz) - local_date(full_period.start, tz)).days,
            full_period=full_period,
            own_start=own_start if abs(period.start - own_start) < NEAR else period.start,
        )

    @property
    def is_billable(self) -> bool:
        """Whether charges may be billed for it: its start comes before its end (§5.1)."""
        return self.period.start < self.wire_to

    @property
    def counted(self) -> Period:
        """What of it has days that count (§3.7).

        Hours that a move left over before it are billed, and no day; a day that a move across the date line took away counts.
        """
        if self.own_start is None or self.period.is_empty:
            return self.period
        return Period(self.own_start, max(self.own_start, self.period.end))


@value
class Boundaries:
    """What a billing record covers: the fee's window, and those of usage and fixed charges unless blank (§3.5)."""

    subscription: Window
    charges: Window | None
    fixed_charges: Window | None


@value
class Continuity:
    """What windows before this one force on its start: windows of an external id touch and never overlap.

    `not_before` is the end of an earlier subscription of the same external id (§3.9); `continues_from` the end of the
    last window billed, given when it was billed in another time zone (§3.7).
    """

    not_before: datetime | None = None
    continues_from: datetime | None = None


NO_HISTORY = Continuity()


def compute_boundaries(
    schedule: Schedule,
    life: Life,
    *,
    at: datetime,
    current: bool = False,
    is_start: bool = False,
    continuity: Continuity = NO_HISTORY,
) -> Boundaries:
    """The windows of a subscription billed at an instant, or with `current` those that hold it (§3.4).

    `is_start` marks a starting record.
    """
    now = _Moment(schedule, life, at, current)
    charges: Window | None = now.usage_window(schedule.charges_interval, continuity)
    fixed: Window | None = now.usage_window(schedule.fixed_charges_interval, continuity)
    if schedule.interval in SPLIT_INTERVALS:
        in_first_month = is_first_month(schedule, now.day)
        # What was used since its period began is billed at an end, or never (docs/differences.md).
        if not (
            current
            or now.is_terminated
            or _fills(schedule.bills_charges_monthly, schedule.bills_fixed_charges_monthly, in_first_month)
        ):
            charges = None
        if not (
            is_start
            or _fills(schedule.bills_fixed_charges_monthly, schedule.bills_charges_monthly, in_first_month)
        ):
            fixed = None
    return Boundaries(subscription=now.fee_window(continuity), charges=charges, fixed_charges=fixed)


def termination_boundaries(
    schedule: Schedule,
    life: Life,
    *,
    at: datetime,
    is_billed: Callable[[Boundaries], bool],
    continuity: Continuity = NO_HISTORY,
) -> Boundaries:
    """The windows of a last invoice: of the period that has just ended when that was not billed yet (§3.6).

    `is_billed` tells whether a recurring record with given boundaries exists. Where it is a month of a longer period that
    has ended, the base price is that of the longer one up to there (docs/differences.md).
    """
    ends_here = compute_boundaries(schedule, life, at=at, continuity=continuity)
    if life.has_successor or at - ONE_DAY < life.started_at:
        return ends_here
    alive = replace(life, terminated_at=None)
    before = compute_boundaries(schedule, alive, at=at - ONE_DAY, current=True)
    assert before.charges is not None, "a current window is never blank"
    if not any(_has_just_ended(window, at) for window in (before.charges, before.fixed_charges)):
        return ends_here
    ended = compute_boundaries(schedule, alive, at=at, continuity=continuity)
    if is_billed(ended):
        return ends_here
    if not _has_just_ended(before.charges, at):
        return replace(ends_here, fixed_charges=ended.fixed_charges)
    if _has_just_ended(before.subscription, at):
        return ended
    end = before.charges.period.last
    until_then = compute_boundaries(schedule, replace(life, terminated_at=end), at=end)
    return replace(ended, subscription=until_then.subscription)


def _has_just_ended(window: Window | None, at: datetime) -> bool:
    return window is not None and timedelta(0) <= at - window.period.last < ONE_DAY


def current_charges_window(
    schedule: Schedule, life: Life, now: datetime, continuity: Continuity = NO_HISTORY
) -> Window:
    """The usage window that holds `now`: what current usage is computed over (metering §4)."""
    window = compute_boundaries(schedule, life, at=now, current=True, continuity=continuity).charges
    assert window is not None, "a current window is never blank"
    return window


def current_charges_period(
    schedule: Schedule, life: Life, now: datetime, continuity: Continuity = NO_HISTORY
) -> Period:
    """The instants of `current_charges_window`."""
    return current_charges_window(schedule, life, now, continuity).period


def _fills(own_is_monthly: bool, other_is_monthly: bool, in_first_month: bool) -> bool:
    return own_is_monthly or not other_is_monthly or in_first_month


@dataclass(frozen=True, slots=True)
class _Moment:
    """One subscription at one billing instant: the arithmetic of §3.4."""

    schedule: Schedule
    life: Life
    at: datetime
    current: bool

    @property
    def day(self) -> date:
        return local_date(self.at, self.schedule.tz)

    @property
    def is_terminated(self) -> bool:
        ended = self.life.terminated_at
        return ended is not None and to_second(ended) <= to_second(self.at)

    def fee_start(self, interval: Interval) -> date:
        """The first day of the period that the base price is for."""
        cycle = self.schedule.cycle(interval)
        day = self.day if self.schedule.is_pay_in_advance or self._is_cut else self._reference(interval)
        return cycle.period_start(day)

    @property
    def _is_cut(self) -> bool:
        """Whether the base price is for a part of a period, up to the end."""
        return self.is_terminated and not self.schedule.is_pay_in_advance and not self.life.is_downgraded

    def use_start(self, interval: Interval) -> date:
        """The first day of the period whose usage is billed."""
        if self.is_terminated and not self.life.has_successor:
            return self.schedule.cycle(interval).period_start(self.day)
        if not self.schedule.is_pay_in_advance:
            return self.fee_start(interval)
        return self.schedule.cycle(interval).period_start(self._reference(interval))

    def _reference(self, interval: Interval) -> date:
        return self.day if self.current else self.schedule.cycle(interval).back(self.day)

    def _unbilled(self, first: date, cycle: Cycle, continuity: Continuity) -> date:
        """The period from a first day, or the next one: of one that was billed elsewhere nothing is left until it ends here (§3.7)."""
        upcoming, last_end = cycle.next_start(first), continuity.continues_from
        if last_end is None or not (self.current or self.is_terminated):
            return first
        end = start_of_day(upcoming, self.schedule.tz)
        return upcoming if last_end <= self.at < end and end - last_end < NEAR else first

    def fee_window(self, continuity: Continuity) -> Window:
        cycle, tz, started_at = self.schedule.cycle(), self.schedule.tz, self.life.started_at
        first = self.fee_start(self.schedule.interval)
        if self._is_cut:
            first = self._unbilled(first, cycle, continuity)
        start = start_of_day(first, tz)
        if start < started_at:
            start = start_of_day(local_date(started_at, tz), tz)
        end = start_of_day(cycle.next_start(first), tz)
        ended = self.life.terminated_at
        if self.is_terminated and ended is not None and end - TICK > ended:
            end = ended + TICK
            start = min(start, end)
        wire_to = end - TICK
        if wire_to < started_at:
            end = wire_to = started_at
        return Window(Period(start, end), wire_to, cycle.length(first), _full(cycle, first, tz))

    def usage_window(self, interval: Interval, continuity: Continuity) -> Window:
        cycle, tz, started_at = self.schedule.cycle(interval), self.schedule.tz, self.life.started_at
        first = self._unbilled(self.use_start(interval), cycle, continuity)
        day_start = start_of_day(first, tz)
        own_start = max(day_start, _to_millisecond(started_at))
        start, last_end = own_start, continuity.continues_from
        if last_end is not None and abs(last_end - day_start) < NEAR:
            start = last_end
        if continuity.not_before is not None:
            start = max(start, continuity.not_before)
            own_start = max(own_start, continuity.not_before)
        end = start_of_day(cycle.next_start(first), tz)
        ended = self.life.terminated_at
        if ended is not None and end - TICK > ended:
            end = ended + TICK
        wire_to = end - TICK
        if wire_to < started_at:
            end = start
            wire_to = started_at
        period = Period(start, max(start, end))
        return Window(period, wire_to, cycle.length(first), _full(cycle, first, tz), own_start)


def _full(cycle: Cycle, first: date, tz: ZoneInfo) -> Period:
    return Period(start_of_day(first, tz), start_of_day(cycle.next_start(first), tz))


def _to_millisecond(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
