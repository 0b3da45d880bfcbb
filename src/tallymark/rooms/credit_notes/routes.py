"""The doors to credit notes."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.key_values import KeyValuesRequest, KeyValuesResponse
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.rooms.credit_notes import service
from tallymark.rooms.credit_notes.documents import NoteDocuments
from tallymark.rooms.credit_notes.filters import FILTERS, read_filters
from tallymark.rooms.credit_notes.model import CreditNote, Filters
from tallymark.rooms.credit_notes.schemas import (
    CreditNoteOutput,
    CreditNoteRequest,
    CreditNoteResponse,
    CreditNotesResponse,
    CreditNoteUpdateRequest,
    EstimatedOutput,
    EstimateRequest,
    EstimateResponse,
)
from tallymark.rooms.customers import service as customers

router = tenant_router("credit notes", resource="credit_note")


@router.post("/credit_notes")
async def create_credit_note(body: CreditNoteRequest, context: InContext) -> CreditNoteResponse:
    """Give money back on an invoice: as credit, as a refund, or off what is due of it."""
    asked = body.credit_note
    async with context.transaction() as tx:
        invoice_id = read_id(str(asked.invoice_id), "invoice")
        view = await service.create(
            tx, invoice_id, asked.asked_items, asked.parts, asked.about, now=context.now
        )
    return CreditNoteResponse(credit_note=CreditNoteOutput.of(view, context.file_url))


@router.post("/credit_notes/estimate")
async def estimate_credit_note(body: EstimateRequest, context: InContext) -> EstimateResponse:
    """What a note of these items may give back at the most."""
    asked = body.credit_note
    async with context.transaction() as tx:
        invoice_id = read_id(str(asked.invoice_id), "invoice")
        estimated = await service.estimate(tx, invoice_id, asked.asked_items)
    return EstimateResponse(estimated_credit_note=EstimatedOutput.of(estimated))


@router.get("/credit_notes", openapi_extra=FILTERS)
async def list_credit_notes(request: Request, context: InContext, page: InPage) -> CreditNotesResponse:
    """List credit notes, newest first."""
    return await _list(context, page, read_filters(request.query_params))


@router.get("/customers/{external_customer_id}/credit_notes", openapi_extra=FILTERS)
async def list_customer_credit_notes(
    external_customer_id: str, request: Request, context: InContext, page: InPage
) -> CreditNotesResponse:
    """The credit notes of one customer."""
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_customer_id)
    return await _list(context, page, read_filters(request.query_params, customer.id))


@router.get("/credit_notes/{lago_id}")
async def get_credit_note(lago_id: str, context: InContext) -> CreditNoteResponse:
    """Read one credit note with its items."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.get_note(tx, read_id(lago_id, "credit_note")), context)


@router.change("/credit_notes/{lago_id}")
async def update_credit_note(
    lago_id: str, body: CreditNoteUpdateRequest, context: InContext
) -> CreditNoteResponse:
    """Note whether a refund was made, and write on the note."""
    note_id, asked = read_id(lago_id, "credit_note"), body.credit_note
    async with context.transaction() as tx:
        note = await service.update(
            tx, note_id, refund_status=asked.refund_status, metadata=asked.metadata, now=context.now
        )
        return await _answer(tx, note, context)


@router.put("/credit_notes/{lago_id}/void")
async def void_credit_note(lago_id: str, context: InContext) -> CreditNoteResponse:
    """Drop what is left of a note's credit."""
    async with context.transaction() as tx:
        note = await service.void(tx, read_id(lago_id, "credit_note"), now=context.now)
        return await _answer(tx, note, context)


@router.post("/credit_notes/{lago_id}/download")
@router.post("/credit_notes/{lago_id}/download_pdf", include_in_schema=False)
@router.post("/credit_notes/{lago_id}/download_xml", include_in_schema=False)
@in_parts
async def download_credit_note(lago_id: str, request: Request, context: InContext) -> CreditNoteResponse:
    """The credit note with links to its PDF and, where its issuer makes these, its XML; they are made now if they were not before."""
    maker: NoteDocuments = request.app.state.note_documents
    note_id = read_id(lago_id, "credit_note")
    async with context.transaction() as tx:
        note = await service.get_note(tx, note_id)
        (view,) = await service.get_views(tx, [note])
    if note.file_key is None:
        files = await maker.make(context.organization_id, view)
        async with context.transaction() as tx:
            await service.set_files(tx, note_id, files, now=context.now)
    async with context.transaction() as tx:
        return await _answer(tx, await service.get_note(tx, note_id), context)


@router.post("/credit_notes/{lago_id}/metadata")
async def replace_metadata(lago_id: str, body: KeyValuesRequest, context: InContext) -> KeyValuesResponse:
    """Write metadata in place of all that is there."""
    note_id = read_id(lago_id, "credit_note")
    async with context.transaction() as tx:
        if (values := body.values) is not None:
            await service.replace_metadata(tx, note_id, values, now=context.now)
        return KeyValuesResponse(metadata=(await service.get_note(tx, note_id)).metadata)


@router.change("/credit_notes/{lago_id}/metadata", is_patch_shown=True)
async def merge_metadata(lago_id: str, body: KeyValuesRequest, context: InContext) -> KeyValuesResponse:
    """Write some keys of a note's metadata."""
    note_id = read_id(lago_id, "credit_note")
    async with context.transaction() as tx:
        await service.merge_metadata(tx, note_id, body.values or {}, now=context.now)
        return KeyValuesResponse(metadata=(await service.get_note(tx, note_id)).metadata)


@router.delete("/credit_notes/{lago_id}/metadata")
async def clear_metadata(lago_id: str, context: InContext) -> KeyValuesResponse:
    """Drop all metadata of a note."""
    async with context.transaction() as tx:
        await service.clear_metadata(tx, read_id(lago_id, "credit_note"), now=context.now)
    return KeyValuesResponse(metadata=None)


@router.delete("/credit_notes/{lago_id}/metadata/{key}")
async def drop_metadata(lago_id: str, key: str, context: InContext) -> KeyValuesResponse:
    """Drop one key of a note's metadata."""
    note_id = read_id(lago_id, "credit_note")
    async with context.transaction() as tx:
        await service.drop_metadata(tx, note_id, key, now=context.now)
        return KeyValuesResponse(metadata=(await service.get_note(tx, note_id)).metadata)


async def _answer(tx: Tx, note: CreditNote, context: Context) -> CreditNoteResponse:
    (view,) = await service.get_views(tx, [note])
    return CreditNoteResponse(credit_note=CreditNoteOutput.of(view, context.file_url))


async def _list(context: Context, page: Page, filters: Filters) -> CreditNotesResponse:
    async with context.transaction() as tx:
        found, total = await service.list_notes(tx, filters, page)
        views = await service.get_views(tx, found)
    return CreditNotesResponse(
        credit_notes=[CreditNoteOutput.of(view, context.file_url) for view in views],
        meta=Meta.of(page, total),
    )
