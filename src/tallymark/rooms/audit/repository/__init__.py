"""The statements of the audit."""

from tallymark.rooms.audit.repository.coupons import COUPONS
from tallymark.rooms.audit.repository.credit_notes import CREDIT_NOTES
from tallymark.rooms.audit.repository.fees import FEES
from tallymark.rooms.audit.repository.invoices import INVOICES
from tallymark.rooms.audit.repository.journal import JOURNAL
from tallymark.rooms.audit.repository.numbers import NUMBERS
from tallymark.rooms.audit.repository.payments import PAYMENTS
from tallymark.rooms.audit.repository.postings import POSTINGS
from tallymark.rooms.audit.repository.reading import breaches_of, explained_fees, explained_invoices
from tallymark.rooms.audit.repository.rollups import ROLLUPS
from tallymark.rooms.audit.repository.usage import USAGE
from tallymark.rooms.audit.repository.wallets import WALLETS

LAWS_IN_SQL = (
    *JOURNAL, *POSTINGS, *INVOICES, *FEES, *PAYMENTS, *CREDIT_NOTES, *COUPONS, *WALLETS, *NUMBERS, *USAGE, *ROLLUPS,
)  # fmt: skip
"""Every law that one statement holds, in the order in which they are read."""

__all__ = ["LAWS_IN_SQL", "breaches_of", "explained_fees", "explained_invoices"]
