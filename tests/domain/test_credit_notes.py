"""What a credit note comes to (invoicing §11.3-11.6, §17.8, §18.8-9; subscriptions §4.6, §7)."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallymark.domain.invoicing import TaxRate
from tallymark.domain.invoicing.credit_notes import deduct_balances
from tallymark.domain.invoicing.creditable import CreditableFee, CreditableInvoice, Given, Parts
from tallymark.domain.invoicing.notes import (
    compute_note,
    estimate,
    fit_parts,
    item_problems,
    largest_items,
    part_problems,
    share_items,
    with_total,
)
from tallymark.domain.invoicing.unused_time import Return, UnusedTime, credit_unused_time
from tallymark.domain.money import round_cents


def tax(rate, code="vat"):
    return TaxRate(code=code, name=code, description=None, rate=Fraction(rate))


def fee(amount, *rates, coupons=0, **more):
    taxes = tuple(tax(rate, f"tax_{rate}") for rate in rates)
    return CreditableFee(amount_cents=amount, coupons_cents=Fraction(coupons), taxes=taxes, **more)


def invoice(*fees, **more):
    """An invoice of these fees, its totals by the rules of invoicing §5.4."""
    net = sum((one.amount_cents - one.coupons_cents for one in fees), Fraction(0))
    taxes = sum(((one.amount_cents - one.coupons_cents) * one.tax_rate / 100 for one in fees), Fraction(0))
    sub_total, taxes_cents = round_cents(net), round_cents(taxes)
    values = {
        "sub_total_cents": sub_total,
        "taxes_cents": taxes_cents,
        "total_cents": sub_total + taxes_cents,
    }
    return CreditableInvoice(fees=tuple(fees), **{**values, **more})


def after(of, amounts, parts):
    """The invoice once a note was made of it."""
    fees = list(of.fees)
    for position, item in amounts.items:
        one = fees[position]
        fees[position] = CreditableFee(
            amount_cents=one.amount_cents,
            coupons_cents=one.coupons_cents,
            taxes=one.taxes,
            credited_cents=one.credited_cents + round_cents(item),
            precise_credited_cents=one.precise_credited_cents + item,
        )
    before = of.given
    return CreditableInvoice(
        fees=tuple(fees),
        sub_total_cents=of.sub_total_cents,
        taxes_cents=of.taxes_cents,
        total_cents=of.total_cents,
        paid_cents=of.paid_cents,
        is_paid=of.is_paid,
        given=Given(
            sub_total_cents=before.sub_total_cents + amounts.sub_total_cents,
            taxes_cents=before.taxes_cents + amounts.taxes_amount_cents,
            precise_taxes_cents=before.precise_taxes_cents + amounts.precise_taxes_cents,
            credit_cents=before.credit_cents + parts.credit_cents,
            refund_cents=before.refund_cents + parts.refund_cents,
            offset_cents=before.offset_cents + parts.offset_cents,
        ),
    )


class TestAmounts:
    def test_successive_notes_add_up(self):
        """A fee of 1000, coupon 333, 19 %: 264 and 530 are the invoice's 794, 42 and 85 its 127 (invoicing §17.8)."""
        first_of = invoice(fee(1000, 19, coupons=333))
        first = compute_note(first_of, [(0, Fraction(333))])
        assert first.coupons_adjustment_cents == Fraction("110.889")
        assert first.precise_taxes_cents == Fraction("42.20109")
        assert (first.sub_total_cents, first.taxes_amount_cents, first.total_cents) == (222, 42, 264)
        second = compute_note(after(first_of, first, Parts(credit_cents=264)), [(0, Fraction(667))])
        assert second.precise_taxes_cents == Fraction("84.73")
        assert (second.sub_total_cents, second.taxes_amount_cents, second.total_cents) == (445, 85, 530)

    def test_one_cent_moves_where_rounded_parts_miss_the_rounded_whole(self):
        """5 × 100 of five fees less 2.41 of coupons and 10 %: 497.59 + 49.76 = 547.34, but 498 + 50 = 548."""
        fees = [
            fee(amount, 10, coupons=Fraction(amount * 2000, 413_779)) for amount in (1_999, 299_770, 3_130)
        ]
        of = invoice(*fees, fee(305_878, 10, coupons=Fraction(305_878 * 2000, 413_779)))
        guess = estimate(of, [(0, Fraction(100)), (1, Fraction(100)), (2, Fraction(100)), (3, Fraction(200))])
        assert guess.amounts.sub_total_cents == 498
        assert (guess.taxes_amount_cents, guess.max_creditable_cents) == (49, 547)
        assert guess.amounts.taxes_rate == 10
        parts = fit_parts(of, guess.amounts, Parts(credit_cents=547))
        assert parts == Parts(credit_cents=548)

    def test_rates_are_weighted_by_their_bases(self):
        """100 at 10 % and 300 at 20 %: 10 × 1/4 + 20 × 3/4."""
        amounts = compute_note(invoice(fee(200, 10), fee(400, 20)), [(0, Fraction(100)), (1, Fraction(300))])
        assert amounts.taxes_rate == Fraction("17.5")
        assert [(one.base_amount_cents, one.amount_cents) for one in amounts.taxes] == [(100, 10), (300, 60)]

    @pytest.mark.parametrize(
        ("asked", "fitted"),
        [
            pytest.param(Parts(credit_cents=1, refund_cents=14), Parts(credit_cents=2, refund_cents=14), id="on the credit"),
            pytest.param(Parts(offset_cents=1, refund_cents=14), Parts(offset_cents=2, refund_cents=14), id="else on the offset"),
            pytest.param(Parts(refund_cents=15), Parts(refund_cents=16), id="else on the refund"),
            pytest.param(Parts(refund_cents=17), Parts(refund_cents=16), id="or off it"),
        ],
    )  # fmt: skip
    def test_the_cent_moves(self, asked, fitted):
        """10.6 + 5.6: rounded parts are 11 and 5 of taxes that are left, 16."""
        of = invoice(fee(100, 50), paid_cents=100, is_paid=True, total_cents=150)
        amounts = with_total(of, compute_note(of, [(0, Fraction(11))]), 16)
        assert fit_parts(of, amounts, asked) == fitted

    def test_a_refund_takes_no_cent_that_was_not_paid(self):
        of = invoice(fee(100, 50), paid_cents=15, is_paid=True)
        amounts = with_total(of, compute_note(of, [(0, Fraction(11))]), 16)
        assert fit_parts(of, amounts, Parts(refund_cents=15)) == Parts(refund_cents=15, credit_cents=1)

    def test_items_of_a_total_are_shares_of_every_fee(self):
        of = invoice(fee(100, 20), fee(300, 20))
        items = share_items(of, 240)
        assert items == ((0, Fraction(50)), (1, Fraction(150)))
        assert compute_note(of, items).total_cents == 240

    def test_an_excess_is_given_back_whole_though_a_part_of_the_fee_was_deducted(self):
        """5500 of a fee of 11000 were credited before: 1000 of the rest are an item of 2000, and 200 of taxes."""
        of = invoice(fee(11_000, 20, coupons=5500))
        items = largest_items(of, 1000)
        assert items == ((0, Fraction(2000)),)
        assert (compute_note(of, items).sub_total_cents, compute_note(of, items).total_cents) == (1000, 1200)

    def test_an_excess_is_taken_from_the_largest_fee_first(self):
        assert largest_items(invoice(fee(100), fee(300)), 350) == ((1, Fraction(300)), (0, Fraction(50)))


