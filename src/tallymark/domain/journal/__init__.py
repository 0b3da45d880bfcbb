"""What documents mean in double entry: values in, lines out (beyond.md §4, decision 6)."""

from tallymark.domain.journal.credit_notes import (
    IssuedNote,
    forgo_note,
    issue_note,
    pay_refund,
    return_refund,
    void_note,
)
from tallymark.domain.journal.credits import settle_purchase, take_over_credits, void_credits
from tallymark.domain.journal.invoices import (
    IssuedInvoice,
    VoidedInvoice,
    issue_invoice,
    lose_dispute,
    pay_invoice,
    void_invoice,
)
from tallymark.domain.journal.model import Account, Line, Lines, Unbalanced, check

__all__ = [
    "Account",
    "IssuedInvoice",
    "IssuedNote",
    "Line",
    "Lines",
    "Unbalanced",
    "VoidedInvoice",
    "check",
    "forgo_note",
    "issue_invoice",
    "issue_note",
    "lose_dispute",
    "pay_invoice",
    "pay_refund",
    "return_refund",
    "settle_purchase",
    "take_over_credits",
    "void_credits",
    "void_invoice",
    "void_note",
]
