"""Fees of fixed charges and commitments (pricing §13, §15)."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.commitment import CommitmentFacts, compute_commitment_fee
from tallymark.domain.fees.fixed_charge import (
    FixedChargeFacts,
    FixedWindow,
    UnitChange,
    UnitEvent,
    compute_fixed_charge_fee,
    compute_unit_change_fee,
    units_in,
)
from tallymark.domain.money import currency
from tallymark.domain.periods import Period
from tallymark.domain.rating import ChargeModel, parse_price

EUR = currency("EUR")
APRIL = FixedWindow(
    period=Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
    tz=ZoneInfo("UTC"),
    full_days=30,
)
STANDARD = parse_price(ChargeModel.STANDARD, {"amount": "12.50"}, aggregation_type="sum_agg")
GRADUATED = parse_price(
    ChargeModel.GRADUATED,
    {
        "graduated_ranges": [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "6", "flat_amount": "2"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "4", "flat_amount": "1"},
        ]
    },
    aggregation_type="sum_agg",
)


def event(units, day, created=None):
    """Units from a day of April on (0: the day before); created in the order of the list unless told otherwise."""
    at = datetime(2026, 3, 31, tzinfo=UTC) if day == 0 else datetime(2026, 4, day, tzinfo=UTC)
    return UnitEvent(units=Fraction(units), effective_at=at, created_at=created or at)


def fee(price, events, *, is_prorated=False, window=APRIL, credited_cents=0):
    usage = units_in(events, window, is_prorated=is_prorated)
    facts = FixedChargeFacts(
        charge_model="m", properties={}, price=price, usage=usage, window={}, credited_cents=credited_cents
    )
    return compute_fixed_charge_fee(facts, EUR)


def test_the_last_units_noted_are_billed_whole():
    """§13.2, not prorated: 16 x 12.50."""
    found = fee(STANDARD, [event(10, 0), event(16, 16)])
    assert (found.units, found.amount_cents) == (16, 20000)


def test_prorated_units_count_by_the_day():
    """§17.9: ten units from the 1st, 16 from the 16th: 5 + 8 = 13 units; the fee shows 16."""
    found = fee(STANDARD, [event(10, 1), event(16, 16)], is_prorated=True)
    assert (found.units, found.amount_cents, found.precise_unit_amount) == (16, 16250, Fraction("162.5") / 16)


def test_of_earlier_periods_only_the_last_created_counts():
    """A later-created event reaches the period although one of an earlier creation takes effect after it."""
    events = [event(5, 0), event(7, 0)]
    assert fee(STANDARD, events).units == 7


def test_a_change_created_later_for_an_earlier_day_overtakes():
    """§13.2: 10 from the 1st; 20 from the 21st, created first; then 4 from the 11th: the 20 are dropped.

    10 x 10/30 = 3.333333 and 4 x 20/30 = 2.666667: 6 units.
    """
    found = fee(STANDARD, [event(10, 1), event(20, 21), event(4, 11)], is_prorated=True)
    assert (found.units, found.amount_cents) == (4, 7500)


def test_no_units_are_no_fee():
    assert fee(STANDARD, []).amount_cents == 0


def test_units_that_come_after_the_window_are_no_fee():
    """A subscription that ends in the instant in which it began: the units are there a moment later."""
    first = datetime(2026, 4, 1, tzinfo=UTC)
    window = FixedWindow(
        period=Period(first, first + timedelta(microseconds=1)), tz=ZoneInfo("UTC"), full_days=30
    )
    found = fee(STANDARD, [event(10, 16)], is_prorated=True, window=window)
    assert (found.units, found.amount_cents) == (0, 0)


def test_prorated_graduated_units_are_placed_whole_and_priced_by_their_share():
    """§13.2: 12 units from the 16th of 30 days: (10 x 6 + 2 x 4) x 6/12 + 2 + 1 = 37."""
    found = fee(GRADUATED, [event(12, 16)], is_prorated=True)
    assert (found.units, found.amount_cents, found.amount_details) == (12, 3700, {})


def test_what_an_earlier_plan_was_paid_is_taken_off_and_never_more():
    """§13.3."""
    assert fee(STANDARD, [event(1, 1)], credited_cents=250).amount_cents == 1000
    assert fee(STANDARD, [event(1, 1)], credited_cents=9999).amount_cents == 0


def change(price, units, billed, *, is_first=False, days=30):
    return compute_unit_change_fee(
        UnitChange(
            charge_model="m",
            properties={},
            price=price,
            units=Fraction(units),
            billed=Fraction(billed),
            is_first=is_first,
            days=days,
            full_days=30,
            window={},
        ),
        EUR,
    )


@pytest.mark.parametrize(
    ("units", "billed", "days", "expected"),
    [
        (16, 10, 15, (6, 3750)),  # §17.9
        (5, 10, 30, (0, 0)),  # never a refund
        (10, 10, 30, (0, 0)),
    ],
)
def test_added_units_are_billed_for_the_days_left(units, billed, days, expected):
    found = change(STANDARD, units, billed, days=days)
    assert (found.units, found.amount_cents) == expected


def test_added_units_are_priced_in_the_tiers_that_they_reach():
    """§13.3, mended: 12 units cost 60 + 8 + 3 = 71, ten cost 62: two more cost 9, flat amount of the second tier and all."""
    assert change(GRADUATED, 12, 10).amount_cents == 900
    assert change(GRADUATED, 12, 0, is_first=True).amount_cents == 7100


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_a_month_of_growing_units_costs_what_they_come_to(sizes):
    """The changes of one period add up to the price of the largest number of units reached, not prorated."""
    billed, total = 0, 0
    for units in sizes:
        found = change(GRADUATED, units, billed, is_first=total == 0)
        billed, total = billed + int(found.units), total + found.amount_cents
    assert billed == max(sizes)
    whole = change(GRADUATED, max(sizes), 0, is_first=True).amount_cents
    assert total == (whole if max(sizes) else 0)


def commitment(amount, days, of, spent):
    facts = CommitmentFacts(
        amount_cents=amount,
        days=days,
        full_days=of,
        spent_cents=spent,
        precise_spent_cents=Fraction(spent),
        window={},
    )
    return compute_commitment_fee(facts, EUR)


def test_a_commitment_is_prorated_and_filled_up():
    """§17.7: 500.00 for 17 of 30 days is 283.33; 213.40 spent: 69.93."""
    found = commitment(50000, 17, 30, 21340)
    assert found is not None
    assert (found.amount_cents, found.units) == (6993, 1)


@pytest.mark.parametrize("spent", [28333, 30000])
def test_a_commitment_that_is_reached_adds_nothing(spent):
    assert commitment(50000, 17, 30, spent) is None
