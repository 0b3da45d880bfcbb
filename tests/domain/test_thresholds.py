"""Which thresholds a lifetime usage has passed, and how far it is to the next (pricing §14, invoicing §9)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.invoicing.thresholds import MOST_STEPS, Crossing, Threshold, completion, crossed


def marks(*fixed, recurring=None):
    found = [Threshold(amount_cents=cents) for cents in fixed]
    return found if recurring is None else [*found, Threshold(amount_cents=recurring, is_recurring=True)]


def levels(thresholds, done, total):
    return [crossing.level_cents for crossing in crossed(thresholds, done_cents=done, total_cents=total)]


class TestCrossed:
    @pytest.mark.parametrize(
        ("thresholds", "done", "total", "passed"),
        [
            pytest.param(marks(2000, 10000, recurring=5000), 0, 2500, [2000], id="17.12: the first"),
            pytest.param(
                marks(2000, 10000, recurring=5000), 2500, 15500, [10000, 15000], id="17.12: two at once"
            ),
            pytest.param(marks(2000, 10000, recurring=5000), 15500, 19500, [], id="17.12: below 20000"),
            pytest.param(marks(2000, 10000, recurring=5000), 15500, 20100, [20000], id="17.12: recurring"),
            pytest.param(marks(700, recurring=1000), 880, 1680, [], id="17.12: below 1700"),
            pytest.param(marks(700, recurring=1000), 880, 1700, [1700], id="17.12: at 1700"),
            pytest.param(marks(2000), 1999, 2000, [2000], id="to the cent"),
            pytest.param(marks(2000), 2000, 9999, [], id="once in a lifetime"),
            pytest.param(marks(2000, 3000), 0, 5000, [2000, 3000], id="several at once"),
            pytest.param(marks(2000, 3000), 2500, 2000, [], id="less than was billed"),
            pytest.param(marks(recurring=1000), 0, 999, [], id="recurring alone, below"),
            pytest.param(marks(recurring=1000), 0, 3500, [3000], id="recurring alone, three steps are one"),
            pytest.param(marks(recurring=1000), 3000, 3999, [], id="within a step"),
            pytest.param(marks(10000, recurring=5000), 4000, 14999, [10000], id="the step is not full"),
            pytest.param((), 0, 5000, [], id="no thresholds"),
        ],
    )
    def test_on_the_way_from_what_was_billed_to_the_total(self, thresholds, done, total, passed):
        assert levels(thresholds, done, total) == passed

    def test_a_threshold_is_above_zero(self):
        with pytest.raises(ValueError, match="above zero"):
            Threshold(amount_cents=0)


some_marks = st.builds(
    lambda fixed, recurring: marks(*fixed, recurring=recurring),
    st.lists(st.integers(1, 500), max_size=5, unique=True),
    st.none() | st.integers(1, 300),
)
way = st.lists(st.integers(0, 5000), min_size=1, max_size=12).map(sorted)


@given(some_marks, way)
def test_however_usage_grows_a_fixed_threshold_is_passed_once(thresholds, totals):
    """Where each crossing bills all that was used, every mark below the last total is passed, and none of them twice."""
    passed: list[Crossing] = []
    done = 0
    for total in totals:
        found = crossed(thresholds, done_cents=done, total_cents=total)
        passed += found
        done = total if found else done
    fixed = [crossing.level_cents for crossing in passed if not crossing.threshold.is_recurring]
    assert sorted(fixed) == sorted(
        mark.amount_cents for mark in thresholds if not mark.is_recurring and mark.amount_cents <= totals[-1]
    )
    recurring = [crossing.level_cents for crossing in passed if crossing.threshold.is_recurring]
    assert recurring == sorted(set(recurring))


@given(some_marks, st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_a_way_in_two_passes_what_the_whole_way_does(thresholds, a, b, c):
    start, middle, end = sorted((a, b, c))
    parts = {*levels(thresholds, start, middle), *levels(thresholds, middle, end)}
    assert bool(parts) == bool(levels(thresholds, start, end))
    assert max(parts, default=0) == max(levels(thresholds, start, end), default=0)


def shown(thresholds, total):
    return [(step.level_cents, step.completion) for step in completion(thresholds, total)]


class TestCompletion:
    def test_fixed_ones_then_the_recurring(self):
        """1000 is reached, 1500 of the way from 1000 to 4000 is half of it; what follows has not begun."""
        assert shown(marks(1000, 4000, 6000, recurring=500), 2500) == [
            (1000, 1),
            (4000, Fraction(1, 2)),
            (6000, 0),
            (6500, 0),
        ]

    def test_steps_of_the_recurring_one(self):
        """Above 1000: 1500, 2000 and 2500 are reached, and 100 of the 500 to 3000 are a fifth."""
        assert shown(marks(1000, recurring=500), 2600) == [
            (1000, 1),
            (1500, 1),
            (2000, 1),
            (2500, 1),
            (3000, Fraction(1, 5)),
        ]

    def test_without_a_recurring_one_there_is_an_end(self):
        assert shown(marks(1000), 2600) == [(1000, 1)]

    def test_of_a_million_steps_the_latest_are_told(self):
        steps = shown(marks(recurring=1), 1_000_000)
        assert (len(steps), steps[0], steps[-1]) == (MOST_STEPS + 1, (999_001, 1), (1_000_001, 0))

    @given(some_marks, st.integers(0, 5000))
    def test_is_reached_as_far_as_usage_is(self, thresholds, total):
        for step in completion(thresholds, total):
            assert step.is_reached == (step.level_cents <= total)
            assert 0 <= step.completion <= 1
