"""An e-mail, from its note to what is handed over."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tallymark.jobs.activity import Doer
from tallymark.jobs.mail import MailKind, Recipients
from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_requests.model import RequestView
from tallymark.rooms.payments.model import ReceiptDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """What is to be sent; without recipients it goes to the document's own. `asked_by` is None where it goes by itself."""

    id: UUID
    kind: MailKind
    document_id: UUID
    status: str
    recipients: Recipients | None
    asked_by: Doer | None


Subject = InvoiceView | CreditNoteView | ReceiptDocument | RequestView
"""What an e-mail is about."""

Paper = InvoiceView | CreditNoteView | ReceiptDocument
"""A document with a file of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail with all that it says; `papers` are attached, or for a payment request linked to.

    `is_again` where somebody asked for it once more, and `asked_by` who.
    """

    email_id: UUID
    kind: MailKind
    document_id: UUID
    is_again: bool
    asked_by: Doer | None
    subject: Subject
    issuer: BillingEntity
    customer: Customer
    customer_entity: BillingEntity
    recipients: Recipients
    papers: tuple[Paper, ...]
    pay_url: str | None = None
    """Where what a payment request asks for is paid, if there is such a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Why an e-mail is not sent."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of an e-mail, and a link that leads to it."""

    name: str
    content: bytes
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is handed over: who hears from the server that it goes to whom, and the text with its heads."""

    recipients: tuple[str, ...]
    content: bytes
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An e-mail as its recipients read it."""

    sender: str
    subject: str
    language: str
    text: str
    html: str


class NotTaken(Exception):
    """The server has not taken an e-mail: it may be sent again."""


class MaybeTaken(Exception):
    """The server may have taken an e-mail: it must not be sent again."""
