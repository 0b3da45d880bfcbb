"""An invoice's file: rendered, kept, and linked to by a signature."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from urllib.parse import quote
from uuid import UUID

from tallymark.rooms.invoices.model import Files, InvoiceView
from tallymark.rooms.invoices.ports import DocumentRenderer, FileStore
from tallymark.rooms.organizations.model import BillingEntity

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xml": "application/xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "csv": "text/csv; charset=utf-8",
}
"""What a file is, by the end of its name."""

SAVED = frozenset(["csv"])
"""Files that a browser saves instead of showing them."""


def file_name(number: str) -> str:
    """A document's number as the name of its file.

    >>> file_name("ACM 91/F2-007-012")
    'ACM-91-F2-007-012'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", number)


class LinkSigner:
    """Signs links to files with the installation's secret: whoever has the link may read that one file."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, organization_id: UUID, key: str) -> str:
        """The path and query of a link."""
        return f"/files/{organization_id}/{quote(key)}?signature={self._signature(organization_id, key)}"

    def verify(self, organization_id: UUID, key: str, signature: str) -> bool:
        """Whether this signature was made for this file."""
        return hmac.compare_digest(self._signature(organization_id, key).encode(), signature.encode())

    def _signature(self, organization_id: UUID, key: str) -> str:
        message = f"{organization_id}/{key}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:40]


class Documents:
    """Makes the files of invoices, and keeps and reads those of all documents."""

    def __init__(self, renderer: DocumentRenderer, files: FileStore, signer: LinkSigner) -> None:
        self._renderer = renderer
        self._files = files
        self.signer = signer

    async def make(self, organization_id: UUID, view: InvoiceView) -> Files:
        """Write an invoice, the electronic one first, and keep it (invoicing §15)."""
        xml = await asyncio.to_thread(self._renderer.write_electronic, view)
        logo = await self.logo_of(organization_id, view.billing_entity)
        content = await asyncio.to_thread(self._renderer.render_invoice, view, logo)
        folder = f"invoices/{view.invoice.id}"
        return await self.keep_both(organization_id, folder, view.invoice.number, pdf=content, xml=xml)

    async def keep_both(
        self, organization_id: UUID, folder: str, number: str, *, pdf: bytes, xml: bytes | None
    ) -> Files:
        """Write a document's files, named after its number; the electronic one first."""
        key = f"{folder}/{file_name(number)}"
        files = Files(pdf=f"{key}.pdf", xml=f"{key}.xml" if xml is not None else None)
        if files.xml is not None and xml is not None:
            await self.keep(organization_id, files.xml, xml)
        await self.keep(organization_id, files.pdf, pdf)
        return files

    async def logo_of(self, organization_id: UUID, entity: BillingEntity) -> bytes | None:
        """The picture that an issuer's documents carry."""
        return await self._files.get(f"{organization_id}/{entity.logo_key}") if entity.logo_key else None

    async def keep(self, organization_id: UUID, key: str, content: bytes) -> None:
        """Write a file of an organization; a signed link leads to it."""
        await self._files.put(f"{organization_id}/{key}", content)

    async def get(self, organization_id: UUID, key: str) -> bytes | None:
        """A file of an organization; None when it is gone."""
        return await self._files.get(f"{organization_id}/{key}")

    async def read(self, organization_id: UUID, key: str, signature: str) -> bytes | None:
        """A file by its signed link; None when the link was not made here or the file is gone."""
        if not self.signer.verify(organization_id, key, signature):
            return None
        return await self._files.get(f"{organization_id}/{key}")
