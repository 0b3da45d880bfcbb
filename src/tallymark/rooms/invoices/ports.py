"""What invoices ask of the outside: rendering a document and keeping its file."""

from __future__ import annotations

from typing import Protocol

from tallymark.rooms.invoices.model import InvoiceView


class DocumentRenderer(Protocol):
    """Makes a document of an invoice."""

    def render_invoice(self, view: InvoiceView, logo: bytes | None = None) -> bytes:
        """The invoice as a PDF file, with its issuer's logo (PNG or JPEG)."""

    def write_electronic(self, view: InvoiceView) -> bytes | None:
        """The invoice as an XML file; None where its issuer makes no electronic invoices (invoicing §15.1)."""


class FileStore(Protocol):
    """Keeps files by key."""

    async def put(self, key: str, content: bytes) -> None:
        """Write a file."""

    async def get(self, key: str) -> bytes | None:
        """Read a file; None when there is none."""
