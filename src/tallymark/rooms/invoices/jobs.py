"""What happens later to an invoice: its document. Safe to run twice."""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Database
from tallymark.rooms.invoices import copying, printing, rebuilding, service
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.organizations.access import now_of


async def render_document(
    database: Database,
    documents: Documents,
    organization_id: UUID,
    invoice_id: UUID,
    *,
    is_anew: bool = False,
) -> None:
    """Make the documents of an issued invoice, unless there are any, or something is still to be told of it.

    `is_anew` makes them in place of those that there are: what they were without is known now.
    """
    async with database.tenant(organization_id) as tx:
        invoice = await service.find_invoice(tx, invoice_id)
        if invoice is None or invoice.status is not InvoiceStatus.FINALIZED:
            return
        if not is_anew:
            if invoice.file_key is not None:
                return
            until = await copying.waits_until(tx, invoice, now=await now_of(tx))
            if until is not None:
                await service.enqueue_documents(tx, [invoice_id], at=until)
                return
        (view,) = await printing.get_printed(tx, [invoice], now=await now_of(tx))
    files = await documents.make(organization_id, view)
    async with database.tenant(organization_id) as tx:
        if is_anew:
            await rebuilding.keep(tx, invoice_id, files)
        else:
            await service.set_files(tx, invoice_id, files, now=await now_of(tx))