CASES = [
    pytest.param(Parts(credit_cents=118), {}, [("base", "does_not_match_item_amounts")], id="not what the items are"),
    pytest.param(Parts(refund_cents=120), {}, [("refund_amount_cents", "cannot_refund_unpaid_invoice")], id="nothing paid"),
    pytest.param(Parts(refund_cents=120), {"paid_cents": 1200},
                 [("refund_amount_cents", "cannot_refund_unpaid_invoice")], id="paid, and not known to be"),
    pytest.param(Parts(refund_cents=120), {"paid_cents": 119},
                 [("refund_amount_cents", "higher_than_remaining_invoice_amount")], id="more than was paid"),
    pytest.param(Parts(refund_cents=120), {"paid_cents": 120}, [], id="what was paid"),
    pytest.param(Parts(offset_cents=120), {"paid_cents": 1081},
                 [("offset_amount_cents", "higher_than_remaining_invoice_amount")], id="more than is due"),
    pytest.param(Parts(offset_cents=120), {"paid_cents": 1080}, [], id="what is due"),
    pytest.param(Parts(offset_cents=120), {"given": Given(offset_cents=1100)},
                 [("offset_amount_cents", "higher_than_remaining_invoice_amount"),
                  ("base", "higher_than_remaining_invoice_amount")], id="more than earlier offsets leave"),
    pytest.param(Parts(credit_cents=120), {"given": Given(credit_cents=1079)}, [], id="what is left"),
    pytest.param(Parts(credit_cents=120), {"given": Given(credit_cents=1082)},
                 [("credit_amount_cents", "higher_than_remaining_invoice_amount"),
                  ("base", "higher_than_remaining_invoice_amount")], id="more than is left"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "facts", "problems"), CASES)
