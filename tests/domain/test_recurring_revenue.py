"""A base price is spread over the months of its period (platform §12.5)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.exact import Fraction
from tallymark.domain.periods import TICK, Interval
from tallymark.domain.recurring_revenue import shares

LONG = (Interval.QUARTERLY, Interval.SEMIANNUAL, Interval.YEARLY)


def spread(interval, *, days, issued, in_advance, cents):
    found = shares(
        interval,
        in_advance=in_advance,
        length=timedelta(days=days) - TICK,
        issuing_date=date.fromisoformat(issued),
    )
    return {f"{month:%Y-%m}": share * cents for month, share in found.items()}


# 90 days but for the last minute are 129,599 minutes; a month of 30.44 days has 43,833.6.
THIRD = Fraction(438336, 1295990)


def test_a_month_counts_where_it_is_issued():
    found = spread(Interval.MONTHLY, days=31, issued="2026-02-01", in_advance=False, cents=4900)
    assert found == {"2026-02": 4900}


def test_in_arrears_it_counts_in_the_months_before():
    """2.96 months: two of 9000 x 43833.6 / 129599 = 3044.02 each, and 2911.95 that are left."""
    found = spread(Interval.QUARTERLY, days=90, issued="2026-04-01", in_advance=False, cents=9000)
    each = 9000 * THIRD
    assert found == {"2026-04": each, "2026-03": each, "2026-02": 9000 - 2 * each}
    assert [round(cents) for cents in found.values()] == [3044, 3044, 2912]


def test_in_advance_it_counts_in_the_months_to_come():
    """Issued on 11 April: 20 of 30 days of the first month's share, 2029.35."""
    found = spread(Interval.QUARTERLY, days=90, issued="2026-04-11", in_advance=True, cents=9000)
    each = 9000 * THIRD
    first = each * Fraction(20, 30)
    assert found == {"2026-04": first, "2026-05": each, "2026-06": 9000 - first - each}
    assert [round(cents) for cents in found.values()] == [2029, 3044, 3927]


def test_a_leap_year_reaches_into_a_thirteenth_month():
    """365 days, 23 hours and 59 minutes are 12.02 months of 30.44 days."""
    found = spread(Interval.YEARLY, days=366, issued="2024-01-01", in_advance=True, cents=1)
    assert len(found) == 13
    assert min(found) == "2024-01"
    assert max(found) == "2025-01"


def test_a_period_of_less_than_a_month_counts_in_one():
    for in_advance in (True, False):
        found = spread(Interval.YEARLY, days=20, issued="2026-01-20", in_advance=in_advance, cents=500)
        assert found == {"2026-01": 500}


@given(
    interval=st.sampled_from(LONG),
    days=st.integers(1, 400),
    issued=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    in_advance=st.booleans(),
)
def test_whatever_the_period_no_cent_is_lost(interval, days, issued, in_advance):
    length = timedelta(days=days) - TICK
    found = shares(interval, in_advance=in_advance, length=length, issuing_date=issued)
    assert sum(found.values()) == 1
    assert issued.replace(day=1) in found
