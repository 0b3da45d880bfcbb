"""Windows, base prices and dates of single invoices, each worked out by hand (subscriptions §3, §4, §6)."""

from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.calendar import (
    Continuity,
    InvoiceDates,
    IssuingRules,
    Life,
    Schedule,
    compute_boundaries,
    current_charges_period,
    finalized_dates,
    new_invoice_dates,
    termination_boundaries,
)
from tallymark.domain.fees.proration import prorate
from tallymark.domain.fees.subscription_fee import SubscriptionFeeFacts, compute_subscription_fee
from tallymark.domain.money import currency, round_cents
from tallymark.domain.periods import TICK, BillingTime, Interval, days, start_of_day, yearly_amount_cents

EUR = currency("EUR")
FIRST, LAST = datetime(2023, 1, 1), datetime(2025, 12, 31)  # noqa: DTZ001 - Hypothesis adds the zone


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(
    start: str,
    interval: str = "monthly",
    *,
    advance: bool = False,
    anniversary: bool = False,
    tz: str = "UTC",
    **more,
):
    return Schedule(
        interval=Interval(interval),
        billing_time=BillingTime.ANNIVERSARY if anniversary else BillingTime.CALENDAR,
        is_pay_in_advance=advance,
        subscription_at=at(start),
        tz=ZoneInfo(tz),
        **more,
    )


def fee(of: Schedule, life: Life, when: str, amount: int, *, boundaries=None, **more) -> int | None:
    found = boundaries or compute_boundaries(of, life, at=at(when))
    made = compute_subscription_fee(
        SubscriptionFeeFacts(
            amount_cents=amount,
            schedule=of,
            life=life,
            boundaries=found,
            at=at(when),
            created_at=more.pop("created_at", life.started_at),
            **more,
        ),
        EUR,
    )
    return None if made is None else made.amount_cents


def span(window):
    return window.period.start, window.period.end


class TestFirstPeriods:
    def test_a_partial_month_counts_local_days(self):
        """§6.1: 28 of 31 days in New York; 28 × 4350 / 31 = 3929.03."""
        of = schedule("2025-03-05T03:30", tz="America/New_York")
        life = Life(started_at=of.subscription_at)
        found = compute_boundaries(of, life, at=at("2025-04-01T04:00"))
        assert span(found.subscription) == (at("2025-03-04T05:00"), at("2025-04-01T04:00"))
        assert found.charges is not None
        assert span(found.charges) == (at("2025-03-05T03:30"), at("2025-04-01T04:00"))
        assert fee(of, life, "2025-04-01T04:00", 4350) == 3929

    def test_an_exact_half_is_rounded_away_from_zero(self):
        """README quirk 1: 15 of 30 days of 245 are 122.5."""
        of = schedule("2025-04-16T08:00")
        assert fee(of, Life(started_at=of.subscription_at), "2025-05-01T00:00", 245) == 123

    def test_in_advance_the_fee_is_for_what_begins_and_usage_for_what_ended(self):
        """§6.3."""
        of = schedule("2025-05-20T09:00", advance=True)
        life = Life(started_at=of.subscription_at)
        start = compute_boundaries(of, life, at=of.subscription_at, is_start=True)
        assert start.charges is not None
        assert start.charges.period.is_empty
        assert not start.charges.is_billable
        assert fee(of, life, "2025-05-20T09:00", 12400, is_starting_record=True) == 4800
        renewal = compute_boundaries(of, life, at=at("2025-06-01T00:00"))
        assert renewal.charges is not None
        assert span(renewal.charges) == (at("2025-05-20T09:00"), at("2025-06-01T00:00"))
        assert renewal.charges.full_days == 31
        assert fee(of, life, "2025-06-01T00:00", 12400, has_earlier_fee=True) == 12400

    def test_an_anniversary_in_advance_is_paid_in_full(self):
        of = schedule("2025-05-20T09:00", advance=True, anniversary=True)
        assert (
            fee(of, Life(started_at=of.subscription_at), "2025-05-20T09:00", 12400, is_starting_record=True)
            == 12400
        )

    def test_a_start_in_the_past_bills_its_first_day_in_full(self):
        """§6.10."""
        of = schedule("2025-03-10T00:00")
        life = Life(started_at=of.subscription_at)
        assert fee(of, life, "2025-05-01T00:00", 3000, created_at=at("2025-04-05T00:00")) == 3000

    @pytest.mark.parametrize("day", ["2022-12-28", "2023-01-04", "2023-01-22"])
    def test_a_start_in_the_past_is_not_billed_within_its_first_month(self, day):
        """§4.3 rule 2: the first month of all runs from 23 December to 22 January, whatever month its days are of."""
        of = schedule("2022-12-23T12:00", "semiannual", advance=True, anniversary=True)
        life = Life(started_at=of.subscription_at)
        trial = {"trial_end": at(f"{day}T12:00"), "is_in_trial": False}
        assert fee(of, life, f"{day}T12:00", 4300, created_at=at("2022-12-27T12:00"), **trial) is None
        assert fee(of, life, "2023-06-23T00:00", 4300, created_at=at("2022-12-27T12:00"), **trial) == 4300

    def test_arrears_start_without_a_base_price(self):
        of = schedule("2025-05-20T09:00")
        assert (
            fee(of, Life(started_at=of.subscription_at), "2025-05-20T09:00", 100, is_starting_record=True)
            is None
        )

    def test_a_fee_is_not_billed_twice_on_a_day(self):
        of = schedule("2025-05-01T00:00", advance=True)
        life = Life(started_at=of.subscription_at)
        assert (
            fee(of, life, "2025-06-01T00:00", 100, has_earlier_fee=True, is_billed_on_this_day=True) is None
        )


