"""The members of the European Union with their standard rates, and territories with rates of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """A part of a member state that its postcodes tell apart; `rate` in percent."""

    name: str
    zipcodes: re.Pattern[str]
    rate: Decimal


def _territory(name: str, zipcodes: str, rate: str = "0") -> Territory:
    return Territory(name=name, zipcodes=re.compile(zipcodes), rate=Decimal(rate))


MEMBERS: dict[str, Decimal] = {
    country: Decimal(rate)
    for country, rate in {
        "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25", "EE": "24", "ES": "21",
        "FI": "25.5", "FR": "20", "GR": "24", "HR": "25", "HU": "27", "IE": "23", "IT": "22", "LT": "21", "LU": "17",
        "LV": "21", "MT": "18", "NL": "21", "PL": "23", "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23",
    }.items()
}  # fmt: skip
"""Standard rates in percent, by country, as of January 2026."""

TERRITORIES: dict[str, tuple[Territory, ...]] = {
    "AT": (_territory("Jungholz", "6691", "19"), _territory("Mittelberg", "699[1-3]", "19")),
    "DE": (_territory("Büsingen am Hochrhein", "78266"), _territory("Heligoland", "27498")),
    "ES": (
        _territory("Canary Islands", r"3[58]\d{3}"),
        _territory("Ceuta", "5100[1-5]|5107[01]|51081"),
        _territory("Melilla", "5200[0-6]|5207[01]|52081"),
    ),
    "FI": (_territory("Aland Islands", r"22\d{3}"),),
    "FR": (
        _territory("Guadeloupe", r"971\d{2}", "8.5"),
        _territory("Martinique", r"972\d{2}", "8.5"),
        _territory("Guyane", r"973\d{2}"),
        _territory("Reunion", r"974\d{2}", "8.5"),
        _territory("Mayotte", r"976\d{2}"),
    ),
    "GR": (_territory("Mount Athos", "6308[67]"),),
    "IT": (_territory("Campione d'Italia", "22061"), _territory("Livigno", "23041")),
    "PT": (
        _territory("Madeira", r"9[0-4]\d{2}(-?\d{3})?", "22"),
        _territory("Azores", r"9[5-9]\d{2}(-?\d{3})?", "16"),
    ),
}
"""Territories whose tax is not their country's; their postcodes without spaces."""
