"""What documents post: every entry balances, and each account ends where its law wants it (decision 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.model import FeeType
from tallymark.domain.journal import (
    Account,
    IssuedInvoice,
    IssuedNote,
    Line,
    Unbalanced,
    VoidedInvoice,
    check,
    forgo_note,
    issue_invoice,
    issue_note,
    lose_dispute,
    pay_invoice,
    pay_refund,
    return_refund,
    settle_purchase,
    void_credits,
    void_invoice,
    void_note,
)

CENTS = st.integers(min_value=0, max_value=10**12)


def nets(*entries):
    """Debits less credits by account, of accounts that are not even."""
    found: dict[Account, int] = {}
    for lines in entries:
        for line in lines:
            found[line.account] = found.get(line.account, 0) + line.debit_cents - line.credit_cents
    return {account.value: cents for account, cents in found.items() if cents}


class TestAnInvoice:
    def test_of_the_full_pipeline(self):
        """invoicing §17.1: 6911 of fees, a coupon of 691, 1244 of taxes, a note of 1500, a wallet of 3000."""
        lines = issue_invoice(
            IssuedInvoice(
                fee_cents={FeeType.SUBSCRIPTION: 4900, FeeType.CHARGE: 2011},
                coupons_cents=691,
                taxes_cents=1244,
                credit_notes_cents=1500,
                purchased_cents=2000,
                granted_cents=1000,
                total_cents=2964,
            )
        )
        assert nets(lines) == {
            "accounts_receivable": 2964,
            "discounts": 691,
            "credit_notes_payable": 1500,
            "prepaid_credits": 2000,
            "granted_credits": 1000,
            "revenue.subscription": -4900,
            "revenue.usage": -2011,
            "tax_payable": -1244,
        }

    def test_that_bills_what_a_progressive_one_billed_earns_it_once(self):
        """invoicing §17.5: 5200, then 11000 less 5200, then 15500 less 11000, base price included; taxes left out."""
        bills = [
            issue_invoice(IssuedInvoice(fee_cents={FeeType.CHARGE: 5200}, total_cents=5200)),
            issue_invoice(
                IssuedInvoice(
                    fee_cents={FeeType.CHARGE: 11000}, progressive_credit_cents=5200, total_cents=5800
                )
            ),
            issue_invoice(
                IssuedInvoice(
                    fee_cents={FeeType.CHARGE: 12500, FeeType.SUBSCRIPTION: 3000},
                    progressive_credit_cents=11000,
                    total_cents=4500,
                )
            ),
        ]
        assert nets(*bills) == {
            "accounts_receivable": 15500,
            "revenue.usage": -12500,
            "revenue.subscription": -3000,
        }

    def test_over_nothing_posts_nothing(self):
        assert issue_invoice(IssuedInvoice(fee_cents={FeeType.SUBSCRIPTION: 0}, total_cents=0)) == ()

    def test_whose_total_does_not_follow_is_refused(self):
        with pytest.raises(Unbalanced):
            issue_invoice(IssuedInvoice(fee_cents={FeeType.CHARGE: 100}, total_cents=101))

    def test_for_credits_is_no_revenue_until_they_are_spent(self):
        bought = issue_invoice(IssuedInvoice(fee_cents={FeeType.CREDIT: 5000}, total_cents=5000))
        assert nets(bought) == {"accounts_receivable": 5000, "prepaid_credits.pending": -5000}
        assert nets(bought, pay_invoice(5000), settle_purchase(5000)) == {
            "customer_cash": 5000,
            "prepaid_credits": -5000,
        }

    def test_lost_to_a_dispute_loses_the_money_that_came_in(self):
        assert nets(pay_invoice(300), lose_dispute(300)) == {"accounts_receivable": -300, "write_offs": 300}


@st.composite
def issued(draw):
    """An invoice whose amounts follow from each other, whatever they are."""
    fees = draw(st.dictionaries(st.sampled_from(list(FeeType)), CENTS, min_size=1))
    left = sum(fees.values())
    progressive = draw(st.integers(0, left))
    coupons = draw(st.integers(0, left - progressive))
    taxes = draw(CENTS)
    left += taxes - progressive - coupons
    parts = []
    for _ in range(3):
        parts.append(draw(st.integers(0, left)))
        left -= parts[-1]
    notes, granted, purchased = parts
    return IssuedInvoice(
        fee_cents=fees,
        progressive_credit_cents=progressive,
        coupons_cents=coupons,
        taxes_cents=taxes,
        credit_notes_cents=notes,
        granted_cents=granted,
        purchased_cents=purchased,
        total_cents=left,
    )


class TestEveryInvoice:
    @given(issued())
    def test_is_receivable_by_its_total_and_has_no_empty_line(self, invoice):
        lines = issue_invoice(invoice)
        assert check(lines) == lines
        assert nets(lines).get("accounts_receivable", 0) == invoice.total_cents
        assert all((line.debit_cents > 0) != (line.credit_cents > 0) for line in lines)

    @given(issued(), st.data())
    def test_void_has_earned_nothing_and_owes_nobody_what_it_did_not_take(self, invoice, data):
        """Unpaid without notes: all that is left is what came of wallets, granted back whatever it was."""
        entry = issue_invoice(invoice)
        paid = data.draw(st.integers(0, invoice.total_cents))
        payment = pay_invoice(paid) if paid else ()
        void = void_invoice(
            VoidedInvoice(
                booked_cents={Account(name): cents for name, cents in nets(entry).items()},
                due_cents=invoice.total_cents - paid,
                returned_to_notes_cents=invoice.credit_notes_cents,
                returned_to_wallets_cents=invoice.granted_cents + invoice.purchased_cents,
            )
        )
        expected = {
            "prepaid_credits": invoice.purchased_cents,
            "granted_credits": -invoice.purchased_cents,
            "customer_cash": paid,
            "refunds": -paid,
        }
        assert nets(entry, payment, void) == {name: cents for name, cents in expected.items() if cents}


class TestANote:
    def test_takes_back_its_part_of_revenue_discount_and_tax(self):
        """invoicing §17.8, note 1: item 333 of a fee of 1000 with a coupon of 333 and 19 %: 222 + 42 = 264."""
        lines = issue_note(
            IssuedNote(
                item_cents={FeeType.CHARGE: 333},
                items_count=1,
                deducted_cents=111,
                invoice_coupons_cents=333,
                taxes_cents=42,
                credit_cents=264,
            )
        )
        assert nets(lines) == {
            "revenue.usage": 333,
            "tax_payable": 42,
            "discounts": -111,
            "credit_notes_payable": -264,
        }

    def test_with_all_three_parts(self):
        lines = issue_note(
            IssuedNote(
                item_cents={FeeType.SUBSCRIPTION: 1000},
                items_count=1,
                taxes_cents=200,
                credit_cents=500,
                refund_cents=400,
                offset_cents=300,
            )
        )
        assert nets(lines) == {
            "revenue.subscription": 1000,
            "tax_payable": 200,
            "credit_notes_payable": -500,
            "refunds": -400,
            "accounts_receivable": -300,
        }

    def test_a_cent_between_its_parts_and_its_total_is_rounding(self):
        lines = issue_note(
            IssuedNote(item_cents={FeeType.CHARGE: 333}, items_count=1, taxes_cents=64, credit_cents=396)
        )
        assert nets(lines)["rounding"] == -1

    def test_more_than_rounding_is_refused(self):
        with pytest.raises(Unbalanced, match="rounding by 5 at the most"):
            issue_note(IssuedNote(item_cents={FeeType.CHARGE: 100}, items_count=1, credit_cents=106))

    def test_on_a_progressive_credit_gives_usage_back_its_part(self):
        """Of 30 deducted, the invoice's coupons were a third and its progressive credits two thirds."""
        lines = issue_note(
            IssuedNote(
                item_cents={FeeType.CHARGE: 100},
                items_count=1,
                deducted_cents=30,
                invoice_coupons_cents=100,
                invoice_progressive_cents=200,
                credit_cents=70,
            )
        )
        assert nets(lines) == {"revenue.usage": 80, "discounts": -10, "credit_notes_payable": -70}

    def test_on_bought_credits_takes_the_liability_it_finds(self):
        unpaid = issue_note(IssuedNote(item_cents={FeeType.CREDIT: 500}, items_count=1, offset_cents=500))
        assert nets(unpaid) == {"prepaid_credits.pending": 500, "accounts_receivable": -500}
        paid = issue_note(
            IssuedNote(item_cents={FeeType.CREDIT: 200}, items_count=1, refund_cents=200, is_settled=True)
        )
        assert nets(paid) == {"prepaid_credits": 200, "refunds": -200}

    def test_void_when_nothing_of_it_was_used_never_was(self):
        note = IssuedNote(
            item_cents={FeeType.CHARGE: 333, FeeType.SUBSCRIPTION: 100},
            items_count=2,
            deducted_cents=111,
            invoice_coupons_cents=333,
            taxes_cents=61,
            credit_cents=383,
        )
        made = issue_note(note)
        booked = {Account(name): cents for name, cents in nets(made).items()}
        assert nets(made, void_note(booked, balance_cents=383)) == {}

    def test_void_in_part_takes_back_the_same_part_of_everything(self):
        """1000 + 20 %: of 1200 given 600 are left; half of the revenue and of the tax are earned again."""
        made = issue_note(
            IssuedNote(item_cents={FeeType.CHARGE: 1000}, items_count=1, taxes_cents=200, credit_cents=1200)
        )
        booked = {Account(name): cents for name, cents in nets(made).items()}
        assert nets(void_note(booked, balance_cents=600)) == {
            "credit_notes_payable": 600,
            "revenue.usage": -500,
            "tax_payable": -100,
        }

    @given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.data())
    def test_void_always_balances_and_leaves_no_credit(self, item, taxes, refund, data):
        whole = item + taxes
        refund = min(refund, whole - 1)
        made = issue_note(
            IssuedNote(
                item_cents={FeeType.CHARGE: item},
                items_count=1,
                taxes_cents=taxes,
                credit_cents=whole - refund,
                refund_cents=refund,
            )
        )
        paid_out = pay_refund(refund) if refund else ()
        balance = data.draw(st.integers(1, whole - refund))
        void = void_note({Account(n): c for n, c in nets(made, paid_out).items()}, balance_cents=balance)
        assert check(void) == void
        after = nets(made, paid_out, void)
        assert after.get("credit_notes_payable", 0) == balance - (whole - refund)
        assert abs(after.get("rounding", 0)) <= 1

    def test_a_refund_is_owed_until_it_is_paid_and_again_when_it_comes_back(self):
        assert nets(pay_refund(400)) == {"refunds": 400, "customer_cash": -400}
        assert nets(pay_refund(400), return_refund(400)) == {}


