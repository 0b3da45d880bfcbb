"""Electronic documents add up by rate, whatever was rounded before (invoicing §15.1)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.einvoicing import TaxCategory, TaxedAmount, compute_tax_groups
from tallymark.domain.money import round_cents, round_half_away


def taxed(amount_cents, rate, discount="0"):
    return TaxedAmount(amount_cents=amount_cents, discount_cents=Fraction(discount), rate=Fraction(rate))


def rows(groups):
    return [
        (str(g.rate), g.category, g.lines_cents, g.allowance_cents, g.base_cents, g.tax_cents) for g in groups
    ]


def test_one_group_a_rate_the_highest_first():
    """333.33 less 120.5 cents at 19 %, 14.71 and 5.00 at 7 %, 2.00 at 0 %."""
    groups = compute_tax_groups(
        [taxed(1471, 7), taxed(33333, 19, "121"), taxed(200, 0), taxed(500, 7)],
        discount_cents=121,
        # 33212 × 19 % = 6310.28, 1971 × 7 % = 137.97: 6448.25 in all.
        taxes_cents=6448,
    )
    assert rows(groups) == [
        ("19", TaxCategory.STANDARD, 33333, 121, 33212, 6310),
        ("7", TaxCategory.STANDARD, 1971, 0, 1971, 138),
        ("0", TaxCategory.ZERO, 200, 0, 200, 0),
    ]


def test_the_cent_that_rates_miss_goes_to_the_highest():
    """Two groups of 0.5 cents of tax each round to 1: the document's tax is 1, so the 20 % group has none."""
    groups = compute_tax_groups(
        [taxed(5, 10), taxed(5, 10), taxed(5, 10), taxed(1, 50)], discount_cents=0, taxes_cents=2
    )
    # 15 × 10 % = 1.5 → 2 and 1 × 50 % = 0.5 → 1, together 3 where the document has round(2.0) = 2.
    assert [(str(g.rate), g.tax_cents) for g in groups] == [("50", 0), ("10", 2)]


def test_discounts_are_spread_in_whole_cents():
    """Half a cent each: the largest remainder, here the first, takes the cent."""
    groups = compute_tax_groups(
        [taxed(100, 20, "0.5"), taxed(100, 10, "0.5")], discount_cents=1, taxes_cents=30
    )
    assert [g.allowance_cents for g in groups] == [1, 0]
    assert [g.base_cents for g in groups] == [99, 100]


def test_what_is_outside_of_vat_has_a_category_of_its_own():
    (group,) = compute_tax_groups([taxed(1000, 0)], discount_cents=0, taxes_cents=0, is_outside=True)
    assert (group.category, group.tax_cents) == (TaxCategory.OUTSIDE, 0)


def test_discounts_that_no_fee_gave_are_refused():
    with pytest.raises(ValueError, match="not what the fees gave"):
        compute_tax_groups([taxed(100, 20)], discount_cents=50, taxes_cents=10)


@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.sampled_from([0, 5, 7, 19, 20]), st.integers(0, 100)),
        min_size=1,
        max_size=8,
    )
)
def test_groups_add_up_to_the_document(fees):
    """Shares of a whole discount, each rounded at five decimals as coupons' are, and taxes rounded once."""
    discount = sum(amount * share for amount, _, share in fees) // 100
    weights = sum(amount * share for amount, _, share in fees)
    shares = [
        round_half_away(Fraction(discount * amount * share, weights), 5) if weights else Fraction(0)
        for amount, _, share in fees
    ]
    amounts = [taxed(amount, rate, str(part)) for (amount, rate, _), part in zip(fees, shares, strict=True)]
    exact = sum(((a.amount_cents - a.discount_cents) * a.rate / 100 for a in amounts), Fraction(0))
    groups = compute_tax_groups(amounts, discount_cents=discount, taxes_cents=round_cents(exact))
    assert sum(g.allowance_cents for g in groups) == discount
    assert sum(g.tax_cents for g in groups) == round_cents(exact)
    assert sum(g.lines_cents for g in groups) == sum(amount for amount, _, _ in fees)
    for group in groups:
        assert abs(group.tax_cents - group.base_cents * group.rate / 100) <= len(groups)
