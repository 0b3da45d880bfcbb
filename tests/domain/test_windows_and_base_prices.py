"""Billing days, windows and base prices, sentence by sentence; months at 30.00 or 31.00 (subscriptions §3.3 to §3.6, §4.1 to §4.5)."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from tests.domain.test_boundaries import at, fee, schedule, span

from tallymark.domain.calendar import Life, compute_boundaries, is_billing_day, termination_boundaries
from tallymark.domain.periods import TICK, days

LONG_AGO = "2024-01-01T00:00"
MONTHLY = {"bills_charges_monthly": True}
FIXED_MONTHLY = {"bills_fixed_charges_monthly": True}


@pytest.mark.parametrize(
    ("start", "interval", "terms", "billed", "not_billed"),
    [
        ("2025-06-05", "weekly", {}, ["2025-06-09"], ["2025-06-05", "2025-06-12"]),
        ("2025-06-05", "weekly", {"anniversary": True}, ["2025-06-12"], ["2025-06-09"]),
        (
            "2025-01-31",
            "monthly",
            {"anniversary": True},
            ["2025-02-28", "2025-03-31", "2025-04-30"],
            ["2025-03-28", "2025-03-30", "2025-05-30"],
        ),
        (
            "2024-11-15",
            "quarterly",
            {"anniversary": True},
            ["2025-02-15", "2025-05-15", "2025-08-15", "2025-11-15"],
            ["2025-03-15", "2025-01-15"],
        ),
        ("2025-01-10", "yearly", {}, ["2026-01-01"], ["2025-02-01", "2026-01-10"]),
        ("2025-01-10", "yearly", MONTHLY, ["2025-02-01", "2025-12-01", "2026-01-01"], ["2025-02-10"]),
        ("2025-01-10", "semiannual", FIXED_MONTHLY, ["2025-02-01", "2025-07-01"], ["2025-02-10"]),
        (
            "2025-08-31",
            "semiannual",
            {**MONTHLY, "anniversary": True},
            ["2025-09-30", "2025-10-31", "2026-02-28"],
            ["2025-10-30", "2026-03-28"],
        ),
        # The flags are of years and half years alone.
        ("2025-01-10", "quarterly", MONTHLY, ["2025-04-01"], ["2025-02-01", "2025-03-01"]),
    ],
)
def test_days_that_are_billed(start, interval, terms, billed, not_billed):
    """§3.3."""
    of = schedule(f"{start}T00:00", interval, **terms)
    found = [is_billing_day(of, date.fromisoformat(day)) for day in [*billed, *not_billed]]
    assert found == [True] * len(billed) + [False] * len(not_billed)


class TestWindows:
    """§3.4: a month by the calendar; the fee's window, then that of usage."""

    JUNE = (at("2025-06-01T00:00"), at("2025-07-01T00:00"))
    JULY = (at("2025-07-01T00:00"), at("2025-08-01T00:00"))
    ENDED = at("2025-07-11T10:00")
    TO_THE_END = (at("2025-07-01T00:00"), ENDED + TICK)

    def windows(self, *, advance, life, when, current=False, is_start=False):
        of = schedule(LONG_AGO, advance=advance)
        found = compute_boundaries(of, life, at=when, current=current, is_start=is_start)
        assert found.charges is not None
        return span(found.subscription), span(found.charges)

    @pytest.mark.parametrize(("advance", "fee_window"), [(False, JUNE), (True, JULY)])
    def test_of_a_billing_day(self, advance, fee_window):
        life = Life(started_at=at(LONG_AGO))
        found = self.windows(advance=advance, life=life, when=at("2025-07-01T00:00"))
        assert found == (fee_window, self.JUNE)

    def test_of_a_start_in_advance(self):
        """The fee's begins with the day, usage has none yet."""
        started = at("2025-07-11T10:00")
        found = self.windows(advance=True, life=Life(started_at=started), when=started, is_start=True)
        assert found == ((at("2025-07-11T00:00"), at("2025-08-01T00:00")), (started, started))

    @pytest.mark.parametrize("advance", [False, True])
    @pytest.mark.parametrize("is_upgraded", [False, True])
    def test_of_an_end(self, advance, is_upgraded):
        life = Life(started_at=at(LONG_AGO), terminated_at=self.ENDED, has_successor=is_upgraded)
        found = self.windows(advance=advance, life=life, when=self.ENDED, current=is_upgraded)
        assert found == (self.TO_THE_END, self.TO_THE_END)

    @pytest.mark.parametrize("advance", [False, True])
    def test_of_a_downgrade(self, advance):
        """At the switch the old plan has the month that ended."""
        switch = at("2025-08-01T00:00")
        life = Life(started_at=at(LONG_AGO), terminated_at=switch, has_successor=True, is_downgraded=True)
        fee_window, usage = self.windows(advance=advance, life=life, when=switch)
        assert usage == self.JULY
        assert advance or fee_window == self.JULY