class TestLongPlans:
    def test_monthly_charges_wait_with_the_base_price_for_the_year(self):
        """§6.7: no fee in October; on 1 January 113 of 366 days of 36600."""
        of = schedule("2024-09-10T12:00", "yearly", bills_charges_monthly=True)
        life = Life(started_at=of.subscription_at)
        first = compute_boundaries(of, life, at=at("2024-10-01T00:00"))
        assert first.charges is not None
        assert span(first.charges) == (at("2024-09-10T12:00"), at("2024-10-01T00:00"))
        assert fee(of, life, "2024-10-01T00:00", 36600) is None
        assert fee(of, life, "2025-01-01T00:00", 36600) == 11300

    def test_their_end_bills_the_days_of_the_year_and_the_usage_of_the_month(self):
        """§6.7: 140 × 36600 / 365 = 14038.36."""
        of = schedule("2024-09-10T12:00", "yearly", bills_charges_monthly=True)
        life = Life(started_at=of.subscription_at, terminated_at=at("2025-05-20T15:00"))
        found = termination_boundaries(of, life, at=at("2025-05-20T15:00"), is_billed=lambda _: True)
        assert found.charges is not None
        assert span(found.charges) == (at("2025-05-01T00:00"), at("2025-05-20T15:00") + TICK)
        assert fee(of, life, "2025-05-20T15:00", 36600, boundaries=found, has_earlier_fee=True) == 14038

    def test_without_monthly_parts_there_is_one_window_a_year(self):
        of = schedule("2024-02-10T00:00", "yearly")
        found = compute_boundaries(of, Life(started_at=of.subscription_at), at=at("2025-01-01T00:00"))
        assert found.charges is not None
        assert span(found.charges) == (at("2024-02-10T00:00"), at("2025-01-01T00:00"))


class TestEnds:
    def test_the_day_of_the_end_is_counted(self):
        """§6.5: 11 days of 31 at 9300."""
        of = schedule("2025-01-01T00:00")
        life = Life(started_at=of.subscription_at, terminated_at=at("2025-07-11T10:00"))
        found = termination_boundaries(of, life, at=at("2025-07-11T10:00"), is_billed=lambda _: True)
        assert span(found.subscription) == (at("2025-07-01T00:00"), at("2025-07-11T10:00") + TICK)
        assert fee(of, life, "2025-07-11T10:00", 9300, boundaries=found, has_earlier_fee=True) == 3300

    @pytest.mark.parametrize(
        ("is_billed", "window", "amount"),
        [(False, ("2025-05-01T00:00", "2025-06-01T00:00"), 3000), (True, ("2025-06-01T00:00", None), 100)],
        ids=["the ended month was not billed", "it was"],
    )
    def test_an_end_on_the_first_day_bills_the_month_that_ended(self, is_billed, window, amount):
        """§3.6, §6.12: at 09:00 on 1 June."""
        of = schedule("2025-03-10T00:00")
        ended = at("2025-06-01T09:00")
        life = Life(started_at=of.subscription_at, terminated_at=ended)
        found = termination_boundaries(of, life, at=ended, is_billed=lambda _: is_billed)
        start, end = window
        assert span(found.subscription) == (at(start), at(end) if end else ended + TICK)
        assert fee(of, life, "2025-06-01T09:00", 3000, boundaries=found, has_earlier_fee=True) == amount

    def test_what_ended_later_does_not_change_an_old_record(self):
        """A draft of June, computed anew after an end in July, bills June (invoicing §6)."""
        of = schedule("2025-05-01T00:00", advance=True)
        life = Life(started_at=of.subscription_at, terminated_at=at("2025-07-05T00:00"))
        assert fee(of, life, "2025-06-01T00:00", 3000, has_earlier_fee=True) == 3000


