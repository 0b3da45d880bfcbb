"""What progressive invoices have billed already, taken off and spread over fees (invoicing §5.1, §17.5, §17.6)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.invoicing import (
    Billed,
    Coupon,
    InvoicedFee,
    ProgressiveInvoice,
    TaxRate,
    compute_invoice,
)

TWENTY = TaxRate(code="vat", name="VAT", description=None, rate=Fraction(20))


def fee(cents, *taxes, fee_type=FeeType.CHARGE):
    return InvoicedFee(
        fee=Fee(
            fee_type=fee_type,
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


def billed(available, *amounts, usage=None, charges=None):
    """What was billed, of fees at these (position, amount); the same fees are its usage here unless told otherwise."""
    known = frozenset(index for index, _ in amounts if index is not None)
    return Billed(
        available_cents=available,
        amounts=amounts,
        usage=known if usage is None else frozenset(usage),
        charges=known if charges is None else frozenset(charges),
    )


def shares(draft):
    return [line.precise_coupons_amount_cents for line in draft.fees]


class TestPeriod:
    """invoicing §17.5: usage of 5200, 11000 and 12500 at a tax of 20 %, and a base price of 3000."""

    def test_the_first_progressive_invoice(self):
        draft = compute_invoice([fee(5200, TWENTY)])
        assert (draft.taxes_amount_cents, draft.total_amount_cents) == (1040, 6240)

    def test_the_second_one(self):
        draft = compute_invoice([fee(11000, TWENTY)], billed=[billed(5200, (0, 5200))])
        assert draft.progressive_billing_credit_amount_cents == 5200
        assert draft.sub_total_excluding_taxes_amount_cents == 5800
        assert (draft.taxes_amount_cents, draft.total_amount_cents) == (1160, 6960)

    def test_the_invoice_of_the_period(self):
        base = fee(3000, TWENTY, fee_type=FeeType.SUBSCRIPTION)
        draft = compute_invoice([base, fee(12500, TWENTY)], billed=[billed(11000, (1, 11000))])
        assert draft.fees_amount_cents == 15500
        assert draft.sub_total_excluding_taxes_amount_cents == 4500
        assert (draft.taxes_amount_cents, draft.total_amount_cents) == (900, 5400)
        assert shares(draft) == [0, 11000]

    def test_more_was_billed_than_used(self):
        """invoicing §17.6: 8000 were billed of 7400; the note on the 600 is taken off after this."""
        base = fee(3000, TWENTY, fee_type=FeeType.SUBSCRIPTION)
        draft = compute_invoice([base, fee(7400, TWENTY)], billed=[billed(8000, (1, 8000))])
        (credit,) = draft.progressive_credits
        assert (credit.amount_cents, credit.excess_cents) == (7400, 600)
        assert (draft.fees_amount_cents, draft.sub_total_excluding_taxes_amount_cents) == (10400, 3000)
        assert draft.sub_total_including_taxes_amount_cents == 3600


class TestShares:
    def test_follow_what_was_billed_of_each(self):
        """A credit of 900 on fees of which 300 and 600 were billed."""
        draft = compute_invoice([fee(1000), fee(700)], billed=[billed(900, (0, 300), (1, 600))])
        assert shares(draft) == [300, 600]

    def test_of_a_discounted_invoice_are_smaller(self):
        """1000 were billed less a coupon of 100: 900 are credited, two thirds of them where 667 of 1000 were billed."""
        draft = compute_invoice([fee(700), fee(400)], billed=[billed(900, (0, 667), (1, 333))])
        assert shares(draft) == [Fraction("600.3"), Fraction("299.7")]

    def test_beyond_a_fee_go_to_the_others(self):
        """Of 900, 600 belong to a fee that is down to 400: the 200 too much are the other's, which has 700 left."""
        draft = compute_invoice([fee(1000), fee(400)], billed=[billed(900, (0, 300), (1, 600))])
        assert shares(draft) == [500, 400]

    def test_of_fees_that_are_gone_are_spread_by_what_is_left(self):
        """A fee of 300 is not there any more: its part of 300 falls on what 100 of 500 and 200 of 600 leave, 400 and 400."""
        draft = compute_invoice(
            [fee(500), fee(600)],
            billed=[billed(600, (0, 100), (1, 200), (None, 300))],
        )
        assert shares(draft) == [250, 350]

    def test_come_to_the_credit_to_the_last_hundred_thousandth(self):
        """A third each of 100: one of three gets the rest."""
        draft = compute_invoice([fee(50), fee(50), fee(50)], billed=[billed(100, (0, 1), (1, 1), (2, 1))])
        assert sorted(shares(draft)) == [Fraction("33.33333"), Fraction("33.33333"), Fraction("33.33334")]
        assert sum(shares(draft)) == 100

    def test_come_before_those_of_coupons(self):
        """Half of what is left: of 1000 less 600."""
        draft = compute_invoice([fee(1000)], [Coupon(rate=Fraction(50))], [billed(600, (0, 600))])
        assert (draft.coupons_amount_cents, draft.sub_total_excluding_taxes_amount_cents) == (200, 200)
        assert shares(draft) == [800]


