"""Accounts, and the lines of an entry: each debits or credits one account, and together they come to nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from tallymark.domain.fees.model import FeeType
from tallymark.domain.values import value


class Account(StrEnum):
    """What is counted. A name before a dot is the account that the one with it belongs to."""

    ACCOUNTS_RECEIVABLE = "accounts_receivable"
    REVENUE_SUBSCRIPTION = "revenue.subscription"
    REVENUE_USAGE = "revenue.usage"
    REVENUE_FIXED_CHARGE = "revenue.fixed_charge"
    REVENUE_ADD_ON = "revenue.add_on"
    REVENUE_COMMITMENT = "revenue.commitment"
    DISCOUNTS = "discounts"
    TAX_PAYABLE = "tax_payable"
    PREPAID_CREDITS = "prepaid_credits"
    PREPAID_CREDITS_PENDING = "prepaid_credits.pending"
    GRANTED_CREDITS = "granted_credits"
    CREDIT_NOTES_PAYABLE = "credit_notes_payable"
    CUSTOMER_CASH = "customer_cash"
    REFUNDS = "refunds"
    WRITE_OFFS = "write_offs"
    ROUNDING = "rounding"
    OPENING_BALANCES = "opening_balances"


EARNED: dict[FeeType, Account] = {
    FeeType.SUBSCRIPTION: Account.REVENUE_SUBSCRIPTION,
    FeeType.CHARGE: Account.REVENUE_USAGE,
    FeeType.FIXED_CHARGE: Account.REVENUE_FIXED_CHARGE,
    FeeType.ADD_ON: Account.REVENUE_ADD_ON,
    FeeType.COMMITMENT: Account.REVENUE_COMMITMENT,
    # Credits that are bought are no revenue before they are spent.
    FeeType.CREDIT: Account.PREPAID_CREDITS_PENDING,
}
"""Which account a fee's amount goes to."""


@value
class Line:
    """One account debited or credited, in minor units: never both, never nothing."""

    account: Account
    debit_cents: int = 0
    credit_cents: int = 0

    def __post_init__(self) -> None:
        if min(self.debit_cents, self.credit_cents) != 0 or max(self.debit_cents, self.credit_cents) <= 0:
            raise ValueError(f"a line debits or credits: {self}")


Lines = tuple[Line, ...]
"""The lines of one entry, debits first; none where there is nothing to post."""


class Unbalanced(AssertionError):
    """Debits are not credits, or differ by more than rounding can explain: such an entry must not be posted."""


def debit(account: Account, cents: int) -> Lines:
    """Debit an account; a negative amount credits it, and nothing makes no line.

    >>> [line.credit_cents for line in debit(Account.ROUNDING, -1)]
    [1]
    """
    if cents == 0:
        return ()
    line = (
        Line(account=account, debit_cents=cents) if cents > 0 else Line(account=account, credit_cents=-cents)
    )
    return (line,)


def credit(account: Account, cents: int) -> Lines:
    """Credit an account; a negative amount debits it, and nothing makes no line."""
    return debit(account, -cents)


def excess_cents(lines: Iterable[Line]) -> int:
    """By how much debits exceed credits."""
    return sum(line.debit_cents - line.credit_cents for line in lines)


def check(lines: Lines) -> Lines:
    """Return lines that balance, debits first. Raises `Unbalanced`."""
    excess = excess_cents(lines)
    if excess:
        raise Unbalanced(f"debits exceed credits by {excess}: {lines}")
    return tuple(sorted(lines, key=lambda line: line.debit_cents == 0))


def check_rounded(lines: Lines, *, at_most_cents: int) -> Lines:
    """The same for lines of amounts that were rounded apart: what they miss each other by is a line of its own.

    Raises `Unbalanced` where that is more than rounding can explain.
    """
    excess = excess_cents(lines)
    if abs(excess) > at_most_cents:
        raise Unbalanced(
            f"debits exceed credits by {excess}, and rounding by {at_most_cents} at the most: {lines}"
        )
    return check((*lines, *credit(Account.ROUNDING, excess)))
