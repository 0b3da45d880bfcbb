"""The door to previews."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.routing import tenant_router
from tallymark.rooms.previews import service
from tallymark.rooms.previews.schemas import PreviewRequest, PreviewResponse, shown_preview

router = tenant_router("invoices", resource="invoice")


@router.post("/invoices/preview")
async def preview_invoice(body: PreviewRequest, context: InContext) -> PreviewResponse:
    """The invoice that would come of a new subscription, the next billing day, an end, or a change of plan."""
    async with context.transaction() as tx:
        found = await service.preview(tx, body.to_value(), now=context.now)
    return PreviewResponse(invoice=shown_preview(found.view, found.imagined, context.links))