amounts = st.lists(st.integers(0, 10**6), min_size=1, max_size=6)


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=6), st.integers(0, 10**7))
def test_shares_come_to_the_credit_and_to_no_more_than_any_fee(fees, were_billed, available):
    known = [(index if index < len(fees) else None, cents) for index, cents in enumerate(were_billed)]
    draft = compute_invoice(
        [fee(cents, TWENTY) for cents in fees], billed=[billed(available, *known, charges=range(len(fees)))]
    )
    (credit,) = draft.progressive_credits
    assert credit.amount_cents + credit.excess_cents == available
    assert credit.amount_cents == min(available, sum(fees[: len(were_billed)]))
    assert sum(shares(draft)) == credit.amount_cents == draft.progressive_billing_credit_amount_cents
    assert all(0 <= share <= cents for share, cents in zip(shares(draft), fees, strict=True))


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=6))
def test_progressive_invoices_and_the_periods_come_to_the_final_usage(usage):
    """invoicing §18.10, usage rising or falling: what is billed too much is in excess, and credited by a note."""
    covered, paid = 0, 0
    for used in usage:
        draft = compute_invoice([fee(used)], billed=[billed(covered, (0, max(covered, 1)))])
        (credit,) = draft.progressive_credits
        paid += draft.total_amount_cents - credit.excess_cents
        covered = used
    assert paid == usage[-1]


class TestCoverage:
    def test_the_latest_tells_of_all(self):
        first = ProgressiveInvoice(fees_amount_cents=5200)
        second = ProgressiveInvoice(fees_amount_cents=11000, credit_amount_cents=5200, before=first)
        assert (first.covered_cents, second.covered_cents) == (5200, 11000)

    def test_coupons_and_notes_are_no_payment(self):
        """10 % of each was a coupon's: 4680 were paid of 5200, then 5688 of the 6320 beyond; a note gave 88 back."""
        first = ProgressiveInvoice(fees_amount_cents=5200, coupons_amount_cents=520)
        second = ProgressiveInvoice(
            fees_amount_cents=11000,
            coupons_amount_cents=632,
            credit_amount_cents=4680,
            returned_cents=88,
            before=first,
        )
        assert second.covered_cents == 11000 - 632 - 88

    @pytest.mark.parametrize(
        ("first_voided", "second_voided", "covered"),
        [(False, False, 11000), (True, False, 5800), (False, True, 5200), (True, True, 0)],
    )
    def test_what_is_voided_covers_nothing_of_its_own(self, first_voided, second_voided, covered):
        first = ProgressiveInvoice(fees_amount_cents=5200, is_voided=first_voided)
        second = ProgressiveInvoice(
            fees_amount_cents=11000, credit_amount_cents=5200, is_voided=second_voided, before=first
        )
        assert second.covered_cents == covered
