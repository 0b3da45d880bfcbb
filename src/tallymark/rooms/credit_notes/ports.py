"""What credit notes ask of the outside: rendering a document."""

from __future__ import annotations

from typing import Protocol

from tallymark.rooms.credit_notes.model import CreditNoteView


class NoteRenderer(Protocol):
    """Makes a document of a credit note."""

    def render_credit_note(self, view: CreditNoteView, logo: bytes | None = None) -> bytes:
        """The credit note as a PDF file, with its issuer's logo (PNG or JPEG)."""

    def write_electronic_note(self, view: CreditNoteView) -> bytes | None:
        """The credit note as an XML file; None where its issuer makes no electronic documents (invoicing §15.1)."""