class TestZones:
    def test_a_week_with_a_clock_change_has_seven_days(self):
        """§6.9: 167 hours in Paris."""
        of = schedule("2025-01-01T00:00", "weekly", tz="Europe/Paris")
        found = compute_boundaries(of, Life(started_at=of.subscription_at), at=at("2025-03-30T22:00"))
        assert span(found.subscription) == (at("2025-03-23T23:00"), at("2025-03-30T22:00"))
        assert (
            days(found.subscription.period.start, found.subscription.period.last, ZoneInfo("Europe/Paris"))
            == 7
        )

    def test_a_moved_zone_goes_on_where_the_last_window_ended(self):
        """§3.7."""
        of = schedule("2025-01-01T00:00", tz="America/Los_Angeles")
        billed_until = at("2025-02-28T15:00")  # midnight in Tokyo
        found = compute_boundaries(
            of,
            Life(started_at=of.subscription_at),
            at=at("2025-04-01T07:00"),
            continuity=Continuity(continues_from=billed_until),
        )
        assert found.charges is not None
        assert span(found.charges) == (billed_until, at("2025-04-01T07:00"))

    def test_a_new_subscription_begins_where_the_old_one_of_its_id_ended(self):
        """§3.9."""
        of = schedule("2025-05-10T10:00")
        ended = at("2025-05-10T10:00") + TICK
        period = current_charges_period(
            of, Life(started_at=of.subscription_at), at("2025-05-20T00:00"), Continuity(not_before=ended)
        )
        assert (period.start, period.end) == (ended, at("2025-06-01T00:00"))


RULES = {"grace_days": 3, "net_payment_term": 10}


@pytest.mark.parametrize(
    ("anchor", "adjustment", "grace", "draft", "final"),
    [
        ("next_period_start", "align_with_finalization_date", 3, ("04", "14"), ("04", "14")),
        ("next_period_start", "keep_anchor", 3, ("01", "11"), ("01", "11")),
        ("current_period_end", "keep_anchor", 3, ("30", "10"), ("30", "10")),
        ("current_period_end", "align_with_finalization_date", 3, ("04", "14"), ("04", "14")),
        ("current_period_end", "align_with_finalization_date", 0, ("30", "10"), ("30", "10")),
    ],
)
def test_hand_worked_dates(anchor, adjustment, grace, draft, final):
    """§6.11: billed on 1 July, 10 days to pay."""

    def day(number: str) -> date:
        return date(2025, 6 if number == "30" else 7, int(number))

    rules = IssuingRules(grace_days=grace, net_payment_term=10, anchor=anchor, adjustment=adjustment)
    made = new_invoice_dates(rules, day=date(2025, 7, 1), is_recurring=True)
    assert (made.issuing_date, made.payment_due_date) == (day(draft[0]), day(draft[1]))
    assert made.expected_finalization_date == date(2025, 7, 1 + grace)
    if grace:
        done = finalized_dates(made, rules, today=date(2025, 7, 4), is_recurring=True)
        assert (done.issuing_date, done.payment_due_date) == (day(final[0]), day(final[1]))


def test_a_one_time_invoice_has_no_grace():
    rules = IssuingRules(
        grace_days=3, net_payment_term=1, anchor="current_period_end", adjustment="keep_anchor"
    )
    made = new_invoice_dates(rules, day=date(2025, 7, 1), is_recurring=False, has_grace=False)
    assert made == InvoiceDates(
        issuing_date=date(2025, 7, 1),
        expected_finalization_date=date(2025, 7, 1),
        payment_due_date=date(2025, 7, 2),
    )


@pytest.mark.parametrize(
    ("cents", "interval", "yearly"),
    [
        (1000, "monthly", 12000),
        (231, "weekly", 12012),
        (2999, "quarterly", 11996),
        (6000, "semiannual", 12000),
        (12000, "yearly", 12000),
    ],
)
def test_yearly_amounts(cents, interval, yearly):
    """§6.8."""
    assert yearly_amount_cents(cents, Interval(interval)) == yearly


@given(st.integers(0, 10**9), st.integers(1, 366), st.data())
def test_parts_of_a_period_add_up_to_the_whole(cents, full, data):
    """Proration over any split of a period sums to the whole before rounding."""
    cut = data.draw(st.integers(0, full))
    assert prorate(cents, days=cut, of=full) + prorate(cents, days=full - cut, of=full) == cents


@given(
    st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"]),
    st.integers(1, 10**7),
)
def test_used_and_unused_days_are_all_days(started_at, zone, cents):
    """§7.4: the days before a start and those from it on make the month."""
    of = Schedule(
        interval=Interval.MONTHLY,
        billing_time=BillingTime.CALENDAR,
        is_pay_in_advance=False,
        subscription_at=started_at,
        tz=ZoneInfo(zone),
    )
    first = of.cycle().period_start(of.anchor)
    following = start_of_day(of.cycle().next_start(first), of.tz)
    life = Life(started_at=started_at)
    found = compute_boundaries(of, life, at=following)
    billed = days(found.subscription.period.start, found.subscription.period.last, of.tz)
    assert billed == found.subscription.full_days - (of.anchor - first).days
    made = compute_subscription_fee(
        SubscriptionFeeFacts(
            amount_cents=cents, schedule=of, life=life, boundaries=found, at=following, created_at=started_at
        ),
        EUR,
    )
    assert made is not None
    assert made.amount_cents == round_cents(Fraction(cents * billed, found.subscription.full_days))
