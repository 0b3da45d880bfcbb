"""The golden calendar: every start day of three years, every interval, both billing times, eleven zones.

What is checked of each: periods touch, none is missed, every one has the right length, and exactly one billing day.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tallymark.domain.calendar import (
    Cycle,
    Life,
    Schedule,
    compute_boundaries,
    is_billing_day,
    next_billing_day,
)
from tallymark.domain.periods import BillingTime, Interval, local_date, start_of_day

DAY = timedelta(days=1)
FIRST, LAST = date(2023, 1, 1), date(2025, 12, 31)
START_DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]
LENGTHS = {
    Interval.WEEKLY: {7},
    Interval.MONTHLY: {28, 29, 30, 31},
    Interval.QUARTERLY: set(range(89, 93)),
    Interval.SEMIANNUAL: set(range(181, 185)),
    Interval.YEARLY: {365, 366},
}
PERIODS = dict.fromkeys(Interval, 6)
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Paris",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Apia",
]


@pytest.mark.parametrize("billing_time", list(BillingTime))
@pytest.mark.parametrize("interval", list(Interval))
def test_periods_touch_from_every_start_day(interval, billing_time):
    for anchor in START_DAYS:
        cycle = Cycle(interval, billing_time, anchor)
        start = cycle.period_start(anchor)
        assert start <= anchor <= cycle.period_end(start)
        if billing_time is BillingTime.ANNIVERSARY:
            assert start == anchor
        for _ in range(PERIODS[interval]):
            end, following = cycle.period_end(start), cycle.next_start(start)
            assert end + DAY == following
            assert (following - start).days in LENGTHS[interval]
            assert cycle.length(start) == cycle.length(end) == (following - start).days
            # Every day of the period leads back to its start, the next day does not.
            assert cycle.period_start(start) == cycle.period_start(end) == start
            assert cycle.period_start(following) == following
            # The period billed on a billing day is the one that ended the day before.
            assert cycle.period_start(cycle.back(following)) == start
            start = following


@pytest.mark.parametrize("interval", [i for i in Interval if i is not Interval.WEEKLY])
def test_an_anniversary_returns_to_the_day_of_its_anchor(interval):
    """After a short month the day comes back; 29 February falls on the 28th in common years (§3.2)."""
    from calendar import monthrange

    for anchor in START_DAYS:
        cycle = Cycle(interval, BillingTime.ANNIVERSARY, anchor)
        start = anchor
        for _ in range(PERIODS[interval]):
            start = cycle.next_start(start)
            assert start.day == min(anchor.day, monthrange(start.year, start.month)[1])


@pytest.mark.parametrize("billing_time", list(BillingTime))
@pytest.mark.parametrize("interval", list(Interval))
def test_every_period_has_exactly_one_billing_day(interval, billing_time):
    for anchor in START_DAYS[::17]:
        schedule = make_schedule(anchor, interval, billing_time)
        cycle = schedule.cycle()
        start = cycle.next_start(cycle.period_start(anchor))
        end = cycle.period_end(start)
        span = [start + n * DAY for n in range((end - start).days + 1)]
        assert [day for day in span if is_billing_day(schedule, day)] == [start]
        assert {next_billing_day(schedule, after=day) for day in span} == {end + DAY}


def make_schedule(anchor, interval, billing_time, zone="UTC", **more):
    tz = ZoneInfo(zone)
    noon = datetime(anchor.year, anchor.month, anchor.day, 12, tzinfo=tz).astimezone(UTC)
    return Schedule(
        interval=interval,
        billing_time=billing_time,
        is_pay_in_advance=more.pop("is_pay_in_advance", False),
        subscription_at=noon,
        tz=tz,
        **more,
    )


@pytest.mark.parametrize("zone", ZONES)
def test_days_touch_in_every_zone(zone):
    """Each local day ends where the next begins, clock changes included, and holds 23 to 25 hours."""
    tz = ZoneInfo(zone)
    for day in START_DAYS:
        start, end = start_of_day(day, tz), start_of_day(day + DAY, tz)
        assert timedelta(hours=23) <= end - start <= timedelta(hours=25)
        assert local_date(start, tz) == day
        assert local_date(end - timedelta(microseconds=1), tz) == day


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("billing_time", list(BillingTime))
@pytest.mark.parametrize("interval", list(Interval))
def test_windows_of_consecutive_invoices_tile(interval, billing_time, zone):
    """The E of one window is the S of the next, for fee and usage, in arrears and in advance (§7.1)."""
    for anchor in START_DAYS[::61]:
        for is_pay_in_advance in (False, True):
            schedule = make_schedule(
                anchor, interval, billing_time, zone, is_pay_in_advance=is_pay_in_advance
            )
            life = Life(started_at=schedule.subscription_at)
            day, last_usage, last_fee = anchor, None, None
            for _ in range(4):
                day = next_billing_day(schedule, after=day)
                found = compute_boundaries(schedule, life, at=start_of_day(day, schedule.tz))
                usage, fee = found.charges, found.subscription
                assert usage is not None
                assert usage.period.start == (last_usage or schedule.subscription_at)
                assert usage.period.end == start_of_day(day, schedule.tz)
                assert last_fee is None or fee.period.start == last_fee
                assert fee.period.start <= fee.period.end
                last_usage, last_fee = usage.period.end, fee.period.end


@pytest.mark.parametrize("interval", [Interval.SEMIANNUAL, Interval.YEARLY])
@pytest.mark.parametrize("billing_time", list(BillingTime))
def test_monthly_charges_of_long_plans_tile_by_the_month(interval, billing_time):
    for anchor in START_DAYS[::29]:
        schedule = make_schedule(anchor, interval, billing_time, bills_charges_monthly=True)
        life = Life(started_at=schedule.subscription_at)
        day, last = anchor, schedule.subscription_at
        for _ in range(14):
            day = next_billing_day(schedule, after=day)
            usage = compute_boundaries(schedule, life, at=start_of_day(day, schedule.tz)).charges
            assert usage is not None
            assert usage.period.start == last
            assert usage.full_days in LENGTHS[Interval.MONTHLY]
            last = usage.period.end


ROWS = [
    # subscriptions §6.2, worked out by hand: anchor, interval, the starts that follow it
    ("2026-10-31", Interval.MONTHLY, ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
    ("2025-11-30", Interval.QUARTERLY, ["2026-02-28", "2026-05-30", "2026-08-30", "2026-11-30"]),
    ("2026-08-31", Interval.SEMIANNUAL, ["2027-02-28", "2027-08-31", "2028-02-29", "2028-08-31"]),
    ("2028-02-29", Interval.YEARLY, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"]),
    ("2025-01-29", Interval.WEEKLY, ["2025-02-05", "2025-02-12"]),
]  # fmt: skip


@pytest.mark.parametrize(("anchor", "interval", "starts"), ROWS)
def test_hand_worked_anniversaries(anchor, interval, starts):
    cycle = Cycle(interval, BillingTime.ANNIVERSARY, date.fromisoformat(anchor))
    day = date.fromisoformat(anchor)
    for expected in starts:
        day = cycle.next_start(day)
        assert day == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("day", "interval", "start", "length"),
    [
        ("2024-02-15", Interval.MONTHLY, "2024-02-01", 29),
        ("2025-03-30", Interval.WEEKLY, "2025-03-24", 7),
        ("2025-06-30", Interval.QUARTERLY, "2025-04-01", 91),
        ("2024-12-31", Interval.SEMIANNUAL, "2024-07-01", 184),
        ("2024-07-04", Interval.YEARLY, "2024-01-01", 366),
    ],
)
def test_hand_worked_calendar_periods(day, interval, start, length):
    cycle = Cycle(interval, BillingTime.CALENDAR, date(2020, 2, 29))
    assert cycle.period_start(date.fromisoformat(day)) == date.fromisoformat(start)
    assert cycle.length(date.fromisoformat(day)) == length
