"""The doors to invoices and their files."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.queries import BOOLEANS, read_cents, reads
from tallymark.api.routing import tenant_router
from tallymark.api.wire import query_flag, read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import documents, explaining, service
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import VISIBLE, Filters, InvoiceStatus
from tallymark.rooms.invoices.schemas import (
    FileResponseBody,
    InvoiceExplanation,
    InvoiceExplanationResponse,
    InvoiceFileOutput,
    InvoiceListOutput,
    InvoiceOutput,
    InvoiceResponse,
    InvoicesResponse,
)

METADATA_KEY = re.compile(r"metadata\[(.+)\]")

router = tenant_router("invoices", resource="invoice")
files_router = APIRouter(tags=["files"])

STATUSES = ("draft", "finalized", "voided", "failed", "pending")
INVOICE_TYPES = ("subscription", "one_off", "credit", "advance_charges", "progressive_billing", "add_on")
SETTLEMENTS = ("payment", "credit_note")
PAYMENT_STATUSES = ("pending", "succeeded", "failed")
FILTERS = reads(
    "currency", "invoice_type", "status", "statuses[]", "payment_status", "payment_statuses[]", "payment_overdue",
    "payment_dispute_lost", "self_billed", "partially_paid", "issuing_date_from", "issuing_date_to", "amount_from",
    "amount_to", "billing_entity_codes[]", "purchase_order_number", "settlements[]", "metadata[key]", "search_term",
    "external_customer_id",
)  # fmt: skip


@router.get("/invoices", openapi_extra=FILTERS)
async def list_invoices(request: Request, context: InContext, page: InPage) -> InvoicesResponse:
    """List invoices, newest first."""
    return await _list(context, page, read_filters(request))


@router.get("/customers/{external_customer_id}/invoices", openapi_extra=FILTERS)
async def list_customer_invoices(
    external_customer_id: str, request: Request, context: InContext, page: InPage
) -> InvoicesResponse:
    """The invoices of one customer."""
    async with context.transaction() as tx:
        await customers.get_customer(tx, external_id=external_customer_id)
    return await _list(context, page, read_filters(request, external_customer_id))


@router.get("/invoices/{lago_id}/explanation")
async def explain_invoice(lago_id: str, context: InContext) -> InvoiceExplanationResponse:
    """How the total came to be, step by step; never changed once the invoice is issued (beyond.md §1)."""
    async with context.transaction() as tx:
        invoice = await service.get_invoice(tx, read_id(lago_id, "invoice"))
        steps = await explaining.explanation_of(tx, invoice)
    return InvoiceExplanationResponse(explanation=InvoiceExplanation.of(invoice, steps))


@router.get("/invoices/{lago_id}")
async def get_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Read one invoice with its lines."""
    async with context.transaction() as tx:
        return await answer(tx, read_id(lago_id, "invoice"), context)


@router.post("/invoices/{lago_id}/download", response_model=FileResponseBody)
@router.post("/invoices/{lago_id}/download_pdf", response_model=FileResponseBody, include_in_schema=False)
@router.post("/invoices/{lago_id}/download_xml", response_model=FileResponseBody, include_in_schema=False)
@in_parts
async def download_invoice(lago_id: str, request: Request, context: InContext) -> FileResponseBody | Response:
    """The invoice with links to its PDF and, where its issuer makes these, its XML; they are made now if they were not before."""
    maker: Documents = request.app.state.documents
    async with context.transaction() as tx:
        invoice = await service.get_invoice(tx, read_id(lago_id, "invoice"))
        if invoice.status is not InvoiceStatus.FINALIZED:
            raise NotFound("invoice")
        (view,) = await service.get_views(tx, [invoice], now=context.now)
    if invoice.file_key is None:
        files = await maker.make(context.organization_id, view)
        async with context.transaction() as tx:
            await service.set_files(tx, invoice.id, files, now=context.now)
            invoice = await service.get_invoice(tx, invoice.id)
            (view,) = await service.get_views(tx, [invoice], now=context.now, with_lines=False)
    return FileResponseBody(invoice=InvoiceFileOutput.of(view, context.file_url))


