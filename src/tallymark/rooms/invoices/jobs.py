"""What happens later to an invoice: its document. Safe to run twice."""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Database
from tallymark.rooms.invoices import printing, service
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.organizations.access import now_of


async def render_document(
    database: Database, documents: Documents, organization_id: UUID, invoice_id: UUID
) -> None:
    """Make the documents of an issued invoice, unless there are any."""
    async with database.tenant(organization_id) as tx:
        invoice = await service.find_invoice(tx, invoice_id)
        if invoice is None or invoice.status is not InvoiceStatus.FINALIZED or invoice.file_key is not None:
            return
        (view,) = await printing.get_printed(tx, [invoice], now=await now_of(tx))
    files = await documents.make(organization_id, view)
    async with database.tenant(organization_id) as tx:
        await service.set_files(tx, invoice_id, files, now=await now_of(tx))