def test_parts_are_held_against_what_is_left(parts, facts, problems):
    of = invoice(fee(1000, 20), **facts)
    assert list(part_problems(of, compute_note(of, [(0, Fraction(100))]), parts)) == problems


def test_nothing_is_no_note():
    of = invoice(fee(1000, 20))
    found = list(part_problems(of, compute_note(of, [(0, Fraction(0))]), Parts()))
    assert found == [("base", "total_amount_must_be_positive")]


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([-1], [(0, "invalid_value")]),
        ([601], [(0, "higher_than_remaining_fee_amount")]),
        ([600], []),
        ([300, 301], [(1, "higher_than_remaining_fee_amount")]),
    ],
)
def test_items_are_held_against_what_is_left_of_their_fees(items, found):
    of = invoice(fee(1000, 20, credited_cents=400))
    assert list(item_problems(of, [(0, Fraction(amount)) for amount in items])) == found


class TestTopUps:
    def test_a_paid_one_is_refunded_as_far_as_its_wallet_has_it(self):
        of = invoice(fee(1000), paid_cents=1000, is_paid=True, wallet_cents=400)
        guess = estimate(of, [(0, Fraction(400))])
        assert (guess.max_creditable_cents, guess.max_refundable_cents) == (0, 400)
        assert list(item_problems(of, [(0, Fraction(401))])) == [(0, "higher_than_wallet_balance")]
        found = list(part_problems(of, guess.amounts, Parts(credit_cents=400)))
        assert found == [("credit_amount_cents", "cannot_credit_invoice")]

    @pytest.mark.parametrize(
        ("paid", "offset", "code"), [(1, 1000, "cannot_apply_to_paid_invoice"), (0, 999, "not_equal_to_total_amount")]
    )  # fmt: skip
    def test_an_unpaid_one_is_offset_as_a_whole(self, paid, offset, code):
        of = invoice(fee(1000), paid_cents=paid, wallet_cents=0)
        amounts = compute_note(of, [(0, Fraction(offset))])
        assert ("offset_amount_cents", code) in list(part_problems(of, amounts, Parts(offset_cents=offset)))


FEES = st.lists(
    st.tuples(
        st.integers(1, 3_000),
        st.sampled_from([(), (20,), (10,), (Fraction("23.33"),), (20, 7), (0,), (50,)]),
        st.fractions(0, 1),
    ),
    min_size=1,
    max_size=4,
)


