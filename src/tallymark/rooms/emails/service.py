"""Gather what an e-mail says, and ask for one again (wallets §19)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed, Problems
from tallymark.jobs import mail, outbox
from tallymark.jobs.mail import SWITCHES, MailKind, Recipients
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.dunning import service as dunning
from tallymark.rooms.emails import repository
from tallymark.rooms.emails.model import Email, Letter, Message, Paper, Skipped, Subject
from tallymark.rooms.invoices import printing
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payment_requests.model import NewRequest, RequestView
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import ReceiptDocument

PREVIEW_LENGTH = 500
"""How many characters of a text are logged."""

_SIGNATURE = re.compile(r"[?&]signature=\S+")
"""What opens a file without an API key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What an e-mail is about, whose it is, and its files; `own_address` is where it goes by itself, `bcc` who gets a copy then."""

    subject: Subject
    issuer: BillingEntity
    customer: Customer
    customer_entity: BillingEntity
    own_address: str | None
    papers: tuple[Paper, ...]
    is_empty: bool = False
    bcc: tuple[str, ...] = ()


async def find(tx: Tx, email_id: UUID) -> Email | None:
    """An e-mail by its id."""
    return await repository.find(tx, email_id)


async def gather(tx: Tx, email: Email, *, now: datetime) -> Letter | Skipped:
    """All that an e-mail says, or why it is not sent."""
    facts = await _facts(tx, email.kind, email.document_id, now=now)
    own = Recipients(to=addresses(facts.own_address), bcc=facts.bcc)
    recipients = email.recipients or own
    if not facts.issuer.email:
        return Skipped(reason="the billing entity has no e-mail address")
    if not recipients.to:
        return Skipped(reason="there is no recipient")
    if facts.is_empty and email.recipients is None:
        return Skipped(reason="there is nothing on the invoice")
    return Letter(
        email_id=email.id,
        kind=email.kind,
        document_id=email.document_id,
        is_again=email.recipients is not None,
        asked_by=email.asked_by,
        subject=facts.subject,
        issuer=facts.issuer,
        customer=facts.customer,
        customer_entity=facts.customer_entity,
        recipients=recipients,
        papers=facts.papers,
    )


async def gather_preview(
    tx: Tx, kind: MailKind, document_id: UUID, *, locale: str | None, now: datetime
) -> Letter:
    """What an e-mail about a document would say, whether it would be sent or not; in another language where one is named.

    Raises `NotFound`.
    """
    return _preview(kind, document_id, await _facts(tx, kind, document_id, now=now), locale)


async def gather_request_preview(tx: Tx, asked: NewRequest, *, locale: str | None, now: datetime) -> Letter:
    """What the e-mail about a payment request would say that is not made yet. Raises what making it does."""
    view = await requests.imagine(tx, asked, now=now)
    return _preview(MailKind.REQUEST, view.request.id, await _of_view(tx, view, now=now), locale)


def _preview(kind: MailKind, document_id: UUID, facts: _Facts, locale: str | None) -> Letter:
    customer, subject = facts.customer, facts.subject
    if locale is not None:
        customer = replace(customer, document_locale=locale)
        subject = _told_to(customer, subject)
    return Letter(
        email_id=document_id,
        kind=kind,
        document_id=document_id,
        is_again=False,
        asked_by=None,
        subject=subject,
        issuer=facts.issuer,
        customer=customer,
        customer_entity=facts.customer_entity,
        recipients=Recipients(to=addresses(facts.own_address), bcc=facts.bcc),
        papers=facts.papers,
    )


def _told_to(customer: Customer, subject: Subject) -> Subject:
    """The same about a customer as they are imagined."""
    if isinstance(subject, ReceiptDocument):
        return replace(subject, invoice=replace(subject.invoice, customer=customer))
    return replace(subject, customer=customer)


def addresses(text: str | None) -> tuple[str, ...]:
    """The addresses of a list with commas.

    >>> addresses("a@x.test, b@x.test"), addresses(None)
    (('a@x.test', 'b@x.test'), ())
    """
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


async def _facts(tx: Tx, kind: MailKind, document_id: UUID, *, now: datetime) -> _Facts:
    match kind:
        case MailKind.INVOICE:
            return await _of_invoice(tx, document_id, now=now)
        case MailKind.CREDIT_NOTE:
            return await _of_credit_note(tx, document_id)
        case MailKind.RECEIPT:
            return await _of_receipt(tx, document_id, now=now)
        case MailKind.REQUEST:
            return await _of_request(tx, document_id, now=now)
        case _:
            assert_never(kind)


async def _of_invoice(tx: Tx, invoice_id: UUID, *, now: datetime) -> _Facts:
    invoice = await invoices.get_invoice(tx, invoice_id)
    (view,) = await printing.get_printed(tx, [invoice], now=now)
    return _Facts(
        subject=view,
        issuer=view.billing_entity,
        customer=view.customer,
        customer_entity=view.customer_entity,
        own_address=view.customer.email,
        papers=(view,),
        is_empty=not invoice.fees_amount_cents or invoice.invoice_type == "advance_charges",
    )


async def _of_credit_note(tx: Tx, note_id: UUID) -> _Facts:
    (view,) = await credit_notes.get_views(tx, [await credit_notes.get_note(tx, note_id)])
    return _Facts(
        subject=view,
        issuer=view.billing_entity,
        customer=view.customer,
        customer_entity=view.customer_entity,
        own_address=view.customer.email,
        papers=(view,),
    )


async def _of_receipt(tx: Tx, receipt_id: UUID, *, now: datetime) -> _Facts:
    """A receipt with the invoices that were paid."""
    document = await payments.get_document(tx, await payments.get_receipt(tx, receipt_id), now=now)
    paid = [part.invoice for part in document.parts] or [document.invoice.invoice]
    views = await printing.get_printed(tx, paid, now=now)
    return _Facts(
        subject=document,
        issuer=document.invoice.billing_entity,
        customer=document.invoice.customer,
        customer_entity=document.invoice.customer_entity,
        own_address=document.invoice.customer.email,
        papers=(document, *views),
    )


async def _of_request(tx: Tx, request_id: UUID, *, now: datetime) -> _Facts:
    request = await requests.get_request(tx, request_id)
    (view,) = await requests.get_views(tx, [request], now=now)
    return await _of_view(tx, view, now=now)


async def _of_view(tx: Tx, view: RequestView, *, now: datetime) -> _Facts:
    campaign_id = view.request.dunning_campaign_id
    whole = await printing.get_printed(tx, [one.invoice for one in view.invoices], now=now)
    return _Facts(
        subject=view,
        issuer=view.invoices[0].billing_entity,
        customer=view.customer,
        customer_entity=view.customer_entity,
        own_address=view.request.email,
        papers=tuple(whole),
        bcc=tuple(await dunning.bcc_emails_of(tx, campaign_id)) if campaign_id else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who is to get a document again, as it was sent; to the customer where nobody is named."""

    to: object = None
    cc: object = None
    bcc: object = None


