"""What coupons take off an invoice, and how it is spread over the fees (pricing §16.3)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.invoicing import Coupon, InvoicedFee, TaxRate, compute_invoice


def tax(rate):
    return TaxRate(code=rate, name=rate, description=None, rate=Fraction(rate))


def fee(cents, *taxes):
    return InvoicedFee(
        fee=Fee(
            fee_type=FeeType.CHARGE,
            units=Fraction(1),
            total_aggregated_units=Fraction(1),
            events_count=1,
            amount_cents=cents,
            precise_amount_cents=Fraction(cents),
            precise_unit_amount=Fraction(cents, 100),
            unit_amount_cents=cents,
        ),
        taxes=taxes,
    )


def fixed(cents, *covers):
    return Coupon(amount_cents=cents, covers=frozenset(covers) if covers else None)


def percent(rate, *covers):
    return Coupon(rate=Fraction(rate), covers=frozenset(covers) if covers else None)


def taken(cents, *coupons):
    """(credit of each coupon, share of each fee) of fees of these amounts."""
    draft = compute_invoice([fee(one) for one in cents], coupons)
    credits = [credit.amount_cents for credit in draft.coupon_credits]
    return credits, [line.precise_coupons_amount_cents for line in draft.fees]


def test_coupons_and_taxes_together():
    """pricing §17.11."""
    twenty, other = tax("20"), tax("5.5")
    draft = compute_invoice(
        [fee(5000, twenty), fee(2405, twenty), fee(1595, other)], [percent("12.5", 1), fixed(1500)]
    )
    assert [credit.amount_cents for credit in draft.coupon_credits] == [301, 1500]
    shares = [line.precise_coupons_amount_cents for line in draft.fees]
    assert shares == [Fraction("862.16807"), Fraction("663.80032"), Fraction("275.03161")]
    assert draft.sub_total_excluding_taxes_amount_cents == 7199
    assert [applied.amount_cents for applied in draft.applied_taxes] == [1176, 73]
    assert [line.taxes_amount_cents for line in draft.fees] == [828, 348, 73]
    assert (draft.taxes_amount_cents, draft.total_amount_cents) == (1248, 8447)


@pytest.mark.parametrize(
    ("coupons", "credits"),
    [
        ((fixed(400),), [400]),
        ((fixed(5000),), [1000]),  # no more than there is
        ((percent("150"),), [1000]),  # a rate has no upper bound, what it takes off has
        ((percent("0.05"),), [1]),  # 0.5 of a cent is rounded away from zero
        ((percent("0.04"),), [0]),  # and less than half to nothing: used all the same
        ((fixed(700), fixed(700)), [700, 300]),
        ((fixed(1000), fixed(1)), [1000]),  # nothing is left for the second
        ((fixed(500, 0), fixed(500)), [300, 500]),  # limited to the first fee, then all
        ((percent("50", 0), percent("50", 0)), [150, 75]),
    ],
)
def test_what_each_coupon_takes(coupons, credits):
    """Of fees of 3.00 and 7.00."""
    assert taken([300, 700], *coupons)[0] == credits


def test_a_fraction_of_a_cent_that_is_left_is_not_given():
    """A third of 1.00 on three fees leaves 66.66667 cents on each: a coupon for one of them gives 66, spread as 66."""
    credits, shares = taken([100, 100, 100], fixed(100), fixed(100, 0))
    assert credits == [100, 66]
    assert shares == [Fraction("99.33333"), Fraction("33.33333"), Fraction("33.33333")]


def test_a_rate_is_of_whole_cents():
    """67.33333 cents are left of the second fee: 0.745 % is of 67, which is 0.499 of a cent and nothing; of the rest it were 1."""
    credits, shares = taken([100, 100, 100], fixed(98), percent("0.745", 1))
    assert credits == [98, 0]
    assert shares[1] == Fraction("32.66667")


def test_nothing_is_taken_of_nothing():
    assert taken([0, 0], fixed(100), percent("10")) == ([], [0, 0])
    assert taken([], fixed(100)) == ([], [])


amounts = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)
some_coupons = st.lists(
    st.one_of(
        st.builds(lambda cents: fixed(cents), st.integers(1, 10**7)),
        st.builds(lambda rate: percent(rate), st.decimals("0.01", "120", places=2)),
        st.builds(lambda cents, index: fixed(cents, index), st.integers(1, 10**7), st.just(0)),
        st.builds(lambda rate: percent(rate, 0), st.decimals("0.01", "120", places=2)),
    ),
    max_size=5,
)


@given(amounts, some_coupons)
def test_shares_come_to_the_credits_and_never_to_more_than_the_fees(cents, coupons):
    credits, shares = taken(cents, *coupons)
    assert abs(sum(shares) - sum(credits)) <= Fraction(len(cents) * max(len(credits), 1), 100_000)
    assert all(0 <= share <= amount for share, amount in zip(shares, cents, strict=True))
    assert sum(credits) <= sum(cents)


@given(amounts, some_coupons, st.randoms(use_true_random=False))
def test_the_order_of_fees_does_not_matter(cents, coupons, random):
    unlimited = [Coupon(amount_cents=one.amount_cents, rate=one.rate) for one in coupons]
    shuffled = random.sample(cents, len(cents))
    assert taken(cents, *unlimited)[0] == taken(shuffled, *unlimited)[0]
