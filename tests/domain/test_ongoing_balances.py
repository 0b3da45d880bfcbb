"""What usage will take of wallets, and what fills them at their threshold (wallets §7, §8, examples 6-8, invariant 9)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.model import FeeType
from tallymark.domain.wallets import (
    Bucket,
    Limits,
    OngoingPurse,
    Purse,
    RuleTerms,
    allocate_ongoing,
    is_at_threshold,
    threshold_top_up,
)

API, STORAGE = (Bucket(FeeType.CHARGE, name) for name in ("api", "storage"))


def purse(balance, *metrics, has_rule=False, code="w"):
    own = Purse(
        code=code,
        balance_cents=balance,
        billable_metric_ids=frozenset(metrics),
        is_limited=bool(metrics),
    )
    return OngoingPurse(purse=own, has_threshold_rule=has_rule)


class TestExample8:
    @pytest.mark.parametrize(
        ("has_rule", "storage", "left"),
        [(False, 700, [0, 500]), (True, 700, [-800, 1300]), (False, -500, [0, 1700])],
    )
    def test_what_is_left(self, has_rule, storage, left):
        """The third: of a budget of 1300 the first pays 1000, the second 300."""
        wallets = [purse(1000, "api", has_rule=has_rule), purse(2000)]
        taken = allocate_ongoing({API: Fraction(1800), STORAGE: Fraction(storage)}, wallets)
        assert [wallet.purse.balance_cents - one for wallet, one in zip(wallets, taken, strict=True)] == left


def test_what_no_wallet_pays_is_left_out():
    assert allocate_ongoing({STORAGE: Fraction(700)}, [purse(1000, "api")]) == [0]


def test_only_the_wallet_that_is_named_pays():
    named = Bucket(FeeType.CHARGE, "api", "b")
    assert allocate_ongoing({named: Fraction(70)}, [purse(10, code="a"), purse(50, code="b")]) == [0, 70]


def test_what_was_billed_beyond_usage_takes_nothing():
    assert allocate_ongoing({API: Fraction(-30)}, [purse(1000)]) == [0]


nets = st.dictionaries(
    st.sampled_from([API, STORAGE, Bucket(FeeType.SUBSCRIPTION)]),
    st.integers(-3000, 5000).map(lambda cents: Fraction(cents, 2)),
)
purses = st.lists(
    st.builds(
        lambda balance, metrics, has_rule: purse(balance, *metrics, has_rule=has_rule),
        st.integers(0, 3000),
        st.sets(st.sampled_from(["api", "storage"]), max_size=1),
        st.booleans(),
    ),
    max_size=4,
)


@given(nets, purses)
def test_invariant_9_usage_never_adds_and_who_is_not_the_last_is_never_overdrawn(net, wallets):
    taken = allocate_ongoing(net, wallets)
    for index, (wallet, cents) in enumerate(zip(wallets, taken, strict=True)):
        assert cents >= 0
        is_last = any(
            wallet.purse.applies_to(bucket)
            and not any(later.purse.applies_to(bucket) for later in wallets[index + 1 :])
            for bucket in net
        )
        if not wallet.has_threshold_rule and not is_last:
            assert cents <= wallet.purse.balance_cents


@given(nets, st.integers(0, 3000))
def test_one_wallet_for_everything_bears_all_that_is_to_be_paid(net, balance):
    budget = max(sum(net.values(), Fraction(0)), Fraction(0))
    (taken,) = allocate_ongoing(net, [purse(balance)])
    assert abs(taken - budget) <= Fraction(1, 2)


def paid(terms, ongoing, pending=0, threshold=10, most=None, least=None):
    return threshold_top_up(
        terms,
        Fraction(ongoing),
        Limits(min_credits=least, max_credits=most),
        threshold=Fraction(threshold),
        pending=Fraction(pending),
    )


class TestExample6:
    RULE = RuleTerms(paid=Fraction(20), granted=Fraction(5))

    @pytest.mark.parametrize(
        ("ongoing", "pending", "most", "expected"),
        [(8, 0, None, 20), ("-37.5", 0, None, 60), ("-37.5", 0, 50, 50), ("-37.5", 20, None, 40)],
    )
    def test_a_fixed_rule_buys_as_often_as_it_takes(self, ongoing, pending, most, expected):
        made = paid(self.RULE, ongoing, pending, most=None if most is None else Fraction(most))
        assert (made.paid, made.granted) == (expected, 5)

    def test_limits_may_be_ignored(self):
        rule = RuleTerms(paid=Fraction(20), granted=Fraction(5), ignores_limits=True)
        assert paid(rule, "-37.5", most=Fraction(50)).paid == 60

    def test_one_that_only_gives_buys_nothing(self):
        made = paid(RuleTerms(granted=Fraction(5)), -100)
        assert (made.paid, made.granted) == (0, 5)


class TestExample7:
    def test_a_target_is_bought_at_least_at_the_minimum(self):
        rule = RuleTerms(target=Fraction(100))
        assert paid(rule, "12.5", threshold=20, least=Fraction(50)).paid == Fraction("87.5")
        assert paid(rule, 80, threshold=90, least=Fraction(50)).paid == 50

    def test_or_granted_exactly(self):
        rule = RuleTerms(target=Fraction(100), grants_target_top_up=True)
        made = paid(rule, 80, threshold=90, least=Fraction(50))
        assert (made.paid, made.granted) == (0, 20)


def test_at_the_threshold_unless_pending_purchases_suffice():
    assert is_at_threshold(Fraction(10), Fraction(10))
    assert not is_at_threshold(Fraction(10), Fraction("10.00001"))
    assert is_at_threshold(Fraction(10), Fraction(-10), Fraction(20))
    assert not is_at_threshold(Fraction(10), Fraction(-10), Fraction(21))


@given(
    st.integers(1, 50).map(Fraction),
    st.integers(0, 30).map(Fraction),
    st.integers(-400, 40).map(lambda number: Fraction(number, 4)),
    st.integers(0, 80).map(Fraction),
)
def test_a_fixed_rule_without_limits_gets_above_the_threshold(each, granted, ongoing, pending):
    threshold = Fraction(10)
    if is_at_threshold(threshold, ongoing, pending):
        made = paid(RuleTerms(paid=each, granted=granted), ongoing, pending)
        assert ongoing + pending + made.paid + made.granted > threshold
        assert made.paid % each == 0