class TestAVoidInvoice:
    def test_whose_note_gave_credit_for_money_that_never_came_loses_it(self):
        """120 unpaid, 30 given as credit: the customer keeps 30 of an invoice that is no more."""
        bill = issue_invoice(IssuedInvoice(fee_cents={FeeType.CHARGE: 100}, taxes_cents=20, total_cents=120))
        note = issue_note(
            IssuedNote(item_cents={FeeType.CHARGE: 25}, items_count=1, taxes_cents=5, credit_cents=30)
        )
        booked = {Account(name): cents for name, cents in nets(bill, note).items()}
        void = void_invoice(VoidedInvoice(booked_cents=booked, due_cents=120))
        assert nets(bill, note, void) == {"credit_notes_payable": -30, "write_offs": 30}

    def test_leaves_its_notes_and_what_they_forgo_is_won(self):
        """120 paid, 30 of it given as credit, then void: 90 are owed back, and the 30 until they are dropped."""
        bill = issue_invoice(IssuedInvoice(fee_cents={FeeType.CHARGE: 100}, taxes_cents=20, total_cents=120))
        note = issue_note(
            IssuedNote(item_cents={FeeType.CHARGE: 25}, items_count=1, taxes_cents=5, credit_cents=30)
        )
        booked = {Account(name): cents for name, cents in nets(bill, pay_invoice(120), note).items()}
        void = void_invoice(VoidedInvoice(booked_cents=booked, due_cents=0))
        entries = [bill, pay_invoice(120), note, void]
        assert nets(*entries) == {"customer_cash": 120, "refunds": -90, "credit_notes_payable": -30}
        assert nets(*entries, forgo_note(30)) == {"customer_cash": 120, "refunds": -90, "write_offs": -30}

    def test_that_was_paid_and_refunded_by_a_note_owes_the_rest(self):
        bill = issue_invoice(IssuedInvoice(fee_cents={FeeType.CHARGE: 100}, taxes_cents=20, total_cents=120))
        note = issue_note(
            IssuedNote(item_cents={FeeType.CHARGE: 25}, items_count=1, taxes_cents=5, refund_cents=30)
        )
        booked = {Account(name): cents for name, cents in nets(bill, pay_invoice(120), note).items()}
        void = void_invoice(VoidedInvoice(booked_cents=booked, due_cents=0))
        assert nets(bill, pay_invoice(120), note, void) == {"customer_cash": 120, "refunds": -120}

    def test_by_a_note_gives_nobody_what_other_notes_paid_of_it(self):
        """300 of which a note on another paid 218 and money 82; void with a note of nothing: the 82 are owed back."""
        bill = issue_invoice(
            IssuedInvoice(fee_cents={FeeType.CHARGE: 300}, credit_notes_cents=218, total_cents=82)
        )
        booked = {Account(name): cents for name, cents in nets(bill, pay_invoice(82)).items()}
        void = void_invoice(VoidedInvoice(booked_cents=booked, due_cents=0, credit_notes_cents=218))
        assert nets(bill, pay_invoice(82), void) == {
            "credit_notes_payable": 218,
            "customer_cash": 82,
            "write_offs": -218,
            "refunds": -82,
        }

    def test_after_a_lost_dispute_owes_nothing_back(self):
        bill = issue_invoice(IssuedInvoice(fee_cents={FeeType.CHARGE: 100}, total_cents=100))
        entries = [bill, pay_invoice(100), lose_dispute(100)]
        booked = {Account(name): cents for name, cents in nets(*entries).items()}
        void = void_invoice(VoidedInvoice(booked_cents=booked, due_cents=0, is_dispute_lost=True))
        assert nets(*entries, void) == {}

    def test_for_credits_that_were_not_paid_never_was(self):
        bill = issue_invoice(IssuedInvoice(fee_cents={FeeType.CREDIT: 500}, total_cents=500))
        booked = {Account(name): cents for name, cents in nets(bill).items()}
        assert nets(bill, void_invoice(VoidedInvoice(booked_cents=booked, due_cents=500))) == {}


