"""Units of recurring metrics by the days they were held (metering §5.5, pricing §9)."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.periods import Period, start_of_day
from tallymark.domain.usage import Operation, Proration, prorated_units, sum_changes, unique_changes

UTC_ZONE = ZoneInfo("UTC")


def month(year, number, *, days, tz=UTC_ZONE):
    """A full month."""
    after = date(year, number, 1) + timedelta(days=days)
    window = Period(start_of_day(date(year, number, 1), tz), start_of_day(after, tz))
    return Proration(window=window, tz=tz, full_days=days, carried_days=days)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def op(text, value, *, adds=True):
    return Operation(at=at(text), value=value, adds=adds)


MAY = month(2026, 5, days=31)


def test_a_recurring_sum_counts_each_value_from_its_day():
    """Metering §12, E5: 40 before; +12 on 10 May (22 days); -3 on 25 May (7 days)."""
    values = [(at("2026-05-10T12:00"), Fraction(12)), (at("2026-05-25"), Fraction(-3))]
    changes = sum_changes(Fraction(40), values, MAY)
    assert prorated_units(changes) == Fraction("47.83871")
    assert sum(units for units, _ in changes) == 49


def test_an_exact_ratio_is_not_rounded_up():
    """Metering §12, E6: 31 x 17/31 is 17, not 17.00001."""
    january = month(2026, 1, days=31)
    assert prorated_units(sum_changes(Fraction(0), [(at("2026-01-15"), Fraction(31))], january)) == 17


def test_april_of_the_pricing_page():
    """Pricing §17.6: 8 carried, +4 on 11 April, -2 on 21 April."""
    april = month(2026, 4, days=30)
    values = [(at("2026-04-11"), Fraction(4)), (at("2026-04-21"), Fraction(-2))]
    assert prorated_units(sum_changes(Fraction(8), values, april)) == 10


def test_a_unique_value_counts_for_the_days_it_was_there():
    """Metering §12, E4: 31 + 20 + 5 + (1 + 22) + 0 = 79 of 31 days; three are there at the end."""
    operations = [
        op("2026-02-01", "E"),
        op("2026-02-11", "E", adds=False),
        op("2026-03-03", "A"),
        op("2026-04-20", "C"),
        op("2026-05-05", "C", adds=False),
        op("2026-05-08T07:00", "D"),
        op("2026-05-08T09:00", "D", adds=False),
        op("2026-05-10", "D"),
        op("2026-05-12", "B"),
    ]
    changes = unique_changes(operations, MAY)
    assert prorated_units(changes) == Fraction("2.54839")
    assert sum(units for units, _ in changes) == 3


def test_a_value_back_on_the_day_it_left_never_left():
    """Metering §5.5: the removal is dropped, and the addition then changes nothing: 31 of 31 days."""
    operations = [
        op("2026-04-01", "A"),
        op("2026-05-10T08:00", "A", adds=False),
        op("2026-05-10T20:00", "A"),
    ]
    assert prorated_units(unique_changes(operations, MAY)) == 1


def test_days_are_those_of_the_zone():
    """23:30 UTC on 9 May is 10 May in Paris: 22 of 31 days, not 23."""
    paris = month(2026, 5, days=31, tz=ZoneInfo("Europe/Paris"))
    units = prorated_units(sum_changes(Fraction(0), [(at("2026-05-09T23:30"), Fraction(31))], paris))
    assert units == 22


@given(st.lists(st.tuples(st.integers(0, 59), st.sampled_from("abc"), st.booleans()), max_size=30))
def test_a_prorated_unique_count_lies_between_none_and_all_values(events):
    """Metering §13.8: never negative, and never more than the distinct values."""
    start = at("2026-04-01")
    operations = [Operation(at=start + timedelta(days=d), value=v, adds=a) for d, v, a in sorted(events)]
    assert 0 <= prorated_units(unique_changes(operations, MAY)) <= len({v for _, v, _ in events})
