"""What credit notes post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.journal.model import (
    EARNED,
    Account,
    Line,
    Lines,
    check,
    check_rounded,
    credit,
    debit,
    excess_cents,
)
from tallymark.domain.money import allocate, round_cents

ROUNDED_TOTALS = 4
"""Coupons, taxes and the note's total are rounded apart, and the total may be a cent off by request (invoicing §11.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedNote:
    """A credit note as it is made, in minor units; `item_cents` are the sums of its items by type of fee.

    `deducted_cents` is their share of what the invoice deducted before taxes: coupons of `invoice_coupons_cents` and
    progressive credits of `invoice_progressive_cents`. Credits that were bought and are paid for are `is_settled`.
    """

    item_cents: Mapping[FeeType, int]
    items_count: int
    deducted_cents: int = 0
    invoice_coupons_cents: int = 0
    invoice_progressive_cents: int = 0
    taxes_cents: int = 0
    credit_cents: int = 0
    refund_cents: int = 0
    offset_cents: int = 0
    is_settled: bool = False


def issue_note(note: IssuedNote) -> Lines:
    """Revenue and taxes are taken back; the customer has the credit, is owed the refund, and owes the offset no more."""
    lines: tuple[Line, ...] = ()
    for fee_type, account in EARNED.items():
        is_bought = fee_type is FeeType.CREDIT and note.is_settled
        lines += debit(Account.PREPAID_CREDITS if is_bought else account, note.item_cents.get(fee_type, 0))
    lines += debit(Account.TAX_PAYABLE, note.taxes_cents)
    coupons, progressive = _deducted(note)
    lines += credit(Account.DISCOUNTS, coupons) + credit(Account.REVENUE_USAGE, progressive)
    lines += credit(Account.CREDIT_NOTES_PAYABLE, note.credit_cents)
    lines += credit(Account.REFUNDS, note.refund_cents)
    lines += credit(Account.ACCOUNTS_RECEIVABLE, note.offset_cents)
    return check_rounded(lines, at_most_cents=note.items_count + ROUNDED_TOTALS)


def _deducted(note: IssuedNote) -> tuple[int, int]:
    """What of the deductions were coupons, and what progressive credits: as the invoice's were."""
    if not note.invoice_progressive_cents:
        return note.deducted_cents, 0
    sign = -1 if note.deducted_cents < 0 else 1
    coupons, progressive = allocate(
        abs(note.deducted_cents), [note.invoice_coupons_cents, note.invoice_progressive_cents]
    )
    return sign * coupons, sign * progressive


def void_note(booked_cents: Mapping[Account, int], *, balance_cents: int) -> Lines:
    """Take back what is left of a note's credit, and its part of all that the note took back.

    `booked_cents` is what the journal has of the note: debits less credits by account.
    """
    given = (
        Account.CREDIT_NOTES_PAYABLE,
        Account.REFUNDS,
        Account.ACCOUNTS_RECEIVABLE,
        Account.CUSTOMER_CASH,
    )
    whole = -sum(booked_cents.get(account, 0) for account in given)
    lines = debit(Account.CREDIT_NOTES_PAYABLE, balance_cents)
    for account, cents in sorted(booked_cents.items()):
        if account not in (*given, Account.ROUNDING):
            lines += credit(account, round_cents(Fraction(cents * balance_cents, whole)))
    return check((*lines, *credit(Account.ROUNDING, excess_cents(lines))))


def forgo_note(balance_cents: int) -> Lines:
    """The same for a note on an invoice that is void itself: there is no revenue left to take back."""
    lost = credit(Account.WRITE_OFFS, balance_cents)
    return check(debit(Account.CREDIT_NOTES_PAYABLE, balance_cents) + lost)


def pay_refund(cents: int) -> Lines:
    """A refund was paid out."""
    return check(debit(Account.REFUNDS, cents) + credit(Account.CUSTOMER_CASH, cents))


def return_refund(cents: int) -> Lines:
    """A refund came back after all: it is owed again."""
    return check(debit(Account.CUSTOMER_CASH, cents) + credit(Account.REFUNDS, cents))
