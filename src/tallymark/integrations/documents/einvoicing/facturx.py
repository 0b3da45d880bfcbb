"""The properties by which a PDF says that it carries an electronic invoice (Factur-X, ZUGFeRD)."""

from __future__ import annotations

import io

NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
FILE_NAME = "factur-x.xml"

_PROPERTIES = {
    "DocumentType": ("INVOICE", "The type of the hybrid document"),
    "DocumentFileName": (FILE_NAME, "The name of the embedded XML document"),
    "Version": ("1.0", "The version of the standard applying to the embedded XML document"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}
_START, _END = "<pdfaExtension:schemas><rdf:Bag>", "</rdf:Description></rdf:RDF>"


def with_properties(document: bytes) -> bytes:
    """Add the properties to the metadata of a PDF that has the XML attached.

    They join the extension schemas that are there: a second list of them would break the archive standard. Raises
    `ValueError` where the metadata has another shape.
    """
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import NameObject, StreamObject

    writer = PdfWriter(PdfReader(io.BytesIO(document)), incremental=True)
    metadata = writer.root_object["/Metadata"].get_object()
    assert isinstance(metadata, StreamObject)
    stream = StreamObject()
    stream.set_data(_extended(metadata.get_data().decode()).encode())
    stream[NameObject("/Type")] = NameObject("/Metadata")
    stream[NameObject("/Subtype")] = NameObject("/XML")
    writer.root_object[NameObject("/Metadata")] = writer._add_object(stream)
    found = io.BytesIO()
    writer.write(found)
    return found.getvalue()


def _extended(xmp: str) -> str:
    if xmp.count(_START) != 1 or xmp.count(_END) != 1:
        raise ValueError("the metadata has another shape than expected")
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _PROPERTIES.items())
    ours = f'</rdf:Description><rdf:Description rdf:about="" xmlns:fx="{NAMESPACE}">{values}'
    return xmp.replace(_START, _START + _schema()).replace(_END, ours + _END)


def _schema() -> str:
    properties = "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{text}</pdfaProperty:description></rdf:li>"
        for name, (_, text) in _PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
