"""What an entry of the journal is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from tallymark.domain.journal import Account, Line, Lines
from tallymark.domain.values import value


class DocumentType(StrEnum):
    """What causes entries."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    WALLET_TRANSACTION = "wallet_transaction"


class Cause(StrEnum):
    """What happened to the document."""

    ISSUED = "issued"
    PAID = "paid"
    SETTLED = "settled"
    REFUNDED = "refunded"
    REFUND_RETURNED = "refund_returned"
    DISPUTE_LOST = "dispute_lost"
    VOIDED = "voided"


@value
class Document:
    """What an entry stands on, and whose it is."""

    type: DocumentType
    id: UUID
    number: str | None
    customer_id: UUID
    currency: str


@value
class Posting:
    """An entry to be: what happened to a document, and the lines that it means."""

    document: Document
    cause: Cause
    lines: Lines


@value
class Entry:
    """An entry as it stands in the journal."""

    id: UUID
    sequence: int
    posted_at: datetime
    document: Document
    cause: Cause
    external_customer_id: str
    lines: Sequence[Line]


class LineKey(NamedTuple):
    """Which line of which entry; the first is 0."""

    entry_id: UUID
    position: int


@value
class Filters:
    """Which entries a list shows; None means any. Instants are inclusive; entries are shown whole."""

    posted_from: datetime | None = None
    posted_to: datetime | None = None
    accounts: frozenset[Account] | None = None
    currency: str | None = None
    external_customer_id: str | None = None
    document_type: DocumentType | None = None
    document_id: UUID | None = None
