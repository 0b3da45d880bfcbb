"""The doors to payments and receipts."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.permissions import guarded_by
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.domain.errors import Invalid
from tallymark.rooms.customers import service as customers
from tallymark.rooms.payments import service
from tallymark.rooms.payments.documents import ReceiptDocuments
from tallymark.rooms.payments.model import Filters
from tallymark.rooms.payments.schemas import (
    ListedPaymentOutput,
    PaymentOutput,
    PaymentRequest,
    PaymentResponse,
    PaymentsResponse,
    ReceiptOutput,
    ReceiptResponse,
    ReceiptsResponse,
)

router = tenant_router("payments", resource="payment")


@router.post("/payments")
async def record_payment(body: PaymentRequest, context: InContext) -> PaymentResponse:
    """Record that an invoice was paid, in whole or in part."""
    async with context.transaction() as tx:
        payment = await service.pay_by_hand(tx, body.payment.to_value(), now=context.now)
        (view,) = await service.get_views(tx, [payment])
    return PaymentResponse(payment=PaymentOutput.of(view))


@router.get("/payments", openapi_extra=reads("external_customer_id", "invoice_id", "search_term"))
async def list_payments(request: Request, context: InContext, page: InPage) -> PaymentsResponse:
    """List payments, newest first; `search_term` is looked for in references, invoice numbers and customers."""
    return await _list(context, page, read_filters(request))


@router.get("/customers/{external_customer_id}/payments", openapi_extra=reads("invoice_id", "search_term"))
async def list_customer_payments(
    external_customer_id: str, request: Request, context: InContext, page: InPage
) -> PaymentsResponse:
    """The payments of one customer."""
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_customer_id)
    return await _list(context, page, read_filters(request, customer.id))


@router.get("/payments/{lago_id}")
async def get_payment(lago_id: str, context: InContext) -> PaymentResponse:
    """Read one payment."""
    async with context.transaction() as tx:
        payment = await service.get_payment(tx, read_id(lago_id, "payment"))
        (view,) = await service.get_views(tx, [payment])
    return PaymentResponse(payment=PaymentOutput.of(view))


@router.get("/payment_receipts", openapi_extra=reads("invoice_id", "billing_entity_codes[]"))
@guarded_by("invoice")
async def list_receipts(request: Request, context: InContext, page: InPage) -> ReceiptsResponse:
    """List the receipts of payments, newest first."""
    query = request.query_params
    codes = query.getlist("billing_entity_codes[]") or query.getlist("billing_entity_codes")
    filters = Filters(invoice_id=_invoice_id(request), billing_entity_codes=tuple(codes))
    async with context.transaction() as tx:
        found, total = await service.list_receipts(tx, filters, page)
        views = await service.get_receipt_views(tx, found)
    return ReceiptsResponse(
        payment_receipts=[ReceiptOutput.of(view, context.file_url) for view in views],
        meta=Meta.of(page, total),
    )


@router.get("/payment_receipts/{lago_id}")
@guarded_by("invoice")
async def get_receipt(lago_id: str, request: Request, context: InContext) -> ReceiptResponse:
    """Read one receipt, with links to its PDF and, where its issuer makes these, its XML; they are made now if they were not before."""
    receipt_id = read_id(lago_id, "invoice")
    async with context.transaction() as tx:
        receipt = await service.get_receipt(tx, receipt_id)
        document = await service.get_document(tx, receipt, now=context.now)
    if receipt.file_key is None:
        maker: ReceiptDocuments = request.app.state.receipt_documents
        files = await maker.make(context.organization_id, document)
        async with context.transaction() as tx:
            await service.set_files(tx, receipt_id, files, now=context.now)
    async with context.transaction() as tx:
        receipt = await service.get_receipt(tx, receipt_id)
        (view,) = await service.get_receipt_views(tx, [receipt])
    return ReceiptResponse(payment_receipt=ReceiptOutput.of(view, context.file_url))


async def _list(context: Context, page: Page, filters: Filters) -> PaymentsResponse:
    async with context.transaction() as tx:
        found, total = await service.list_payments(tx, filters, page)
        views = await service.get_views(tx, found)
    return PaymentsResponse(
        payments=[ListedPaymentOutput.of(view) for view in views], meta=Meta.of(page, total)
    )


def read_filters(request: Request, customer_id: UUID | None = None) -> Filters:
    """The filters of a list, or of that of one customer. Raises `Invalid` for an invoice id that is none."""
    return Filters(
        customer_id=customer_id,
        external_customer_id=None if customer_id else request.query_params.get("external_customer_id"),
        invoice_id=_invoice_id(request),
        search_term=request.query_params.get("search_term"),
    )


def _invoice_id(request: Request) -> UUID | None:
    text = request.query_params.get("invoice_id")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid({"invoice_id": ["is in invalid format"]}) from None
