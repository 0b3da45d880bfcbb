"""What payments ask of the outside: rendering a receipt."""

from __future__ import annotations

from typing import Protocol

from tallymark.rooms.payments.model import ReceiptDocument


class ReceiptRenderer(Protocol):
    """Makes a document of a receipt."""

    def render_receipt(self, receipt: ReceiptDocument, logo: bytes | None = None) -> bytes:
        """The receipt as a PDF file, with its issuer's logo (PNG or JPEG)."""

    def write_electronic_receipt(self, receipt: ReceiptDocument) -> bytes | None:
        """The receipt as an XML file; None where its issuer makes no electronic documents (invoicing §15.1)."""
