"""What invoices and their payments post."""

from __future__ import annotations

from collections.abc import Mapping

from tallymark.domain.fees.model import FeeType
from tallymark.domain.journal.model import (
    EARNED,
    Account,
    Line,
    Lines,
    check,
    credit,
    debit,
    excess_cents,
)
from tallymark.domain.values import value


@value
class IssuedInvoice:
    """An invoice as it is issued, in minor units; `fee_cents` are the sums of its fees by type."""

    fee_cents: Mapping[FeeType, int]
    progressive_credit_cents: int = 0
    coupons_cents: int = 0
    taxes_cents: int = 0
    credit_notes_cents: int = 0
    granted_cents: int = 0
    purchased_cents: int = 0
    total_cents: int


def issue_invoice(invoice: IssuedInvoice) -> Lines:
    """The customer owes the total, and what paid for the rest is used up; fees are earned, taxes are owed on.

    Usage that a progressive invoice billed before is on this one again in full, so that its revenue comes off here.
    """
    lines: tuple[Line, ...] = (
        *debit(Account.ACCOUNTS_RECEIVABLE, invoice.total_cents),
        *debit(Account.REVENUE_USAGE, invoice.progressive_credit_cents),
        *debit(Account.DISCOUNTS, invoice.coupons_cents),
        *debit(Account.CREDIT_NOTES_PAYABLE, invoice.credit_notes_cents),
        *debit(Account.PREPAID_CREDITS, invoice.purchased_cents),
        *debit(Account.GRANTED_CREDITS, invoice.granted_cents),
    )
    for fee_type, account in EARNED.items():
        lines += credit(account, invoice.fee_cents.get(fee_type, 0))
    return check(lines + credit(Account.TAX_PAYABLE, invoice.taxes_cents))


def pay_invoice(cents: int) -> Lines:
    """Money came in for an invoice."""
    return check(debit(Account.CUSTOMER_CASH, cents) + credit(Account.ACCOUNTS_RECEIVABLE, cents))


def lose_dispute(paid_cents: int) -> Lines:
    """The bank took back what was paid; what was not is due as before."""
    return check(debit(Account.WRITE_OFFS, paid_cents) + credit(Account.CUSTOMER_CASH, paid_cents))


REVERSED = (
    Account.REVENUE_SUBSCRIPTION,
    Account.REVENUE_USAGE,
    Account.REVENUE_FIXED_CHARGE,
    Account.REVENUE_ADD_ON,
    Account.REVENUE_COMMITMENT,
    Account.PREPAID_CREDITS_PENDING,
    Account.DISCOUNTS,
    Account.TAX_PAYABLE,
    Account.ROUNDING,
)
"""What an invoice that is void has no more of."""


@value
class VoidedInvoice:
    """An invoice that is void, in minor units.

    `booked_cents` is what the journal has of it, its notes and the purchase that it was for: debits less credits by
    account. `due_cents` is what was still owed, `credit_notes_cents` what notes on others paid of it. The rest is what went
    back to those notes and to wallets, and what of the grants that paid it goes back to none.
    """

    booked_cents: Mapping[Account, int]
    due_cents: int
    credit_notes_cents: int = 0
    returned_to_notes_cents: int = 0
    returned_to_wallets_cents: int = 0
    lost_grants_cents: int = 0
    is_dispute_lost: bool = False


def void_invoice(invoice: VoidedInvoice) -> Lines:
    """What is left of its revenue, discounts and taxes is taken back, nothing is due, and what it used up returns.

    Credits return as granted ones, whatever they were; grants that find no wallet any more were not spent after all. Money
    that came in for it is owed back, and so is what credits cost that were bought and find none; what its notes gave beyond
    the money that came in is lost. What notes on others paid of it and do not get back is won: nobody is given it.
    """
    lines: tuple[Line, ...] = ()
    for account in REVERSED:
        lines += credit(account, invoice.booked_cents.get(account, 0))
    lines += credit(Account.ACCOUNTS_RECEIVABLE, invoice.due_cents)
    lines += credit(Account.CREDIT_NOTES_PAYABLE, invoice.returned_to_notes_cents)
    lines += credit(Account.GRANTED_CREDITS, invoice.returned_to_wallets_cents)
    lines += credit(Account.GRANTED_CREDITS, max(min(invoice.lost_grants_cents, excess_cents(lines)), 0))
    excess = excess_cents(lines)
    forgone = max(min(invoice.credit_notes_cents - invoice.returned_to_notes_cents, excess), 0)
    owed = 0 if invoice.is_dispute_lost else max(excess - forgone, 0)
    return check(lines + credit(Account.REFUNDS, owed) + credit(Account.WRITE_OFFS, excess - owed))
