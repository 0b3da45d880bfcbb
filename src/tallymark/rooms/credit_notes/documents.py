"""A credit note's file: rendered, and kept beside those of invoices."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.credit_notes.ports import NoteRenderer
from tallymark.rooms.invoices.documents import Documents, file_name


class NoteDocuments:
    """Makes the files of credit notes."""

    def __init__(self, renderer: NoteRenderer, documents: Documents) -> None:
        self._renderer = renderer
        self._documents = documents

    async def make(self, organization_id: UUID, view: CreditNoteView) -> str:
        """Render a credit note and keep it; return the file's key."""
        logo = await self._documents.logo_of(organization_id, view.billing_entity)
        content = await asyncio.to_thread(self._renderer.render_credit_note, view, logo)
        key = f"credit_notes/{view.note.id}/{file_name(view.note.number)}.pdf"
        await self._documents.keep(organization_id, key, content)
        return key