class TestCreditsOfAVoidInvoice:
    def test_whose_wallet_is_gone_are_owed_back_as_far_as_they_were_bought(self):
        """100 of which 60 were granted and 30 bought: nothing returns to a wallet that has ended."""
        bill = issue_invoice(
            IssuedInvoice(
                fee_cents={FeeType.CHARGE: 100}, granted_cents=60, purchased_cents=30, total_cents=10
            )
        )
        booked = {Account(name): cents for name, cents in nets(bill).items()}
        void = void_invoice(VoidedInvoice(booked_cents=booked, due_cents=10, lost_grants_cents=60))
        assert nets(bill, void) == {"prepaid_credits": 30, "refunds": -30}

    def test_some_of_whose_wallets_are_gone_owe_nothing_where_those_had_been_granted(self):
        """143 of which a wallet that has ended granted 100, and one that has 43 back as a grant had been paid for: no money is due."""
        bill = issue_invoice(
            IssuedInvoice(
                fee_cents={FeeType.CHARGE: 143}, granted_cents=100, purchased_cents=43, total_cents=0
            )
        )
        booked = {Account(name): cents for name, cents in nets(bill).items()}
        void = void_invoice(
            VoidedInvoice(
                booked_cents=booked, due_cents=0, returned_to_wallets_cents=43, lost_grants_cents=100
            )
        )
        assert nets(bill, void) == {"prepaid_credits": 43, "granted_credits": -43}


class TestCredits:
    def test_voided_for_nothing_are_owed_no_more(self):
        assert nets(void_credits(700)) == {"prepaid_credits": 700, "write_offs": -700}


class TestALine:
    @pytest.mark.parametrize(("debit", "credit"), [(0, 0), (1, 1), (-1, 0), (0, -1)])
    def test_is_on_one_side(self, debit, credit):
        with pytest.raises(ValueError, match="debits or credits"):
            Line(account=Account.ROUNDING, debit_cents=debit, credit_cents=credit)
