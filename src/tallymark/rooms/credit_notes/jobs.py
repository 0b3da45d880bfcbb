"""What happens later to a credit note: its document. Safe to run twice."""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Database
from tallymark.rooms.credit_notes import service
from tallymark.rooms.credit_notes.documents import NoteDocuments
from tallymark.rooms.organizations.access import now_of


async def render_document(
    database: Database, documents: NoteDocuments, organization_id: UUID, note_id: UUID
) -> None:
    """Make the documents of a credit note, unless there are any."""
    async with database.tenant(organization_id) as tx:
        note = await service.get_note(tx, note_id)
        if note.file_key is not None:
            return
        (view,) = await service.get_views(tx, [note])
    files = await documents.make(organization_id, view)
    async with database.tenant(organization_id) as tx:
        await service.set_files(tx, note_id, files, now=await now_of(tx))
