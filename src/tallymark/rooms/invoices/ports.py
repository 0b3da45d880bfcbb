"""What invoices ask of the outside: rendering a document, keeping its file, linking to it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from tallymark.rooms.invoices.model import InvoiceView


class DocumentRenderer(Protocol):
    """Makes a document of an invoice."""

    def render_invoice(self, view: InvoiceView) -> bytes:
        """The invoice as a PDF file."""


class FileStore(Protocol):
    """Keeps files by key."""

    async def put(self, key: str, content: bytes) -> None:
        """Write a file."""

    async def get(self, key: str) -> bytes | None:
        """Read a file; None when there is none."""


class LinkSigner(Protocol):
    """Makes links to files that need no API key, and checks them."""

    def sign(self, organization_id: UUID, key: str) -> str:
        """The link's path and query."""

    def verify(self, organization_id: UUID, key: str, signature: str) -> bool:
        """Whether a link was made here."""
