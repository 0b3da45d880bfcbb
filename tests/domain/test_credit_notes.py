"""What a credit note for unused time comes to (subscriptions §4.6, §7; invoicing §11.3)."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.invoicing import TaxRate
from tallymark.domain.invoicing.credit_notes import UnusedTime, credit_unused_time, deduct_balances


def unused(**more):
    values = {
        "plan_amount_cents": 9300, "full_days": 31, "unused_days": 20, "used_days": 11, "fee_amount_cents": 9300,
        "fee_coupons_cents": Fraction(0), "fee_taxes_cents": Fraction(1860), "credited_cents": Fraction(0),
        "taxes": (TaxRate(code="vat", name="VAT", description=None, rate=Fraction(20)),),
        "paid_cents": 11160, "invoice_cents": 11160,
    }  # fmt: skip
    return UnusedTime(**{**values, **more})


def test_a_refund_of_a_paid_invoice_is_the_whole_note():
    """11160 paid less 3960 used are 7200 (§6, example 5)."""
    note = credit_unused_time(unused(), refunds=True)
    assert note is not None
    assert (note.refund_amount_cents, note.credit_amount_cents) == (7200, 0)


def test_a_refund_of_a_partly_paid_invoice_is_what_was_not_used():
    """5000 paid less 3960 used are 1040; the other 6160 are credit (§6, example 5)."""
    note = credit_unused_time(unused(paid_cents=5000), refunds=True)
    assert note is not None
    assert (note.refund_amount_cents, note.credit_amount_cents) == (1040, 6160)


def test_total_and_taxes_are_fitted_to_each_other():
    """19333.33 + 4833.33 would be 24167 in all, a cent more than its parts (invoicing §11.3)."""
    facts = unused(
        plan_amount_cents=20000, full_days=30, unused_days=29, used_days=1, fee_amount_cents=20000,
        taxes=(TaxRate(code="vat", name="VAT", description=None, rate=Fraction(25)),),
    )  # fmt: skip
    note = credit_unused_time(facts, refunds=False)
    assert note is not None
    assert (note.sub_total_cents, note.taxes_amount_cents, note.total_amount_cents) == (19333, 4833, 24166)


def test_what_was_given_back_is_not_given_back_again():
    assert credit_unused_time(unused(credited_cents=Fraction(6000)), refunds=False) is None


@given(
    amount=st.integers(1, 10**7),
    length=st.integers(28, 31),
    data=st.data(),
    rate=st.fractions(0, 30, max_denominator=100),
    refunds=st.booleans(),
)
def test_a_note_never_gives_back_more_than_the_fee(amount, length, data, rate, refunds):
    """Credit before tax never exceeds the fee; its parts add up; a refund never exceeds what was paid (§7.5, §7.12)."""
    days = data.draw(st.integers(0, length))
    paid = data.draw(st.integers(0, amount))
    facts = unused(
        plan_amount_cents=amount, full_days=length, unused_days=days, used_days=length - days,
        fee_amount_cents=amount, paid_cents=paid, fee_taxes_cents=amount * rate / 100,
        invoice_cents=amount, taxes=(TaxRate(code="t", name="t", description=None, rate=rate),),
    )  # fmt: skip
    note = credit_unused_time(facts, refunds=refunds)
    if note is None:
        assert days == 0
        return
    assert note.sub_total_cents <= amount
    assert (
        note.credit_amount_cents + note.refund_amount_cents == note.sub_total_cents + note.taxes_amount_cents
    )
    assert min(note.credit_amount_cents, note.refund_amount_cents) >= 0


@given(total=st.integers(0, 10**6), balances=st.lists(st.integers(1, 10**6)))
def test_deductions_take_the_oldest_first_and_never_more_than_is_due(total, balances):
    parts = deduct_balances(total, balances)
    assert sum(parts) == min(total, sum(balances))
    partial = [index for index, part in enumerate(parts) if part < balances[index]]
    assert all(parts[index] == 0 for index in partial[1:])
