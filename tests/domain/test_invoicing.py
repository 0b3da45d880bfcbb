"""From fees to the total: taxes and sums, worked out by hand (pricing §2, invoicing §5, §17)."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.invoicing import Coupon, InvoicedFee, TaxRate, compute_invoice, resolve_taxes
from tallymark.domain.invoicing.compute import DoesNotAddUp, check


def tax(rate: str, code: str = "") -> TaxRate:
    return TaxRate(code=code or f"t{rate}", name=code, description=None, rate=Fraction(rate))


def line(cents: int, *taxes: TaxRate, coupons: str = "0") -> InvoicedFee:
    fee = Fee(
        fee_type=FeeType.CHARGE,
        units=Fraction(1),
        total_aggregated_units=Fraction(1),
        events_count=1,
        amount_cents=cents,
        precise_amount_cents=Fraction(cents),
        precise_unit_amount=Fraction(cents, 100),
        unit_amount_cents=cents,
    )
    return InvoicedFee(fee=fee, taxes=taxes, precise_coupons_amount_cents=Fraction(coupons))


def test_the_invoices_tax_is_not_the_sum_of_the_fees():
    """invoicing §17.2: three fees of 105 at 10 %: each 11, the invoice 32."""
    invoice = compute_invoice([line(105, tax("10"))] * 3)
    assert [fee.taxes_amount_cents for fee in invoice.fees] == [11, 11, 11]
    assert (invoice.taxes_amount_cents, invoice.total_amount_cents) == (32, 347)


def test_each_tax_is_shown_rounded_and_their_sum_is_rounded_once():
    """invoicing §17.3: 10.4 and 20.4 show 10 and 20, and are 31 together."""
    invoice = compute_invoice([line(104, tax("10")), line(102, tax("20"))])
    assert [(t.tax.rate, t.amount_cents, t.base_cents) for t in invoice.applied_taxes] == [
        (10, 10, 104),
        (20, 20, 102),
    ]
    assert invoice.taxes_amount_cents == 31
    assert invoice.taxes_rate == Fraction("14.95146")


def test_taxes_are_taken_of_what_coupons_leave():
    """invoicing §17.1: 20 % of 6220 is 1244; of the fees 882, 222, 140."""
    twenty = tax("20")
    draft = compute_invoice([line(cents, twenty) for cents in (4900, 1234, 777)], [Coupon(rate=Fraction(10))])
    shares = [fee.precise_coupons_amount_cents for fee in draft.fees]
    assert shares == [Fraction("489.92910"), Fraction("123.38214"), Fraction("77.68876")]
    assert [fee.taxes_amount_cents for fee in draft.fees] == [882, 222, 140]
    assert draft.applied_taxes[0].amount_cents == 1244


def test_two_taxes_of_a_fee_add_up_and_do_not_compound():
    invoice = compute_invoice([line(1000, tax("5"), tax("9.975"))])
    (fee,) = invoice.fees
    assert [t.amount_cents for t in fee.applied_taxes] == [50, 100]
    assert (fee.taxes_amount_cents, fee.taxes_rate) == (150, Fraction("14.975"))


def test_an_empty_invoice_is_zero():
    invoice = compute_invoice([])
    assert (invoice.fees_amount_cents, invoice.total_amount_cents, invoice.taxes_rate) == (0, 0, 0)


def test_a_zero_subtotal_weighs_rates_by_their_number_of_fees():
    invoice = compute_invoice([line(0, tax("20")), line(0, tax("20")), line(0)])
    assert invoice.taxes_rate == Fraction("13.33333")


def test_the_first_level_with_taxes_counts():
    own, plan, entity = (tax("1"),), (tax("2"),), (tax("3"),)
    assert resolve_taxes(own, plan, entity) == own
    assert resolve_taxes((), plan, entity) == plan
    assert resolve_taxes((), (), entity) == entity
    assert resolve_taxes((), ()) == ()


def test_an_invoice_that_does_not_add_up_is_not_made():
    good = compute_invoice([line(1000, tax("20"))])
    with pytest.raises(DoesNotAddUp, match="taxes"):
        check(replace(good, taxes_amount_cents=900))
    with pytest.raises(DoesNotAddUp, match="negative"):
        check(replace(good, coupons_amount_cents=5000))
    with pytest.raises(DoesNotAddUp, match="deductions"):
        check(replace(good, fees=(line(10, coupons="11"),)))
    with pytest.raises(DoesNotAddUp, match="deductions"):
        check(replace(good, coupons_amount_cents=1))


rates = st.sampled_from([tax("20"), tax("5.5"), tax("0"), tax("7.7"), tax("19.6")])
lines = st.lists(
    st.builds(
        lambda cents, taxes: line(cents, *taxes),
        st.integers(0, 10**9),
        st.lists(rates, max_size=3, unique=True),
    ),
    max_size=12,
)


@given(lines)
def test_totals_follow_from_their_parts(fees):
    """invoicing §18.1, §18.4: the checks inside hold for whatever fees."""
    invoice = compute_invoice(fees)
    assert invoice.fees_amount_cents == sum(fee.fee.amount_cents for fee in fees)
    assert invoice.total_amount_cents == invoice.fees_amount_cents + invoice.taxes_amount_cents


@given(lines, st.randoms())
def test_the_order_of_fees_does_not_matter(fees, chance):
    shuffled = list(fees)
    chance.shuffle(shuffled)
    first, second = compute_invoice(fees), compute_invoice(shuffled)
    assert (first.taxes_amount_cents, first.taxes_rate) == (second.taxes_amount_cents, second.taxes_rate)
