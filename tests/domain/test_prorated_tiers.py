"""Prorated units on graduated tiers (pricing §9)."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.money import currency
from tallymark.domain.rating import ChargeModel, Usage, parse_price
from tallymark.domain.rating.prorated_tiers import flat_amounts, walk

EUR = currency("EUR")


def price(*tiers):
    """(from, to, price, flat) rows."""
    names = ("from_value", "to_value", "per_unit_amount", "flat_amount")
    rows: Any = [dict(zip(names, tier, strict=True)) for tier in tiers]
    return parse_price(ChargeModel.GRADUATED, {"graduated_ranges": rows}, aggregation_type="sum_agg")


def amount(of, changes):
    units = sum((units * share for units, share in changes), Fraction(0))
    full = sum((units for units, _ in changes), Fraction(0))
    usage = Usage(units=units, full_units=full, events_count=len(changes), changes=changes)
    return of.rate(usage, EUR).amount


def days(units, left, of=30):
    return Fraction(units), Fraction(left, of)


THREE = price((0, 5, "10", "100"), (6, 15, "5", "50"), (16, None, "2", "0"))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, "114"),  # 2 x 21/30 x 10 + 100
        (2, "184"),  # 14 + 3 x 15/30 x 10 + 2 x 15/30 x 5 + 150
        (3, "165.6666"),  # the two of tier 2 and four of tier 1 leave on the 20th
    ],
)
def test_units_take_their_places_on_the_tiers_as_they_come(count, expected):
    """+2 on the 10th, +5 on the 16th, -6 on the 20th of a month of 30 days.

    After -6: 29 of tier 1 so far; tier 2 keeps 1 - 2 x 11/30 = 0.2667 units, 1.3333; four units of tier 1 give back
    4 x 11/30 x 10 = 14.6667: 15.6667, and 150 of flat amounts.
    """
    changes = [days(2, 21), days(5, 15), days(-6, 11)][:count]
    assert abs(amount(THREE, changes) - Fraction(expected)) < Fraction("0.001")


def test_carried_units_come_first_and_flat_amounts_follow_the_peak():
    """Pricing §17.6: 8 carried; +4 on 11 April, -2 on the 21st: 8x6 + 20/30 (2x6 + 2x4) - 10/30 (2x4); flats 2 + 1."""
    of = price((0, 10, "6", "2"), (11, None, "4", "1"))
    changes = [days(8, 30), days(4, 20), days(-2, 10)]
    assert walk(of.tiers, changes) == 48 + Fraction(20, 30) * 20 - Fraction(10, 30) * 8
    assert flat_amounts(of.tiers, changes) == 3
    assert amount(of, changes) == Fraction(185, 3)  # 61.67


def test_nothing_used_owes_the_first_flat_amount():
    assert amount(THREE, []) == 100


def test_a_negative_total_owes_nothing():
    assert amount(THREE, [days(-3, 30)]) == 0


def test_a_negative_sum_owes_the_flat_amounts_alone():
    """Ten units for a day, nine of them gone for twenty days before it in time: the walk gives less than nothing."""
    of = price((0, None, "10", "5"))
    assert amount(of, [days(1, 30), days(-9, 30), days(9, 1)]) == 5


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_units_that_stay_all_period_cost_what_they_cost_unprorated(additions):
    """Pricing §18.3: with every share 1 the walk is the plain graduated price."""
    changes = [(Fraction(units), Fraction(1)) for units in additions]
    plain = THREE.rate(Usage(units=Fraction(sum(additions)), events_count=len(additions)), EUR).amount
    assert amount(THREE, changes) == plain


@given(st.integers(1, 40), st.integers(1, 30))
def test_one_change_costs_its_share_of_the_units_and_all_of_the_flats(units, left):
    plain = THREE.rate(Usage(units=Fraction(units), events_count=1), EUR).amount
    change = days(units, left)
    flats = flat_amounts(THREE.tiers, [change])
    assert walk(THREE.tiers, [change]) == (plain - flats) * Fraction(left, 30)
