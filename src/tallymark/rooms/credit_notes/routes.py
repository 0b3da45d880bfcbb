"""The doors to credit notes."""

from __future__ import annotations

from datetime import date

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.domain.errors import Invalid
from tallymark.rooms.credit_notes import service
from tallymark.rooms.credit_notes.model import CREDIT_STATUSES, REASONS, REFUND_STATUSES, Filters
from tallymark.rooms.credit_notes.schemas import CreditNoteOutput, CreditNoteResponse, CreditNotesResponse
from tallymark.rooms.customers import service as customers

router = tenant_router("credit notes")

NOT_OFFERED = ("types[]", "types", "search_term", "purchase_order_number", "self_billed")


@router.get("/credit_notes")
async def list_credit_notes(request: Request, context: InContext, page: InPage) -> CreditNotesResponse:
    """List credit notes, newest first."""
    return await _list(context, page, read_filters(request))


@router.get("/customers/{external_customer_id}/credit_notes")
async def list_customer_credit_notes(
    external_customer_id: str, request: Request, context: InContext, page: InPage
) -> CreditNotesResponse:
    """The credit notes of one customer."""
    async with context.transaction() as tx:
        await customers.get_customer(tx, external_id=external_customer_id)
    return await _list(context, page, read_filters(request, external_customer_id))


@router.get("/credit_notes/{lago_id}")
async def get_credit_note(lago_id: str, context: InContext) -> CreditNoteResponse:
    """Read one credit note with its items."""
    async with context.transaction() as tx:
        note = await service.get_note(tx, read_id(lago_id, "credit_note"))
        (view,) = await service.get_views(tx, [note])
    return CreditNoteResponse(credit_note=CreditNoteOutput.of(view))


async def _list(context: Context, page: Page, filters: Filters) -> CreditNotesResponse:
    async with context.transaction() as tx:
        found, total = await service.list_notes(tx, filters, page)
        views = await service.get_views(tx, found)
    return CreditNotesResponse(
        credit_notes=[CreditNoteOutput.of(view) for view in views], meta=Meta.of(page, total)
    )


def read_filters(request: Request, external_customer_id: str | None = None) -> Filters:
    """The filters of a list (invoicing §11.2). Raises `Invalid` for a value that is none of its list."""
    query = request.query_params
    for name in NOT_OFFERED:
        if query.get(name):
            raise Invalid({name.removesuffix("[]"): ["unsupported_value"]})
    for name, allowed in (
        ("reason", REASONS), ("credit_status", CREDIT_STATUSES), ("refund_status", REFUND_STATUSES),
    ):  # fmt: skip
        if query.get(name) and query[name] not in allowed:
            raise Invalid({name: ["value_is_invalid"]})
    return Filters(
        external_customer_id=external_customer_id or query.get("external_customer_id"),
        currency=query.get("currency"),
        reason=query.get("reason"),
        credit_status=query.get("credit_status"),
        refund_status=query.get("refund_status"),
        invoice_number=query.get("invoice_number"),
        issuing_date_from=_day(query.get("issuing_date_from"), "issuing_date_from"),
        issuing_date_to=_day(query.get("issuing_date_to"), "issuing_date_to"),
        amount_from=_whole(query.get("amount_from"), "amount_from"),
        amount_to=_whole(query.get("amount_to"), "amount_to"),
        billing_entity_codes=tuple(
            query.getlist("billing_entity_codes[]") or query.getlist("billing_entity_codes")
        ),
    )


def _day(text: str | None, field: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None


def _whole(text: str | None, field: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise Invalid({field: ["value_is_invalid"]}) from None
