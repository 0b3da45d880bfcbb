"""The doors to what the app shows of invoices beside themselves: what took the place of which, and what may still do so."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import RecordId, read_id
from tallymark.rooms.invoices.relations import Related, find_relations, regenerable_of

router = member_router("app: invoices")


class RelatedInvoiceOutput(BaseModel):
    lago_id: UUID
    number: str


class RelationsOutput(BaseModel):
    voided_invoice: RelatedInvoiceOutput | None
    """The void one in whose place it was issued."""
    regenerated_invoice: RelatedInvoiceOutput | None
    """The one that was issued in its place."""
    is_regenerable: bool
    """Whether it is void, and one may be issued in its place."""


class RelationsResponse(BaseModel):
    relations: RelationsOutput


@router.get("/invoices/{lago_id}/relations")
@permitted("invoices:view")
async def get_relations(lago_id: str, context: InContext) -> RelationsResponse:
    """Tell which invoice an invoice took the place of, and which took its place (ui §3.3)."""
    async with context.transaction() as tx:
        found = await find_relations(tx, read_id(lago_id, "invoice"), now=context.now)
    return RelationsResponse(
        relations=RelationsOutput(
            voided_invoice=_shown(found.voided),
            regenerated_invoice=_shown(found.regenerated),
            is_regenerable=found.is_regenerable,
        )
    )


class RegenerableRequest(BaseModel):
    lago_ids: Annotated[list[RecordId], Field(min_length=1, max_length=1000)]
    """Of what a page of a list shows."""


class RegenerableResponse(BaseModel):
    regenerable: list[UUID]


@router.post("/invoices/regenerable")
@permitted("invoices:view")
async def list_regenerable(body: RegenerableRequest, context: InContext) -> RegenerableResponse:
    """Tell in place of which of some invoices another one may be issued: void ones, each once (ui §3.3)."""
    async with context.transaction() as tx:
        found = await regenerable_of(tx, body.lago_ids, now=context.now)
    return RegenerableResponse(regenerable=[one for one in body.lago_ids if one in found])


def _shown(related: Related | None) -> RelatedInvoiceOutput | None:
    if related is None:
        return None
    return RelatedInvoiceOutput(lago_id=related.id, number=related.number)
