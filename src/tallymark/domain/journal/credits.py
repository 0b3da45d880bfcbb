"""What prepaid credits post, apart from paying invoices. A grant is no money: it posts when it is spent."""

from __future__ import annotations

from tallymark.domain.journal.model import Account, Lines, check, credit, debit


def settle_purchase(cents: int) -> Lines:
    """Credits that were bought are there to be spent."""
    return check(debit(Account.PREPAID_CREDITS_PENDING, cents) + credit(Account.PREPAID_CREDITS, cents))


def take_over_credits(purchased_cents: int) -> Lines:
    """Credits that customers had bought elsewhere: they are owed here from now on, what was paid for them was booked there."""
    return check(
        debit(Account.OPENING_BALANCES, purchased_cents) + credit(Account.PREPAID_CREDITS, purchased_cents)
    )


def void_credits(purchased_cents: int) -> Lines:
    """Credits were voided and nothing given for them: what had been bought of them is owed no more."""
    return check(
        debit(Account.PREPAID_CREDITS, purchased_cents) + credit(Account.WRITE_OFFS, purchased_cents)
    )
