"""How entries of the journal look on the wire."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import Instant
from tallymark.domain.journal import Account
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Entry

WORDS = {
    DocumentType.INVOICE: "Invoice",
    DocumentType.CREDIT_NOTE: "Credit note",
    DocumentType.PAYMENT: "Payment",
    DocumentType.WALLET_TRANSACTION: "Credits",
}


class DocumentOutput(BaseModel):
    type: DocumentType
    lago_id: UUID
    number: str | None


class LineOutput(BaseModel):
    account: Account
    external_customer_id: str
    debit_cents: int
    credit_cents: int
    currency: str


class EntryOutput(BaseModel):
    lago_id: UUID
    sequence: int
    posted_at: Instant
    document: DocumentOutput
    description: str
    lines: list[LineOutput]

    @classmethod
    def of(cls, entry: Entry) -> EntryOutput:
        """Show an entry."""
        document = entry.document
        return cls(
            lago_id=entry.id,
            sequence=entry.sequence,
            posted_at=entry.posted_at,
            document=DocumentOutput(type=document.type, lago_id=document.id, number=document.number),
            description=describe(document, entry.cause),
            lines=[
                LineOutput(
                    account=line.account,
                    external_customer_id=entry.external_customer_id,
                    debit_cents=line.debit_cents,
                    credit_cents=line.credit_cents,
                    currency=document.currency,
                )
                for line in entry.lines
            ],
        )


def describe(document: Document, cause: Cause) -> str:
    """What happened, in a few words: "Invoice ACM-1234-001-002 issued"."""
    happened = "received" if cause is Cause.PAID else cause.replace("_", " ")
    words = (WORDS[document.type], document.number, happened)
    return " ".join(word for word in words if word)


class EntriesResponse(BaseModel):
    journal_entries: list[EntryOutput]
    meta: Meta
