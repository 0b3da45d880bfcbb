"""When customers are asked again for what is overdue (wallets §17, §22.10, §23.12)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.dunning import UNTOUCHED, Progress, Terms, attempt, next_attempt_at, paid

MONDAY = datetime(2026, 1, 5, 10, 45, 20, tzinfo=UTC)
TWICE = Terms(days_between_attempts=3, max_attempts=2, thresholds={"EUR": 10_000})


def made(terms, progress, overdue, now):
    """The attempt that is made."""
    found = attempt(terms, progress, overdue, now=now)
    assert found is not None
    return found


def asked(*currencies, last=MONDAY):
    return Progress(attempts=dict(Counter(currencies)), last_attempt_at=last)


class TestTheExample:
    """Wallets §22.10: 10000 of EUR, every 3 days, twice at the most."""

    def test_asks_first_where_the_balance_reaches_the_threshold(self):
        first = made(TWICE, UNTOUCHED, {"EUR": 10_000}, MONDAY)
        assert (first.currencies, first.progress, first.is_last) == (("EUR",), asked("EUR"), False)

    @pytest.mark.parametrize(
        ("now", "is_asked"),
        [
            pytest.param(datetime(2026, 1, 8, 10, 45, 20, tzinfo=UTC), False, id="three days later"),
            pytest.param(datetime(2026, 1, 8, 10, 45, 20, 1, tzinfo=UTC), True, id="the first instant after"),
        ],
    )
    def test_asks_again_after_its_days(self, now, is_asked):
        again = attempt(TWICE, asked("EUR"), {"EUR": 10_000}, now=now)
        assert (again is not None) == is_asked
        if again:
            assert (again.progress, again.is_last) == (asked("EUR", "EUR", last=now), True)
        assert next_attempt_at(TWICE, asked("EUR")) == datetime(2026, 1, 8, 10, 45, 20, 1, tzinfo=UTC)

    def test_asks_no_third_time(self):
        assert attempt(TWICE, asked("EUR", "EUR"), {"EUR": 90_000}, now=MONDAY + timedelta(days=30)) is None


@pytest.mark.parametrize(
    ("thresholds", "overdue", "currencies"),
    [
        pytest.param({"EUR": 10_000}, {"EUR": 9_999}, None, id="a cent too little"),
        pytest.param({"EUR": 0}, {"EUR": 1}, ("EUR",), id="whatever is overdue"),
        pytest.param({"EUR": 0}, {"EUR": 0}, None, id="nothing is overdue"),
        pytest.param({"EUR": 0}, {"USD": 500}, None, id="no threshold in its currency"),
        pytest.param({"USD": 100, "EUR": 100}, {"EUR": 100, "USD": 99}, ("EUR",), id="each by itself"),
        pytest.param({"USD": 100, "EUR": 100}, {"EUR": 100, "USD": 100}, ("EUR", "USD"), id="both"),
    ],
)
def test_the_currencies_whose_threshold_is_reached(thresholds, overdue, currencies):
    terms = Terms(days_between_attempts=1, max_attempts=1, thresholds=thresholds)
    found = attempt(terms, UNTOUCHED, overdue, now=MONDAY)
    assert (found and found.currencies) == currencies


def test_the_last_attempt_is_where_every_currency_has_come_to_its_end():
    terms = Terms(days_between_attempts=1, max_attempts=2, thresholds={"EUR": 1, "USD": 1})
    later = MONDAY + timedelta(days=2)
    both = {"EUR": 5, "USD": 5}
    assert not made(terms, asked("EUR"), both, later).is_last, "USD: one of two"
    assert made(terms, asked("EUR", "USD"), both, later).is_last
    only = made(terms, asked("EUR", "EUR", "USD"), both, later)
    assert (only.currencies, only.is_last) == (("USD",), True)
    cleared = Progress(attempts={"EUR": 0, "USD": 1}, last_attempt_at=MONDAY)
    assert not made(terms, cleared, {"USD": 5}, later).is_last, "EUR was paid and stands at none of two"


def test_more_attempts_than_a_campaign_allows_by_now_are_enough():
    once = Terms(days_between_attempts=3, max_attempts=1, thresholds={"EUR": 1})
    assert attempt(once, asked("EUR", "EUR"), {"EUR": 5}, now=MONDAY + timedelta(days=9)) is None


class TestPaid:
    def test_begins_anew_at_once_where_no_other_currency_was_asked_for(self):
        begun = paid(asked("EUR", "EUR"), "EUR")
        assert begun == Progress(attempts={"EUR": 0}, last_attempt_at=None)
        assert made(TWICE, begun, {"EUR": 10_000}, MONDAY).progress.attempts == {"EUR": 1}

    def test_waits_with_the_others(self):
        begun = paid(asked("EUR", "USD"), "EUR")
        assert begun == Progress(attempts={"EUR": 0, "USD": 1}, last_attempt_at=MONDAY)
        assert attempt(TWICE, begun, {"EUR": 10_000}, now=MONDAY + timedelta(days=3)) is None

    def test_in_a_currency_that_was_not_asked_for_changes_nothing(self):
        assert paid(asked("EUR"), "USD") == asked("EUR")


steps = st.tuples(
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.dictionaries(st.sampled_from(("EUR", "USD")), st.integers(0, 200)),
    st.sampled_from((None, None, None, "EUR", "USD")),
)
terms_ = st.builds(
    Terms,
    days_between_attempts=st.integers(1, 4),
    max_attempts=st.integers(1, 3),
    thresholds=st.dictionaries(st.sampled_from(("EUR", "USD")), st.integers(0, 150), min_size=1),
)


@given(terms_, st.lists(steps, max_size=25))
def test_nobody_is_asked_too_often_or_too_early(terms, moves):
    """Wallets §23.12, whatever is owed and paid meanwhile."""
    now, progress, last = MONDAY, UNTOUCHED, None
    since_paid: Counter[str] = Counter()
    for pause, overdue, paid_currency in moves:
        now += pause
        if paid_currency is not None:
            progress = paid(progress, paid_currency)
            since_paid[paid_currency] = 0
            if not any(since_paid.values()):
                last = None
        found = attempt(terms, progress, overdue, now=now)
        if found is None:
            continue
        for currency in found.currencies:
            assert overdue[currency] >= terms.thresholds[currency]
            since_paid[currency] += 1
            assert since_paid[currency] <= terms.max_attempts
        assert last is None or now - last > timedelta(days=terms.days_between_attempts)
        progress, last = found.progress, now
