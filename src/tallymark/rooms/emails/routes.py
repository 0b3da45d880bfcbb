"""The doors through which documents are sent again, and e-mails looked at before they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, assert_never

from fastapi import Query, Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.permissions import guarded_by, permitted
from tallymark.api.routing import member_router, tenant_router
from tallymark.api.validation import LOCALES
from tallymark.api.wire import read_id
from tallymark.domain.errors import Forbidden, Invalid
from tallymark.jobs.mail import MailKind
from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.emails import samples, service
from tallymark.rooms.emails.model import Attachment, Letter, Paper
from tallymark.rooms.emails.ports import Composer
from tallymark.rooms.emails.schemas import EmailPreviewOutput, EmailPreviewResponse, ResendRequest
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_requests.schemas import NewPaymentRequest
from tallymark.rooms.payments.model import ReceiptDocument

router = tenant_router("emails", resource="invoice")
app_router = member_router("app: emails")

Locale = Annotated[str | None, Query(description="Instead of the customer's language.")]
Issuer = Annotated[
    str | None, Query(description="Who sends it; the default billing entity where none is named.")
]


@router.post("/invoices/{lago_id}/resend_email", response_class=Response)
async def resend_invoice(
    lago_id: str, request: Request, context: InContext, body: ResendRequest | None = None
) -> Response:
    """Send an invoice again."""
    return await _send_again(MailKind.INVOICE, lago_id, request, context, body)


@router.post("/credit_notes/{lago_id}/resend_email", response_class=Response)
@guarded_by("credit_note")
async def resend_credit_note(
    lago_id: str, request: Request, context: InContext, body: ResendRequest | None = None
) -> Response:
    """Send a credit note again."""
    return await _send_again(MailKind.CREDIT_NOTE, lago_id, request, context, body)


@router.post("/payment_receipts/{lago_id}/resend_email", response_class=Response)
async def resend_receipt(
    lago_id: str, request: Request, context: InContext, body: ResendRequest | None = None
) -> Response:
    """Send a payment receipt again."""
    return await _send_again(MailKind.RECEIPT, lago_id, request, context, body)


async def _send_again(
    kind: MailKind, lago_id: str, request: Request, context: Context, body: ResendRequest | None
) -> Response:
    """Raises `Forbidden("feature_unavailable")` where the installation has no mail server."""
    resource = "invoice" if kind is MailKind.RECEIPT else kind.value
    document_id = read_id(lago_id, resource)
    asked = (body or ResendRequest()).to_value()
    async with context.transaction() as tx:
        await service.send_again(tx, kind, document_id, asked, now=context.now)
        if not request.app.state.sends_emails:
            raise Forbidden("feature_unavailable")
    return Response(status_code=200)


@app_router.get("/email_previews/invoices/{lago_id}")
@permitted("invoices:view", "invoices:send")
async def preview_invoice_email(
    lago_id: str, request: Request, context: InContext, locale: Locale = None
) -> EmailPreviewResponse:
    """Show the e-mail that brings an invoice."""
    return await _preview(MailKind.INVOICE, lago_id, request, context, locale)


@app_router.get("/email_previews/credit_notes/{lago_id}")
@permitted("credit_notes:view", "credit_notes:send")
async def preview_credit_note_email(
    lago_id: str, request: Request, context: InContext, locale: Locale = None
) -> EmailPreviewResponse:
    """Show the e-mail that brings a credit note."""
    return await _preview(MailKind.CREDIT_NOTE, lago_id, request, context, locale)


@app_router.get("/email_previews/payment_receipts/{lago_id}")
@permitted("payment_receipts:view", "payment_receipts:send")
async def preview_receipt_email(
    lago_id: str, request: Request, context: InContext, locale: Locale = None
) -> EmailPreviewResponse:
    """Show the e-mail that brings a payment receipt."""
    return await _preview(MailKind.RECEIPT, lago_id, request, context, locale)


@app_router.get("/email_previews/payment_requests/{lago_id}")
@permitted("payments:view", "payments:create")
async def preview_request_email(
    lago_id: str, request: Request, context: InContext, locale: Locale = None
) -> EmailPreviewResponse:
    """Show the e-mail that asks for payment."""
    return await _preview(MailKind.REQUEST, lago_id, request, context, locale)


@app_router.post("/email_previews/payment_requests")
@permitted("payments:create")
async def preview_new_request_email(
    body: NewPaymentRequest, request: Request, context: InContext, locale: Locale = None
) -> EmailPreviewResponse:
    """Show the e-mail that would ask for payment, before the request is made: refused as that would be."""
    _check(locale)
    asked = body.payment_request.to_value()
    async with context.transaction() as tx:
        letter = await service.gather_request_preview(tx, asked, locale=locale, now=context.now)
    return await _show(letter, request, context)


@app_router.get("/email_previews/samples/{kind}")
@permitted("billing_entities:view", "dunning_campaigns:view")
async def preview_sample_email(
    kind: MailKind,
    request: Request,
    context: InContext,
    locale: Locale = None,
    billing_entity_code: Issuer = None,
) -> EmailPreviewResponse:
    """Show an e-mail about a document that there is none of, as a billing entity would send it."""
    _check(locale)
    async with context.transaction() as tx:
        entity = await organizations.get_entity(tx, code=billing_entity_code)
    letter = samples.sample_letter(kind, entity, locale=locale, now=context.now)
    return await _show(letter, request, context)


async def _preview(
    kind: MailKind, lago_id: str, request: Request, context: Context, locale: str | None
) -> EmailPreviewResponse:
    _check(locale)
    document_id = read_id(lago_id, "invoice" if kind is MailKind.RECEIPT else kind.value)
    async with context.transaction() as tx:
        letter = await service.gather_preview(tx, kind, document_id, locale=locale, now=context.now)
    return await _show(letter, request, context)


def _check(locale: str | None) -> None:
    if locale is not None and locale not in LOCALES:
        raise Invalid({"locale": ["not_a_valid_language_code"]})


async def _show(letter: Letter, request: Request, context: Context) -> EmailPreviewResponse:
    composer: Composer = request.app.state.composer
    files = _files(letter.papers, context)
    logo_url = context.file_url(letter.issuer.logo_key)
    shown = await asyncio.to_thread(composer.show, letter, files, logo_url)
    preview = EmailPreviewOutput(
        sender=shown.sender,
        reply_to=letter.issuer.email,
        to=list(letter.recipients.to),
        subject=shown.subject,
        language=shown.language,
        text=shown.text,
        html=shown.html,
        attachments=[] if letter.kind is MailKind.REQUEST else [file.name for file in files],
    )
    return EmailPreviewResponse(email_preview=preview)


def _files(papers: Sequence[Paper], context: Context) -> list[Attachment]:
    """The files by name; the link to one that is not made yet leads nowhere in particular."""
    found = []
    for paper in papers:
        match paper:
            case InvoiceView():
                number, key = paper.invoice.number, paper.invoice.file_key
            case CreditNoteView():
                number, key = paper.note.number, paper.note.file_key
            case ReceiptDocument():
                number, key = paper.receipt.number, paper.receipt.file_key
            case _:
                assert_never(paper)
        url = context.file_url(key) or context.links.site.base_url
        found.append(Attachment(name=f"{number}.pdf", content=b"", url=url))
    return found
