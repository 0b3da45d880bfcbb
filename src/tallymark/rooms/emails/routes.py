"""The doors through which documents are sent again."""

from __future__ import annotations

from fastapi import Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.permissions import guarded_by
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.domain.errors import Forbidden
from tallymark.jobs.mail import MailKind
from tallymark.rooms.emails import service
from tallymark.rooms.emails.schemas import ResendRequest

router = tenant_router("emails", resource="invoice")


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
