"""A receipt's file: rendered, and kept beside those of invoices."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tallymark.rooms.invoices.documents import Documents, file_name
from tallymark.rooms.payments.model import ReceiptDocument
from tallymark.rooms.payments.ports import ReceiptRenderer


class ReceiptDocuments:
    """Makes the files of receipts."""

    def __init__(self, renderer: ReceiptRenderer, documents: Documents) -> None:
        self._renderer = renderer
        self._documents = documents

    async def make(self, organization_id: UUID, of: ReceiptDocument) -> str:
        """Render a receipt and keep it; return the file's key."""
        logo = await self._documents.logo_of(organization_id, of.invoice.billing_entity)
        content = await asyncio.to_thread(self._renderer.render_receipt, of, logo)
        key = f"payment_receipts/{of.receipt.id}/{file_name(of.receipt.number)}.pdf"
        await self._documents.keep(organization_id, key, content)
        return key