@files_router.get("/files/{organization_id}/{key:path}")
async def get_file(organization_id: UUID, key: str, signature: str, request: Request) -> Response:
    """A file by its signed link."""
    maker: Documents = request.app.state.documents
    content = await maker.read(organization_id, key, signature)
    if content is None:
        raise NotFound("file")
    name = key.rsplit("/", 1)[-1]
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=documents.MEDIA_TYPES[name.rsplit(".", 1)[-1]], headers=headers)


async def answer(tx: Tx, invoice_id: UUID, context: Context) -> InvoiceResponse:
    """An invoice as its own call answers it."""
    invoice = await service.get_invoice(tx, invoice_id)
    (view,) = await service.get_views(tx, [invoice], now=context.now)
    return InvoiceResponse(invoice=InvoiceOutput.of(view, context.file_url))


async def _list(context: Context, page: Page, filters: Filters) -> InvoicesResponse:
    async with context.transaction() as tx:
        found, total = await service.list_invoices(tx, filters, page)
        views = await service.get_views(tx, found, now=context.now, with_lines=False)
    shown = [InvoiceListOutput.of(view, context.file_url) for view in views]
    return InvoicesResponse(invoices=shown, meta=Meta.of(page, total))


def read_filters(request: Request, external_customer_id: str | None = None) -> Filters:
    """The filters of a list (invoicing §10.3). Raises `Invalid` for a value that is none of its list."""
    query = request.query_params

    def several(*names: str) -> tuple[str, ...]:
        return tuple(value for name in names for value in query.getlist(f"{name}[]") or query.getlist(name))

    def checked(field: str, allowed: tuple[str, ...], *names: str) -> tuple[str, ...]:
        is_list = any(f"{name}[]" in query for name in names)
        return _checked(field, several(*names), allowed, is_list=is_list)

    statuses = checked("status", STATUSES, "status", "statuses")
    payment_statuses = checked("payment_status", PAYMENT_STATUSES, "payment_status", "payment_statuses")
    hidden = tuple(status for status in statuses if status not in VISIBLE)
    if query.get("invoice_type") and query["invoice_type"] not in INVOICE_TYPES:
        raise Invalid({"invoice_type": ["value_is_invalid"]})
    return Filters(
        external_customer_id=external_customer_id
        or query.get("external_customer_id")
        or query.get("customer_external_id"),
        currency=query.get("currency") or None,
        invoice_type=query.get("invoice_type") or None,
        statuses=tuple(status for status in statuses if status in VISIBLE) or hidden,
        payment_statuses=payment_statuses,
        payment_overdue=_flag(query.get("payment_overdue"), "payment_overdue"),
        self_billed=_flag(query.get("self_billed"), "self_billed"),
        partially_paid=_flag(query.get("partially_paid"), "partially_paid"),
        issuing_date_from=_day(query.get("issuing_date_from"), "issuing_date_from"),
        issuing_date_to=_day(query.get("issuing_date_to"), "issuing_date_to"),
        amount_from=read_cents(query.get("amount_from"), "amount_from"),
        amount_to=read_cents(query.get("amount_to"), "amount_to"),
        billing_entity_codes=several("billing_entity_codes"),
        purchase_order_number=query.get("purchase_order_number"),
        settlements=checked("settlements", SETTLEMENTS, "settlements"),
        search_term=query.get("search_term"),
        payment_dispute_lost=_flag(query.get("payment_dispute_lost"), "payment_dispute_lost"),
        metadata=tuple(
            (found.group(1), value)
            for name, value in query.multi_items()
            if (found := METADATA_KEY.fullmatch(name))
        ),
    )


def _checked(
    field: str, values: tuple[str, ...], allowed: tuple[str, ...], *, is_list: bool
) -> tuple[str, ...]:
    """The values of a filter; a wrong one is named alone, or by its place in a list. Raises `Invalid`."""
    wrong = [place for place, value in enumerate(values) if value not in allowed]
    if not wrong:
        return values
    if is_list:
        told = f"must be one of: {', '.join(allowed)}"
        raise Invalid({field: {str(place): [told] for place in wrong}})
    raise Invalid({field: [f"must be one of: {', '.join(allowed)} or must be an array"]})


def _flag(text: str | None, field: str) -> bool | None:
    if text and text.strip().lower() not in BOOLEANS:
        raise Invalid({field: ["must be boolean"]})
    return query_flag(text)


def _day(text: str | None, field: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None
