"""Rendering by Typst: PDF/A-3a and PDF/UA-1, so that a document can be archived and read aloud."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock
from typing import Any

import structlog

from tallymark.integrations.documents.credit_note import credit_note_data
from tallymark.integrations.documents.data import TEMPLATES, invoice_data
from tallymark.integrations.documents.einvoicing import source, write_cii, write_receipt, write_ubl
from tallymark.integrations.documents.einvoicing.facturx import with_properties
from tallymark.integrations.documents.einvoicing.note import note_document
from tallymark.integrations.documents.einvoicing.payment import receipt_document, receipt_response
from tallymark.integrations.documents.receipt import receipt_data
from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.payments.model import ReceiptDocument

log = structlog.get_logger(__name__)

STANDARDS = ["a-3a", "ua-1"]
LARGEST_USE = 200
"""Documents that one compiler makes before it is replaced: its memory grows with use."""


class TypstRenderer:
    """Implements the renderers that invoices, credit notes and payments ask for in their `ports`. Typst and its fonts are loaded at the first document."""

    def __init__(self) -> None:
        self._compiler: Any = None
        self._used = 0
        self._lock = Lock()

    def render_invoice(self, view: InvoiceView, logo: bytes | None = None) -> bytes:
        """The invoice as a PDF file, with its issuer's logo; an electronic one is embedded (invoicing §15.1).

        Where it is, people read what machines do: what was due when it was issued. A picture that can't be read is left out.
        """
        is_electronic = source.is_electronic(view.billing_entity)
        attachment = write_cii(source.invoice_document(view)) if is_electronic else None
        return self._render(invoice_data(view, as_issued=is_electronic), logo, attachment)

    def render_credit_note(self, view: CreditNoteView, logo: bytes | None = None) -> bytes:
        """The credit note as a PDF file, with its issuer's logo; an electronic one is embedded."""
        is_electronic = source.is_electronic(view.billing_entity)
        attachment = write_cii(note_document(view)) if is_electronic else None
        return self._render(credit_note_data(view), logo, attachment)

    def render_receipt(self, receipt: ReceiptDocument, logo: bytes | None = None) -> bytes:
        """The receipt as a PDF file, with its issuer's logo; an electronic one is embedded where it is for one invoice."""
        is_electronic = source.is_electronic(receipt.invoice.billing_entity) and not receipt.parts
        attachment = write_cii(receipt_document(receipt)) if is_electronic else None
        return self._render(receipt_data(receipt), logo, attachment)

    def _render(self, data: dict[str, Any], logo: bytes | None, attachment: bytes | None = None) -> bytes:
        import typst

        if logo is None:
            return self.render_pdf(data, attachment)
        try:
            return self.render_pdf({**data, "brand": {**data["brand"], "logo": list(logo)}}, attachment)
        except typst.TypstError as error:
            log.warning("logo left out", number=data["number"], reason=str(error).splitlines()[0])
            return self.render_pdf(data, attachment)

    def write_electronic(self, view: InvoiceView) -> bytes | None:
        """The invoice as a UBL file, where its issuer makes electronic invoices."""
        if not source.is_electronic(view.billing_entity):
            return None
        return write_ubl(source.invoice_document(view))

    def write_electronic_note(self, view: CreditNoteView) -> bytes | None:
        """The credit note as a UBL file, where its issuer makes electronic documents."""
        return write_ubl(note_document(view)) if source.is_electronic(view.billing_entity) else None

    def write_electronic_receipt(self, receipt: ReceiptDocument) -> bytes | None:
        """The receipt as a UBL file, where its issuer makes electronic documents."""
        is_electronic = source.is_electronic(receipt.invoice.billing_entity)
        return write_receipt(receipt_response(receipt)) if is_electronic else None

    def render_pdf(self, data: dict[str, Any], attachment: bytes | None = None) -> bytes:
        """A document of template data, with an electronic invoice attached.

        A character that no font has costs the archive standard, not the document.
        """
        import typst

        inputs = {"json": json.dumps(data)}
        if attachment is not None:
            inputs["attachment"] = attachment.decode()
        with self._lock:
            compiler = self._take_compiler()
            try:
                document: bytes = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=STANDARDS)
            except typst.TypstError as error:
                log.warning(
                    "document is not archivable", number=data["number"], reason=str(error).splitlines()[0]
                )
                # What is attached may be so in an archivable document alone.
                inputs.pop("attachment", None)
                return bytes(compiler.compile(format="pdf", sys_inputs=inputs))
        return document if attachment is None else with_properties(document)

    def render_png(self, data: dict[str, Any], *, ppi: float = 110) -> list[bytes]:
        """The document's pages as pictures."""
        with self._lock:
            pages = self._take_compiler().compile(
                format="png", sys_inputs={"json": json.dumps(data)}, ppi=ppi
            )
        return pages if isinstance(pages, list) else [pages]

    def _take_compiler(self) -> Any:
        import typst

        if self._compiler is None or self._used >= LARGEST_USE:
            fonts = typst.Fonts(include_system_fonts=True, font_paths=_font_paths())
            self._compiler = typst.Compiler(
                str(TEMPLATES / "document.typ"), root=str(TEMPLATES), font_paths=fonts
            )
            self._used = 0
        self._used += 1
        return self._compiler


def _font_paths() -> list[Path]:
    """Where the fonts are: Latin, Greek and Cyrillic, and Chinese, Japanese and Korean in two weights."""
    import fontpkg_ibm_plex_sans
    import noto_cjk_sans_jp_bold
    import noto_cjk_sans_jp_regular

    east_asian = (noto_cjk_sans_jp_regular.FONT_PATH, noto_cjk_sans_jp_bold.FONT_PATH)
    return [fontpkg_ibm_plex_sans.ROOT / "files", *(Path(str(font)).parent for font in east_asian)]
