"""The doors to invoices and their files, and the operator's to making these anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.operators import operator_of, operator_router, staff_of
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import documents, downloading, explaining, rebuilding, service
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.filters import FILTERS, read_filters
from tallymark.rooms.invoices.model import Filters
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

router = tenant_router("invoices", resource="invoice")
files_router = APIRouter(tags=["files"])
admin_router = operator_router()

FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in documents.MEDIA_TYPES.values()}}
}


@router.get("/invoices", openapi_extra=FILTERS)
async def list_invoices(request: Request, context: InContext, page: InPage) -> InvoicesResponse:
    """List invoices, newest first."""
    return await _list(context, page, read_filters(request.query_params))


@router.get("/customers/{external_customer_id}/invoices", openapi_extra=FILTERS)
async def list_customer_invoices(
    external_customer_id: str, request: Request, context: InContext, page: InPage
) -> InvoicesResponse:
    """The invoices of one customer."""
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_customer_id)
    return await _list(context, page, read_filters(request.query_params, customer.id))


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
    view = await downloading.with_files(context, request.app.state.documents, read_id(lago_id, "invoice"))
    return FileResponseBody(invoice=InvoiceFileOutput.of(view, context.links))


@files_router.get("/files/{organization_id}/{key:path}", response_class=Response, responses=FILES)
async def get_file(organization_id: UUID, key: str, signature: str, request: Request) -> Response:
    """A file by its signed link."""
    maker: Documents = request.app.state.documents
    content = await maker.read(organization_id, key, signature)
    if content is None:
        raise NotFound("file")
    name = key.rsplit("/", 1)[-1]
    kind = name.rsplit(".", 1)[-1]
    place = "attachment" if kind in documents.SAVED else "inline"
    headers = {"Content-Disposition": f'{place}; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=documents.MEDIA_TYPES[kind], headers=headers)


@admin_router.post("/invoices/{lago_id}/regenerate")
async def rebuild_invoice(lago_id: str, request: Request) -> FileResponseBody:
    """Make the documents of an issued invoice anew (platform §17); the links that lead to them stay."""
    state = request.app.state
    organization_id, view = await rebuilding.rebuild(
        state.database,
        state.documents,
        read_id(lago_id, "invoice"),
        by=operator_of(request),
        staff=staff_of(request),
    )

    return FileResponseBody(invoice=InvoiceFileOutput.of(view, state.site.links(organization_id)))


async def answer(tx: Tx, invoice_id: UUID, context: Context) -> InvoiceResponse:
    """An invoice as its own call answers it."""
    invoice = await service.get_invoice(tx, invoice_id)
    (view,) = await service.get_views(tx, [invoice], now=context.now)
    return InvoiceResponse(invoice=InvoiceOutput.of(view, context.links))


async def _list(context: Context, page: Page, filters: Filters) -> InvoicesResponse:
    async with context.transaction() as tx:
        found, total = await service.list_invoices(tx, filters, page)
        views = await service.get_views(tx, found, now=context.now, with_lines=False)
    shown = [InvoiceListOutput.of(view, context.links) for view in views]
    return InvoicesResponse(invoices=shown, meta=Meta.of(page, total))
