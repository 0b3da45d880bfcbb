"""A credit note's files: rendered, and kept beside those of invoices."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.credit_notes.ports import NoteRenderer
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import Files


class NoteDocuments:
    """Makes the files of credit notes."""

    def __init__(self, renderer: NoteRenderer, documents: Documents) -> None:
        self._renderer = renderer
        self._documents = documents

    async def make(self, organization_id: UUID, view: CreditNoteView) -> Files:
        """Write a credit note, the electronic one first, and keep it (invoicing §15)."""
        xml = await asyncio.to_thread(self._renderer.write_electronic_note, view)
        logo = await self._documents.logo_of(organization_id, view.billing_entity)
        content = await asyncio.to_thread(self._renderer.render_credit_note, view, logo)
        folder = f"credit_notes/{view.note.id}"
        return await self._documents.keep_both(
            organization_id, folder, view.note.number, pdf=content, xml=xml
        )