class TestBlankWindows:
    """§3.5: whether usage, and whether fixed charges have a window."""

    def filled(self, interval, terms, when, **more):
        of = schedule(more.pop("start", LONG_AGO), interval, **terms)
        found = compute_boundaries(of, Life(started_at=of.subscription_at), at=at(when), **more)
        return found.charges is not None, found.fixed_charges is not None

    @pytest.mark.parametrize(
        ("terms", "in_march", "in_january"),
        [
            ({}, (True, True), (True, True)),
            (MONTHLY, (True, False), (True, True)),
            (FIXED_MONTHLY, (False, True), (True, True)),
            ({**MONTHLY, **FIXED_MONTHLY}, (True, True), (True, True)),
        ],
    )
    def test_of_a_calendar_year(self, terms, in_march, in_january):
        assert self.filled("yearly", terms, "2025-03-01T00:00") == in_march
        assert self.filled("yearly", terms, "2026-01-01T00:00") == in_january

    def test_a_half_year_has_two_first_months(self):
        found = [self.filled("semiannual", MONTHLY, f"2025-{month:02}-01T00:00")[1] for month in range(1, 13)]
        assert [month for month, is_filled in enumerate(found, 1) if is_filled] == [1, 7]

    def test_an_anniversary_has_the_month_of_its_anchor(self):
        terms = {**MONTHLY, "anniversary": True, "start": "2024-03-31T00:00"}
        starts = ["2025-02-28", "2025-03-31", "2025-04-30", "2025-09-30"]
        for interval, expected in (
            ("yearly", [False, True, False, False]),
            ("semiannual", [False, True, False, True]),
        ):
            more = {name: value for name, value in terms.items() if name != "start"}
            found = [self.filled(interval, more, f"{day}T00:00", start=terms["start"])[1] for day in starts]
            assert found == expected

    def test_the_running_period_always_has_one_of_usage_but_not_of_fixed_charges(self):
        assert self.filled("yearly", FIXED_MONTHLY, "2025-03-10T00:00", current=True) == (True, True)
        assert self.filled("yearly", MONTHLY, "2025-03-10T00:00", current=True) == (True, False)

    def test_an_end_always_has_one_of_usage(self):
        """From the start of the year on (§3.4): nothing else will bill it."""
        of = schedule(LONG_AGO, "yearly", bills_fixed_charges_monthly=True)
        ended = at("2025-05-20T12:00")
        life = Life(started_at=of.subscription_at, terminated_at=ended)
        found = termination_boundaries(of, life, at=ended, is_billed=lambda _: True)
        assert found.charges is not None
        assert span(found.charges) == (at("2025-01-01T00:00"), ended + TICK)

    def test_a_start_always_has_one_of_fixed_charges(self):
        assert self.filled("yearly", MONTHLY, "2025-03-10T00:00", is_start=True) == (True, True)


class TestEndsOfOneDay:
    """§3.6."""

    def ended(self, started, ended, **terms):
        of = schedule(started, **terms)
        life = Life(started_at=of.subscription_at, terminated_at=at(ended))
        return of, life, termination_boundaries(of, life, at=at(ended), is_billed=lambda _: False)

    def test_a_day_and_more_after_the_period_is_not_the_first_day(self):
        _, _, found = self.ended("2025-03-10T00:00", "2025-06-02T00:00")
        assert span(found.subscription)[0] == at("2025-06-01T00:00")

    def test_the_last_microsecond_of_the_first_day_is(self):
        _, _, found = self.ended("2025-03-10T00:00", "2025-06-01T23:59:59.999998")
        assert span(found.subscription) == (at("2025-05-01T00:00"), at("2025-06-01T00:00"))

    def test_a_first_day_that_is_the_days_after_the_start_is_billed_by_itself(self):
        """Started at noon of 31 May, ended at 09:00 of 1 June: not a day after the start, so 1 June is billed, for one day."""
        of, life, found = self.ended("2025-05-31T12:00", "2025-06-01T09:00")
        assert span(found.subscription)[0] == at("2025-06-01T00:00")
        assert fee(of, life, "2025-06-01T09:00", 3000, boundaries=found) == 100

    def test_a_first_partial_period_that_ended_is_prorated_by_its_days(self):
        """10 March to 31 March are 22 of 31 days."""
        of, life, found = self.ended("2025-03-10T00:00", "2025-04-01T09:00")
        assert fee(of, life, "2025-04-01T09:00", 3100, boundaries=found) == 2200

    def test_in_advance_the_usage_of_the_period_that_ended_is_billed(self):
        _, _, found = self.ended("2025-03-10T00:00", "2025-06-01T09:00", advance=True)
        assert found.charges is not None
        assert span(found.charges) == (at("2025-05-01T00:00"), at("2025-06-01T00:00"))


