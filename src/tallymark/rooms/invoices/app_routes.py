"""The door to what the app shows of an invoice beside itself: what it took the place of, and what took its place."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import read_id
from tallymark.rooms.invoices.relations import Related, find_relations

router = member_router("app: invoices")


class RelatedInvoiceOutput(BaseModel):
    lago_id: UUID
    number: str


class RelationsOutput(BaseModel):
    voided_invoice: RelatedInvoiceOutput | None
    """The void one in whose place it was issued."""
    regenerated_invoice: RelatedInvoiceOutput | None
    """The one that was issued in its place."""


class RelationsResponse(BaseModel):
    relations: RelationsOutput


@router.get("/invoices/{lago_id}/relations")
@permitted("invoices:view")
async def get_relations(lago_id: str, context: InContext) -> RelationsResponse:
    """Tell which invoice an invoice took the place of, and which took its place (ui §3.3)."""
    async with context.transaction() as tx:
        found = await find_relations(tx, read_id(lago_id, "invoice"))
    return RelationsResponse(
        relations=RelationsOutput(
            voided_invoice=_shown(found.voided), regenerated_invoice=_shown(found.regenerated)
        )
    )


def _shown(related: Related | None) -> RelatedInvoiceOutput | None:
    if related is None:
        return None
    return RelatedInvoiceOutput(lago_id=related.id, number=related.number)
