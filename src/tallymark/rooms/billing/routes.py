"""The doors through which an invoice is computed anew or issued by hand."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.routes import answer
from tallymark.rooms.invoices.schemas import InvoiceResponse

router = tenant_router("invoices")


@router.put("/invoices/{lago_id}/refresh")
async def refresh_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Compute a draft anew; any other invoice is answered as it is."""
    async with context.transaction() as tx:
        invoice = await invoices.get_invoice(tx, read_id(lago_id, "invoice"))
        await tx.lock("customer", invoice.customer_id)
        await billing.refresh(tx, await invoices.get_invoice(tx, invoice.id), now=context.now)
        return await answer(tx, invoice.id, context)


@router.put("/invoices/{lago_id}/finalize")
async def finalize_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Issue a draft before its grace period is over."""
    async with context.transaction() as tx:
        invoice = await invoices.get_invoice(tx, read_id(lago_id, "invoice"))
        await tx.lock("customer", invoice.customer_id)
        await billing.finalize(tx, invoice.id, now=context.now, as_of=context.now)
        return await answer(tx, invoice.id, context)
