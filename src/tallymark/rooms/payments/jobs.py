"""What happens later to a payment: its receipt's document. Safe to run twice."""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Database
from tallymark.rooms.organizations.access import now_of
from tallymark.rooms.payments import service
from tallymark.rooms.payments.documents import ReceiptDocuments


async def render_receipt(
    database: Database, documents: ReceiptDocuments, organization_id: UUID, receipt_id: UUID
) -> None:
    """Make the documents of a receipt, unless there are any."""
    async with database.tenant(organization_id) as tx:
        receipt = await service.get_receipt(tx, receipt_id)
        if receipt.file_key is not None:
            return
        document = await service.get_document(tx, receipt, now=await now_of(tx))
    files = await documents.make(organization_id, document)
    async with database.tenant(organization_id) as tx:
        await service.set_files(tx, receipt_id, files, now=await now_of(tx))
