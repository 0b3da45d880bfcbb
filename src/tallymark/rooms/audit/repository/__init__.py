"""The statements of the audit."""

from tallymark.rooms.audit.repository.credits import CREDITS
from tallymark.rooms.audit.repository.documents import DOCUMENTS
from tallymark.rooms.audit.repository.invoices import INVOICES
from tallymark.rooms.audit.repository.journal import JOURNAL
from tallymark.rooms.audit.repository.reading import breaches_of, explained_fees, explained_invoices

LAWS_IN_SQL = (*JOURNAL, *INVOICES, *DOCUMENTS, *CREDITS)
"""Every law that one statement holds, in the order in which they are read."""

__all__ = ["LAWS_IN_SQL", "breaches_of", "explained_fees", "explained_invoices"]
