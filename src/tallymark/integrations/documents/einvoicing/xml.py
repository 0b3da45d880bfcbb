"""Elements that vanish when they hold nothing, and how amounts, numbers and days are written in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency, fixed, major_units, plain_text

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""

Content = Element | str | None


class Vocabulary:
    """Makes elements of some namespaces by their prefixed names."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._namespaces = namespaces
        for prefix, namespace in namespaces.items():
            ElementTree.register_namespace(prefix, namespace)

    def __call__(self, name: str, *content: Content, **attributes: str) -> Element | None:
        """An element of texts and elements; None where nothing is left of its content."""
        kept = [part for part in content if part is not None and part != ""]
        if not kept:
            return None
        prefix, _, local = name.rpartition(":")
        element = Element(f"{{{self._namespaces[prefix]}}}{local}", attributes)
        for part in kept:
            if isinstance(part, str):
                element.text = FORBIDDEN.sub("", part)
            else:
                element.append(part)
        return element


def serialized(root: Element | None) -> bytes:
    """The document as a file."""
    assert root is not None, "a document holds something"
    ElementTree.indent(root, " ")
    document: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def amount(cents: int, code: str) -> str:
    """Minor units in currency units, with the decimals of the currency and at least two."""
    unit = currency(code)
    return f"{fixed(major_units(cents, unit), max(unit.exponent, 2)):f}"


def number(value: Fraction) -> str:
    """A quantity, price or rate."""
    return plain_text(value, 10)


def compact_day(day: date) -> str:
    """A day in the format 102 of UN/CEFACT."""
    return day.strftime("%Y%m%d")