@given(fees=FEES, data=st.data())
def test_crediting_a_whole_invoice_in_any_split_adds_up(fees, data):
    """Totals taken from estimates sum to the invoice's, and so do the taxes (invoicing §18.9); no note is ever more."""
    made = [
        fee(amount, *rates, coupons=Fraction(int(amount * share * 10**5), 10**5))
        for amount, rates, share in fees
    ]
    net = sum((one.amount_cents - one.coupons_cents for one in made), Fraction(0))
    assume(round_cents(net) > 0)
    whole = of = invoice(*made)
    while of.leaves([]):
        open_fees = [position for position, one in enumerate(of.fees) if one.creditable_cents]
        position = data.draw(st.sampled_from(open_fees))
        left = of.fees[position].creditable_cents
        amount = data.draw(st.one_of(st.just(left), st.integers(1, left)) if left > 3 else st.just(left))
        guess = estimate(of, [(position, Fraction(amount))])
        asked = Parts(credit_cents=guess.max_creditable_cents)
        parts = fit_parts(of, guess.amounts, asked)
        if guess.amounts.total_cents:
            assert list(part_problems(of, guess.amounts, asked)) == []
        assert parts.total_cents == guess.amounts.total_cents
        assert parts.credit_cents >= 0
        of = after(of, guess.amounts, parts)
        assert of.given.total_cents <= whole.sub_total_cents + whole.taxes_cents
    assert of.given.total_cents == whole.sub_total_cents + whole.taxes_cents
    assert of.given.taxes_cents == whole.taxes_cents


@given(fees=FEES, asked=st.integers(1, 10**4), taken=st.integers(0, 500))
def test_a_voided_invoice_is_split_into_a_note_and_the_rest(fees, asked, taken):
    """The first is to the cent what was asked for; both together are what was left (invoicing §10.4)."""
    made = [fee(amount, *rates, coupons=int(amount * share)) for amount, rates, share in fees]
    of = invoice(*made)
    assume(of.left_cents > 0)
    first_items = largest_items(of, min(taken, of.leaves([]) - 1))
    if first_items:
        earlier = compute_note(of, first_items)
        of = after(of, earlier, Parts(credit_cents=earlier.total_cents))
    assume(of.left_cents > 0)
    total = min(asked, of.left_cents)
    first = with_total(of, compute_note(of, share_items(of, total)), total)
    assert first.total_cents == total
    assert min(first.sub_total_cents, first.taxes_amount_cents) >= 0
    rest = after(of, first, Parts(credit_cents=total))
    assert rest.left_cents == of.left_cents - total


def unused(**more):
    values = {
        "plan_amount_cents": 9300, "full_days": 31, "unused_days": 20, "used_days": 11, "fee_amount_cents": 9300,
        "credited": 0, "rate": 20, "paid_cents": 11160, "prepaid_cents": 0,
    }  # fmt: skip
    values |= more
    amount, rate = values["fee_amount_cents"], Fraction(values["rate"])
    credited = values["credited"]
    one = fee(amount, rate, credited_cents=credited, precise_credited_cents=Fraction(credited))
    inclusive = amount + round_cents(amount * rate / 100)
    paid = min(values["paid_cents"], inclusive - values["prepaid_cents"])
    of = invoice(
        one,
        paid_cents=paid,
        is_paid=paid + values["prepaid_cents"] == inclusive,
        total_cents=inclusive - values["prepaid_cents"],
        given=Given(sub_total_cents=credited, credit_cents=credited),
    )
    return UnusedTime(
        plan_amount_cents=values["plan_amount_cents"],
        full_days=values["full_days"],
        unused_days=values["unused_days"],
        used_days=values["used_days"],
        invoice=of,
        position=0,
        taxes_cents=amount * rate / 100,
        inclusive_cents=inclusive,
    )


def credited(facts, way):
    found = credit_unused_time(facts, way)
    assert found is not None
    return found