async def send_again(tx: Tx, kind: MailKind, document_id: UUID, asked: Asked, *, now: datetime) -> None:
    """Have a document sent again.

    Raises in the order of wallets §19: `NotFound`, `NotAllowed` for an invoice that is not final and where the billing
    entity has this kind switched off, `Invalid` for a missing sender, recipients that are none, or none at all.
    """
    facts = await _facts(tx, kind, document_id, now=now)
    if kind is MailKind.INVOICE:
        invoice = await invoices.get_invoice(tx, document_id)
        if invoice.status is not InvoiceStatus.FINALIZED:
            raise NotAllowed("invoice_not_finalized")
    if SWITCHES[kind] not in facts.issuer.email_settings:
        raise NotAllowed("email_settings_disabled")
    if not facts.issuer.email:
        raise Invalid({"billing_entity": ["value_is_mandatory"]})
    recipients = _recipients(asked, facts.own_address)
    await mail.note_again(tx, kind, document_id, recipients, now=now)


def _recipients(asked: Asked, own_address: str | None) -> Recipients:
    problems = Problems()
    to, cc, bcc = (_read(getattr(asked, name), name, problems) for name in ("to", "cc", "bcc"))
    to = to or addresses(own_address)
    if not to and not problems.any:
        problems.add("to", "value_is_mandatory")
    problems.raise_any()
    return Recipients(to=to, cc=cc, bcc=bcc)


def _read(value: object, name: str, problems: Problems) -> tuple[str, ...]:
    if value is None:
        return ()
    sent: Sequence[object] = value if isinstance(value, list) else [value]
    texts = [one.strip() for one in sent if isinstance(one, str)]
    if len(texts) != len(sent) or not all(is_address(one) for one in texts):
        problems.add(name, "invalid_email_format")
        return ()
    return tuple(dict.fromkeys(texts))


def is_address(text: str) -> bool:
    """Whether a text looks like one e-mail address.

    >>> is_address("ap@acme.test"), is_address("ap@acme"), is_address("a b@acme.test")
    (True, False, False)
    """
    name, _, host = text.rpartition("@")
    forbidden = set('@,;<>"\r\n\t ')
    return (
        bool(name) and not forbidden & set(name + host) and "." in host.strip(".") and host == host.strip(".")
    )


async def log(tx: Tx, letter: Letter, message: Message, *, is_taken: bool, now: datetime) -> None:
    """Log on its document that an e-mail was sent, or that the server has not taken it, as of who asked for it (platform §10.1)."""
    preview = _SIGNATURE.sub("", message.text)[:PREVIEW_LENGTH]
    shown = {
        "status": ("resent" if letter.is_again else "sent") if is_taken else "failed",
        "subject": message.subject,
        "body_preview": preview,
        **{name: list(getattr(letter.recipients, name)) for name in ("to", "cc", "bcc")},
    }
    entry = outbox.Message(
        activity_type="email.sent",
        object_type=letter.kind.value,
        object_id=letter.document_id,
        payload=shown,
        doer=letter.asked_by,
    )
    await outbox.emit(tx, entry, now=now)


async def claim(tx: Tx, email_id: UUID) -> bool:
    """Take an e-mail to send it; False where somebody else has."""
    return await repository.claim(tx, email_id)


async def skip(tx: Tx, email_id: UUID, reason: str) -> None:
    """Note that an e-mail is not sent, and why."""
    await repository.move(tx, email_id, of="pending", to="skipped", reason=reason)


async def note_sent(tx: Tx, email_id: UUID, *, now: datetime) -> None:
    """Note that the server has taken an e-mail."""
    await repository.move(tx, email_id, of="sending", to="sent", sent_at=now, reason=None)


async def note_refused(tx: Tx, email_id: UUID, reason: str) -> None:
    """Note that the server has not taken an e-mail: it is tried again."""
    await repository.move(tx, email_id, of="sending", to="pending", reason=reason[:2000])


async def note_unsure(tx: Tx, email_id: UUID, reason: str) -> None:
    """Note that nobody knows whether the server has taken an e-mail: it is not sent again."""
    await repository.move(tx, email_id, of="sending", to="unsure", reason=reason[:2000])