@pytest.mark.parametrize(
    ("start", "end", "zone", "counted"),
    [
        ("2025-05-15T12:00", "2025-05-20T10:00", "UTC", 5),
        ("2025-05-15T00:00", "2025-05-20T10:00", "UTC", 6),
        ("2025-05-15T12:00", "2025-05-20T23:59:59.999999", "UTC", 6),
        ("2025-05-01T00:00", "2025-05-11T00:00", "UTC", 11),
        ("2025-05-01T00:00", "2025-05-01T00:00", "UTC", 1),
        # 30 March has 23 hours in Paris, 26 October has 25.
        ("2025-03-29T23:00", "2025-03-30T21:59:59.999999", "Europe/Paris", 1),
        ("2025-10-25T22:00", "2025-10-26T22:59:59.999999", "Europe/Paris", 1),
        ("2025-10-25T22:00", "2025-10-26T23:00", "Europe/Paris", 2),
    ],
)
def test_days_are_of_the_wall_clock(start, end, zone, counted):
    """§4.1: differences rounded up; an exact midnight begins its day."""
    assert days(at(start), at(end), ZoneInfo(zone)) == counted


class TestWhetherThereIsAFee:
    """§4.3."""

    def due(self, interval, when, start="2025-03-10T00:00", *, created=None, **more):
        keys = ("advance", "anniversary", "bills_charges_monthly", "bills_fixed_charges_monthly")
        of = schedule(start, interval, **{key: more.pop(key) for key in keys if key in more})
        life = Life(started_at=of.subscription_at, terminated_at=more.pop("ended", None))
        created_at = at(created) if created else life.started_at
        return fee(of, life, when, 36500, created_at=created_at, **more) is not None

    def test_a_year_in_advance_is_billed_in_its_first_month_or_if_it_never_was(self):
        yearly = {"advance": True, **MONTHLY}
        assert self.due("yearly", "2025-04-01T00:00", **yearly)
        assert not self.due("yearly", "2025-04-01T00:00", has_earlier_fee=True, **yearly)
        assert self.due("yearly", "2026-01-01T00:00", has_earlier_fee=True, **yearly)

    def test_one_that_began_in_the_past_is_not_billed_for_its_first_month(self):
        """Begun on 10 March 2025, made on 20 March: the first January that counts is that of 2026."""
        yearly = {"advance": True, "created": "2025-03-20T00:00", **MONTHLY}
        assert not self.due("yearly", "2025-04-01T00:00", **yearly)
        assert self.due("yearly", "2026-01-01T00:00", **yearly)
        january = {**yearly, "start": "2025-01-10T00:00", "created": "2025-01-20T00:00"}
        assert not self.due("yearly", "2025-01-25T00:00", **january)
        assert self.due("yearly", "2026-01-01T00:00", **january)

    def test_a_half_year_that_began_in_the_past_misses_its_own_first_month_alone(self):
        half = {"advance": True, "start": "2024-08-10T00:00", "created": "2024-09-01T00:00", **MONTHLY}
        assert not self.due("semiannual", "2024-10-01T00:00", **half)
        assert self.due("semiannual", "2025-01-01T00:00", **half)
        assert not self.due("semiannual", "2025-02-01T00:00", has_earlier_fee=True, **half)
        assert self.due("semiannual", "2025-07-01T00:00", has_earlier_fee=True, **half)

    def test_a_year_in_arrears_is_billed_in_its_first_month_or_at_its_end(self):
        assert not self.due("yearly", "2025-04-01T00:00", **MONTHLY)
        assert self.due("yearly", "2026-01-01T00:00", **MONTHLY)
        assert self.due("yearly", "2025-04-05T00:00", ended=at("2025-04-05T00:00"), **MONTHLY)

    def test_in_a_trial_only_on_the_day_of_its_end(self):
        trial = {"advance": True, "trial_end": at("2025-05-01T14:00"), "is_in_trial": True}
        assert not self.due("monthly", "2025-04-01T00:00", **trial)
        assert self.due("monthly", "2025-05-01T00:00", **trial)

    def test_in_advance_not_at_an_end(self):
        ended = at("2025-05-10T00:00")
        assert not self.due("monthly", "2025-05-10T00:00", advance=True, ended=ended)
        assert self.due("monthly", "2025-05-10T00:00", ended=ended)

    def test_nothing_is_an_amount(self):
        of = schedule("2025-03-10T00:00")
        assert fee(of, Life(started_at=of.subscription_at), "2025-04-01T00:00", 0) == 0