class TestUnusedTime:
    def test_a_refund_of_a_paid_invoice_is_the_whole_note(self):
        """11160 paid less 3960 used are 7200 (§6, example 5)."""
        _, parts = credited(unused(), Return.REFUND)
        assert parts == Parts(refund_cents=7200)

    def test_a_refund_of_a_partly_paid_invoice_is_what_was_not_used(self):
        """5000 paid less 3960 used are 1040; the other 6160 are credit (§6, example 5)."""
        _, parts = credited(unused(paid_cents=5000), Return.REFUND)
        assert parts == Parts(refund_cents=1040, credit_cents=6160)

    @pytest.mark.parametrize(("paid", "refund", "rest"), [(3720, 1320, 0), (3000, 600, 720), (1000, 0, 1320)])
    def test_the_worked_example(self, paid, refund, rest):
        """3100 a month in advance, 20 %, ended on 20 January (invoicing §17.7)."""
        facts = unused(
            plan_amount_cents=3100, fee_amount_cents=3100, unused_days=11, used_days=20, paid_cents=paid
        )
        assert credited(facts, Return.CREDIT)[1] == Parts(credit_cents=1320)
        assert credited(facts, Return.REFUND)[1] == Parts(refund_cents=refund, credit_cents=rest)
        assert credited(facts, Return.OFFSET)[1] == Parts(refund_cents=refund, offset_cents=rest)

    def test_an_offset_beyond_what_is_due_is_kept_as_credit(self):
        """All but 500 was paid by a wallet: 500 are due, the other 6700 of 7200 stay the customer's."""
        facts = unused(paid_cents=0, prepaid_cents=10660)
        assert credited(facts, Return.OFFSET)[1] == Parts(offset_cents=500, credit_cents=6700)

    def test_total_and_taxes_are_fitted_to_each_other(self):
        """19333.33 + 4833.33 would be 24167 in all, a cent more than its parts (invoicing §11.3)."""
        facts = unused(
            plan_amount_cents=20000,
            full_days=30,
            unused_days=29,
            used_days=1,
            fee_amount_cents=20000,
            rate=25,
        )
        amounts, parts = credited(facts, Return.CREDIT)
        assert (amounts.sub_total_cents, amounts.taxes_amount_cents, parts.total_cents) == (
            19333,
            4833,
            24166,
        )

    def test_what_was_given_back_is_not_given_back_again(self):
        assert credit_unused_time(unused(credited=6000), Return.CREDIT) is None

    @given(
        amount=st.integers(1, 10**7),
        length=st.integers(28, 31),
        data=st.data(),
        rate=st.fractions(0, 30, max_denominator=100),
        way=st.sampled_from(Return),
    )
    def test_a_note_never_gives_back_more_than_the_fee(self, amount, length, data, rate, way):
        """Credit before tax never exceeds the fee; parts add up; a refund is paid money, an offset due (§7.5, §7.12)."""
        days = data.draw(st.integers(0, length))
        prepaid = data.draw(st.integers(0, amount))
        facts = unused(
            plan_amount_cents=amount, full_days=length, unused_days=days, used_days=length - days,
            fee_amount_cents=amount, rate=rate, prepaid_cents=prepaid, paid_cents=data.draw(st.integers(0, amount)),
        )  # fmt: skip
        found = credit_unused_time(facts, way)
        if found is None:
            assert days == 0 or amount < length
            return
        amounts, parts = found
        assert amounts.sub_total_cents <= amount
        assert parts.total_cents == amounts.total_cents
        assert min(parts.credit_cents, parts.refund_cents, parts.offset_cents) >= 0
        assert parts.refund_cents <= facts.invoice.paid_cents
        assert parts.offset_cents <= max(facts.invoice.due_cents, 0)


@given(total=st.integers(0, 10**6), balances=st.lists(st.integers(1, 10**6)))
def test_deductions_take_the_oldest_first_and_never_more_than_is_due(total, balances):
    parts = deduct_balances(total, balances)
    assert sum(parts) == min(total, sum(balances))
    partial = [index for index, part in enumerate(parts) if part < balances[index]]
    assert all(parts[index] == 0 for index in partial[1:])
