"""A subscription and the windows of its billing records: subscriptions §3.4 to §3.6, §3.9 and §4.5."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.oracle.days import DAY, TICK, Calendar, local, start_of_day
from tests.oracle.life import Plan

if TYPE_CHECKING:
    from tests.oracle.fees import Fee

SPLIT = ("yearly", "semiannual")


@dataclass(frozen=True)
class UnitEvent:
    """A change of a fixed charge's units (pricing §13.2)."""

    units: Fraction
    since: datetime


@dataclass(eq=False, kw_only=True)
class Subscription:
    external_id: str
    plan: Plan
    subscription_at: datetime
    billing_time: str
    created_at: datetime
    ending_at: datetime | None
    consolidate: bool
    zone: str
    status: str = "pending"
    started_at: datetime | None = None
    terminated_at: datetime | None = None
    trial_ended_at: datetime | None = None
    ends_with_invoice: bool = True
    first_billed: datetime | None = None
    """The first instant of the usage that is ever billed."""
    previous: Subscription | None = None
    next: Subscription | None = None
    earlier: list[Subscription] = field(default_factory=list)
    """Those of the same external id made before."""
    records: list[Record] = field(default_factory=list)
    units: dict[str, list[UnitEvent]] = field(default_factory=dict)
    """Of each fixed charge, in the order of creation."""

    @property
    def started(self) -> datetime:
        assert self.started_at is not None
        return self.started_at

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.billing_time == "calendar", local(self.subscription_at, self.zone))

    @property
    def monthly_split(self) -> bool:
        """§3.3."""
        return self.plan.interval in SPLIT and (self.plan.charges_monthly or self.plan.fixed_monthly)

    @property
    def trial_end(self) -> datetime:
        """§4.5: counted from the earliest start of that external id."""
        first = min(
            [s.started for s in self.earlier if s.started_at] + [self.started_at or self.subscription_at]
        )
        microseconds = self.plan.trial_days * (DAY // TICK)
        return first + timedelta(microseconds=int(microseconds))

    @property
    def is_started_in_the_past(self) -> bool:
        return self.started.date() < self.created_at.date()

    @property
    def is_upgraded(self) -> bool:
        return self.next is not None and self.next.plan.yearly_cents >= self.plan.yearly_cents

    @property
    def is_downgraded(self) -> bool:
        return self.next is not None and self.next.plan.yearly_cents < self.plan.yearly_cents

    @property
    def fixed_unit(self) -> str:
        return "monthly" if self.plan.fixed_monthly and self.plan.interval in SPLIT else self.plan.interval

    def ends_on(self, day: date) -> bool:
        return self.ending_at is not None and local(self.ending_at, self.zone) == day


def in_trial(one: Subscription, at: datetime) -> bool:
    """§4.5."""
    return one.trial_ended_at is None and one.started <= at < one.trial_end


@dataclass(frozen=True)
class FixedBilled:
    """Units of a fixed charge that are paid in advance for the period from `start` on."""

    code: str
    start: date
    units: Fraction


@dataclass(kw_only=True)
class Record:
    """One billing record: an invoice's part of one subscription, and its windows."""

    external_id: str
    at: datetime
    day: date
    reason: str
    fee_start: date
    """F"""
    fee_from: datetime
    fee_to: datetime
    charges: tuple[datetime, datetime] | None
    """[S, E); None where blank (§3.5)."""
    charges_start: date
    """C"""
    fixed: tuple[datetime, datetime] | None
    fixed_start: date
    """X"""
    charges_unit: str
    fixed_unit: str
    has_fee: bool = False
    fixed_billed: list[FixedBilled] = field(default_factory=list)
    with_charges: bool = True
    reconciles: bool = False
    """The commitment is held against what its period came to (pricing §15)."""
    is_of_event: bool = False
    """Made by an event, a change of units, or a start that bills fixed charges alone."""
    fees: list[Fee] = field(default_factory=list)

    @property
    def recurring(self) -> bool:
        return self.reason == "subscription_periodic"


def boundaries(one: Subscription, at: datetime, reason: str) -> Record:
    """The record of one subscription at one billing instant: §3.4, then §3.6."""
    is_old_of_upgrade = one.status == "terminated" and one.is_upgraded
    record = windows(one, at, reason, current=is_old_of_upgrade, terminated_at=one.terminated_at)
    if reason != "subscription_terminating" or one.next is not None or at - DAY < one.started:
        return record
    before = windows(one, at - DAY, reason, current=True, terminated_at=None)
    assert before.charges is not None
    usage_ended = just_ended(before.charges[1] - TICK, at)
    if not usage_ended and not (before.fixed and just_ended(before.fixed[1] - TICK, at)):
        return record
    periodic = windows(one, at, reason, current=False, terminated_at=None)
    same = [
        (r.fee_from, r.fee_to, r.charges, r.fixed)
        == (periodic.fee_from, periodic.fee_to, periodic.charges, periodic.fixed)
        for r in one.records
        if r.recurring
    ]
    if any(same):
        return record
    if not usage_ended:
        return replace(record, fixed=periodic.fixed, fixed_start=periodic.fixed_start)
    if just_ended(before.fee_to, at):
        return periodic
    # A month has ended, its year has not: the base price is that of the year up to there.
    end = before.charges[1] - TICK
    year = windows(one, end, reason, current=False, terminated_at=end)
    return replace(periodic, fee_start=year.fee_start, fee_from=year.fee_from, fee_to=end)


def just_ended(last: datetime, at: datetime) -> bool:
    """Whether an instant lies within the first day after a last one (§3.6)."""
    return last <= at and at - last < DAY


def windows(
    one: Subscription, at: datetime, reason: str, *, current: bool, terminated_at: datetime | None
) -> Record:
    """§3.4 and §3.5, with the half-open edges of §3.9."""
    zone, plan, calendar = one.zone, one.plan, one.calendar
    d, unit, adv = local(at, zone), plan.interval, plan.pay_in_advance
    terminated_by = terminated_at is not None and rounded(terminated_at) <= rounded(at)

    def dates(u: str) -> tuple[date, date]:
        ref = d if current else calendar.back(d, u)
        arrears_cut = terminated_by and not adv and not one.is_downgraded
        fee_start = calendar.period_start(d if adv or arrears_cut else ref, u)
        if terminated_by and one.next is None:
            use_start = calendar.period_start(d, u)
        elif not adv:
            use_start = fee_start
        else:
            use_start = calendar.period_start(ref, u)
        return fee_start, use_start

    def window(start: date, u: str) -> tuple[datetime, datetime]:
        begins = max(start_of_day(start, zone), usage_begins(one))
        ends = start_of_day(calendar.next_start(start, u), zone)
        if terminated_at is not None:
            ends = min(ends, terminated_at + TICK)
        return begins, max(ends, begins)

    fee_start = dates(unit)[0]
    cu = "monthly" if plan.charges_monthly and unit in SPLIT else unit
    fu = one.fixed_unit
    charges_start, fixed_start = dates(cu)[1], dates(fu)[1]
    fee_from = start_of_day(fee_start, zone)
    if fee_from < one.started:
        fee_from = start_of_day(local(one.started, zone), zone)
    fee_to = start_of_day(calendar.next_start(fee_start, unit), zone) - TICK
    if terminated_by and terminated_at is not None and fee_to > terminated_at:
        fee_to = terminated_at.replace(microsecond=0)
    fee_to = max(fee_to, one.started)
    first = calendar.first_month(d, unit) if unit in SPLIT else True
    starting = reason in ("subscription_starting", "in_advance_charge")
    charges_filled = current or terminated_by or plan.charges_monthly or not plan.fixed_monthly or first
    fixed_filled = plan.fixed_monthly or starting or not plan.charges_monthly or first
    return Record(
        external_id=one.external_id,
        at=at,
        day=d,
        reason=reason,
        fee_start=fee_start,
        fee_from=fee_from,
        fee_to=fee_to,
        charges=window(charges_start, cu) if charges_filled or unit not in SPLIT else None,
        charges_start=charges_start,
        fixed=window(fixed_start, fu) if fixed_filled or unit not in SPLIT else None,
        fixed_start=fixed_start,
        charges_unit=cu,
        fixed_unit=fu,
    )


def usage_begins(one: Subscription) -> datetime:
    """`started_at` cut to the millisecond, but never before the end of the one that ended before (§3.9)."""
    started = one.started.replace(microsecond=one.started.microsecond // 1000 * 1000)
    ended = [s for s in one.earlier if s.terminated_at is not None and s.terminated_at <= one.started]
    return max([started, *(end for s in ended if (end := usage_ends(s)) is not None)])


def usage_ends(one: Subscription) -> datetime | None:
    """The end of the usage of one that has ended, exclusive: of its last window, else of its life (§3.6, §3.9)."""
    if one.terminated_at is None:
        return None
    last = [r.charges for r in one.records if r.reason == "subscription_terminating"]
    window = last[-1] if last else None
    is_switched = one.is_downgraded and not last
    return window[1] if window else one.terminated_at + (TICK * 0 if is_switched else TICK)


def rounded(at: datetime) -> datetime:
    """To the second."""
    return (at + timedelta(microseconds=500000)).replace(microsecond=0)