class TestAmounts:
    """§4.4 and §4.5: of a month at 31.00, or 30.00 in one of 30 days."""

    def test_an_end_after_an_upgrade_counts_a_day_less(self):
        of = schedule(LONG_AGO)
        ended = at("2025-07-11T10:00")
        for is_upgraded, cents in ((False, 1100), (True, 1000)):
            life = Life(started_at=at(LONG_AGO), terminated_at=ended, has_successor=is_upgraded)
            found = compute_boundaries(of, life, at=ended, current=is_upgraded)
            assert fee(of, life, "2025-07-11T10:00", 3100, boundaries=found, has_earlier_fee=True) == cents

    def test_an_upgrade_on_the_first_day_leaves_nothing_to_the_old_plan(self):
        of, ended = schedule(LONG_AGO), at("2025-07-01T10:00")
        life = Life(started_at=at(LONG_AGO), terminated_at=ended, has_successor=True)
        found = compute_boundaries(of, life, at=ended, current=True)
        assert fee(of, life, "2025-07-01T10:00", 3100, boundaries=found, has_earlier_fee=True) == 0

    @pytest.mark.parametrize("anniversary", [False, True])
    def test_the_first_after_an_upgrade_is_prorated_in_every_calendar(self, anniversary):
        """21 of 31 days, from 11 July on; anchored on the 1st."""
        of = schedule("2025-01-01T00:00", advance=True, anniversary=anniversary)
        life = Life(started_at=at("2025-07-11T10:00"))
        chain = {"has_predecessor": True, "is_first_after_upgrade": True, "is_starting_record": True}
        assert fee(of, life, "2025-07-11T10:00", 3100, **chain) == 2100
        later = {"has_predecessor": True, "has_earlier_fee": True}
        assert fee(of, life, "2025-08-01T00:00", 3100, **later) == 3100

    def test_a_downgrades_first_is_prorated_where_the_calendars_differ(self):
        """To a cheaper year on 1 August, in advance: 153 of 365 days of 365.00."""
        of = schedule("2025-01-01T00:00", "yearly", advance=True)
        life = Life(started_at=at("2025-08-01T00:00"))
        assert (
            fee(of, life, "2025-08-01T00:00", 36500, has_predecessor=True, is_starting_record=True) == 15300
        )

    @pytest.mark.parametrize(
        ("terms", "when", "more", "cents"),
        [
            ({"advance": True, "anniversary": True}, "2025-04-11T09:00", {}, 3000),  # (a)
            ({}, "2025-05-01T00:00", {"has_earlier_fee": True}, 3000),  # (b)
            ({"advance": True}, "2025-04-20T00:00", {"created_at": at("2025-04-20T00:00")}, 3000),  # (c)
            ({}, "2025-06-01T00:00", {"created_at": at("2025-05-20T00:00")}, 3100),  # (d)
            ({}, "2025-05-01T00:00", {"created_at": at("2025-04-20T00:00")}, 2000),  # not before the period
            ({}, "2025-05-01T00:00", {}, 2000),  # the first partial period
            ({"advance": True}, "2025-04-11T09:00", {}, 2000),
            ({"anniversary": True}, "2025-05-11T00:00", {}, 3000),  # whole, as it is
        ],
    )
    def test_in_full_or_by_the_day(self, terms, when, more, cents):
        """From 11 April 2025, 09:00, on; May has 31 days and is priced at 31.00."""
        of = schedule("2025-04-11T09:00", **terms)
        life = Life(started_at=of.subscription_at)
        amount = 3100 if when.startswith("2025-06") else 3000
        assert fee(of, life, when, amount, **more) == cents

    @pytest.mark.parametrize(
        ("trial_end", "cents"),
        [
            ("2025-08-16T14:00", 1600),  # the 16th to the 31st
            ("2025-08-31T23:59:59.5", 100),
            ("2025-09-01T00:00", 0),
            ("2025-08-01T00:00", 3100),
        ],
    )
    def test_a_trial_takes_off_the_days_before_its_end(self, trial_end, cents):
        """In arrears, in the middle of a long life, so that nothing else prorates it."""
        of = schedule(LONG_AGO)
        life = Life(started_at=at(LONG_AGO))
        more = {"trial_end": at(trial_end), "has_earlier_fee": True}
        assert fee(of, life, "2025-09-01T00:00", 3100, **more) == cents

    def test_an_end_within_a_trial_costs_nothing_and_after_it_the_days_since(self):
        of = schedule("2025-07-01T09:00")
        for ended, cents in (("2025-07-05T10:00", 0), ("2025-07-12T08:00", 200), ("2025-07-12T10:00", 300)):
            life = Life(started_at=of.subscription_at, terminated_at=at(ended))
            found = termination_boundaries(of, life, at=at(ended), is_billed=lambda _: True)
            more = {"trial_end": at("2025-07-10T09:00"), "boundaries": found}
            assert fee(of, life, ended, 3100, **more) == cents
