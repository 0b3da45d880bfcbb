"""How VAT numbers are written. Whether one exists, the European register alone can tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORMATS = {
    "AT": r"U\d{8}",
    "BE": r"[01]?\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
}
_SEPARATORS = re.compile(r"[\s.\-/]")


@dataclass(frozen=True, slots=True)
class VatNumber:
    """A well-formed number as the register takes it: Greece is `EL` there, Northern Ireland `XI`."""

    prefix: str
    digits: str

    @property
    def country(self) -> str:
        """The country that gave the number, as ISO writes it."""
        return "GR" if self.prefix == "EL" else self.prefix


def read_vat_number(text: str) -> VatNumber | None:
    """Read a number as people write it; None for what no member state writes so.

    >>> read_vat_number("fr 40 303.265.045"), read_vat_number("IT123")
    (VatNumber(prefix='FR', digits='40303265045'), None)
    """
    plain = _SEPARATORS.sub("", text).upper()
    prefix, digits = plain[:2].replace("GR", "EL"), plain[2:]
    known = _FORMATS.get(prefix)
    return VatNumber(prefix, digits) if known and re.fullmatch(known, digits, re.ASCII) else None
