"""Crossings of alerts: each value once, whichever way it goes (wallets §9, example 9, invariant 13)."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.alerts import MOST_STEPS, Direction, Threshold, crossed

UP, DOWN = Direction.INCREASING, Direction.DECREASING


def at(value, recurring=False):
    return Threshold(value=Fraction(value), code=f"c{value}", recurring=recurring)


def values(thresholds, direction, previous, current):
    found = crossed(thresholds, direction, previous=Fraction(previous), current=Fraction(current))
    return [one.value for one in found]


class TestExample9:
    @pytest.mark.parametrize(
        ("previous", "current", "expected"),
        [
            (800, 9500, [1000, 5000, 7000, 9000]),
            (9500, 9800, []),
            (9500, 11000, [11000]),
            (9000, 9100, []),
        ],
    )
    def test_increasing(self, previous, current, expected):
        assert values([at(1000), at(5000), at(2000, True)], UP, previous, current) == expected

    @pytest.mark.parametrize(
        ("previous", "current", "expected"),
        [(60, "4.5", [20, 50, 10]), ("4.5", -12, [-10, 0]), ("4.5", 60, [])],
    )
    def test_decreasing(self, previous, current, expected):
        assert values([at(50), at(20), at(10, True)], DOWN, previous, current) == expected


def test_only_a_recurring_threshold_counts_from_zero():
    assert values([at(10, True)], DOWN, 30, 5) == []
    assert values([at(10, True)], DOWN, 5, -20) == [-20, -10]
    assert values([at(10, True)], UP, 5, 20) == [10, 20]


def test_one_time_ones_come_first_and_steps_keep_the_code():
    found = crossed([at(2, True), at(3)], UP, previous=Fraction(0), current=Fraction(5))
    assert [(one.value, one.code, one.recurring) for one in found] == [(3, "c3", False), (5, "c2", True)]


def test_a_giant_leap_reports_the_steps_next_to_the_value():
    found = values([at("0.00001", True)], UP, 0, 10**12)
    assert (len(found), found[-1]) == (MOST_STEPS, 10**12)


amounts = st.integers(-300, 300).map(lambda number: Fraction(number, 4))
marks = st.lists(amounts, max_size=5, unique=True).map(lambda found: [at(value) for value in found])
steps = st.lists(st.integers(1, 40).map(lambda number: Fraction(number, 4)), max_size=1).map(
    lambda found: [at(value, True) for value in found]
)
directions = st.sampled_from(Direction)


@given(marks, steps, directions, st.lists(amounts, min_size=2, max_size=8))
def test_each_crossing_is_reported_once_however_the_way_is_cut(once, recurring, direction, way):
    """On a way in one direction all evaluations together report what one would."""
    path = sorted(way, reverse=direction is DOWN)
    thresholds = once + recurring
    parts = [value for a, b in pairwise(path) for value in values(thresholds, direction, a, b)]
    assert sorted(parts) == sorted(values(thresholds, direction, path[0], path[-1]))


@given(marks, steps, directions, amounts, amounts)
def test_evaluating_again_with_the_same_value_reports_nothing(once, recurring, direction, previous, current):
    assert values(once + recurring, direction, current, current) == []
    backwards = DOWN if direction is UP else UP
    if values(once + recurring, direction, previous, current):
        assert values(once + recurring, backwards, previous, current) == []


@given(marks, steps, amounts, amounts)
def test_decreasing_is_increasing_in_a_mirror(once, recurring, previous, current):
    mirrored = [at(-one.value) for one in once] + recurring
    found = [-value for value in values(mirrored, UP, -previous, -current)]
    assert sorted(found) == sorted(values(once + recurring, DOWN, previous, current))


@given(marks, steps, amounts, amounts)
def test_what_is_reported_lies_on_the_way_and_is_a_threshold(once, recurring, previous, current):
    found = crossed(once + recurring, UP, previous=previous, current=current)
    base = max((one.value for one in once), default=Fraction(0))
    for one in found:
        assert previous < one.value <= current
        if one.recurring:
            k = (one.value - base) / recurring[0].value
            assert k == int(k) >= 1
        else:
            assert one in once
