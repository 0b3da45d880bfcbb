"""A receipt's files: rendered, and kept beside those of invoices."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import Files
from tallymark.rooms.payments.model import ReceiptDocument
from tallymark.rooms.payments.ports import ReceiptRenderer


class ReceiptDocuments:
    """Makes the files of receipts."""

    def __init__(self, renderer: ReceiptRenderer, documents: Documents) -> None:
        self._renderer = renderer
        self._documents = documents

    async def make(self, organization_id: UUID, of: ReceiptDocument) -> Files:
        """Write a receipt, the electronic one first, and keep it (invoicing §15)."""
        xml = await asyncio.to_thread(self._renderer.write_electronic_receipt, of)
        logo = await self._documents.logo_of(organization_id, of.invoice.billing_entity)
        content = await asyncio.to_thread(self._renderer.render_receipt, of, logo)
        folder = f"payment_receipts/{of.receipt.id}"
        return await self._documents.keep_both(
            organization_id, folder, of.receipt.number, pdf=content, xml=xml
        )
