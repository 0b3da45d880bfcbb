"""Money, numbers and days as texts, by the same patterns that the documents are written with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from tallymark.domain.exact import Fraction
from tallymark.domain.money import fixed

Json = Mapping[str, Any]
MINUS = "\u2212"


def fill(pattern: str, **slots: str) -> str:
    """A pattern with its slots filled; a slot without a value stays empty.

    >>> fill("{name} {rate}", name="VAT", rate="20%")
    'VAT 20%'
    """
    for name, value in slots.items():
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


def number(value: Fraction, digits: int, formats: Json) -> str:
    """A number with so many decimals, grouped by thousands.

    >>> number(Fraction(-123456789, 100), 2, {"number": {"decimal": ",", "group": "."}})
    '\u22121.234.567,89'
    """
    text = f"{abs(fixed(value, digits)):f}"
    whole, _, part = text.partition(".")
    groups = [whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)]
    shown = formats["number"]["group"].join(reversed(groups))
    shown += formats["number"]["decimal"] + part if part else ""
    return f"{MINUS}{shown}" if value < 0 else shown


def money(cents: int, currency: Json, formats: Json) -> str:
    """An amount in minor units with its currency.

    >>> formats = {"number": {"decimal": ".", "group": ","}, "money": "{symbol}{n}"}
    >>> money(130_000, {"symbol": "$", "digits": 2}, formats), money(-500, {"symbol": "$", "digits": 2}, formats)
    ('$1,300.00', '\u2212$5.00')
    """
    digits: int = currency["digits"]
    shown = number(Fraction(abs(cents), 10**digits), digits, formats)
    text = fill(formats["money"], n=shown, symbol=currency["symbol"])
    return f"{MINUS}{text}" if cents < 0 else text


def day(iso: str, formats: Json) -> str:
    """A day as people of a place write it.

    >>> months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    >>> day("2026-03-09", {"date": {"pattern": "{mmm} {d}, {yyyy}", "months": months}})
    'Mar 9, 2026'
    """
    on, rules = date.fromisoformat(iso), formats["date"]
    return fill(
        rules["pattern"],
        d=str(on.day),
        dd=f"{on.day:02d}",
        m=str(on.month),
        mm=f"{on.month:02d}",
        mmm=rules["months"][on.month - 1],
        yyyy=str(on.year),
    )


def percent(rate: str, formats: Json) -> str:
    """A rate with its sign.

    >>> percent("7.7", {"number": {"decimal": ",", "group": "."}, "percent": "{n} %"})
    '7,7 %'
    """
    return fill(formats["percent"], n=rate.replace(".", formats["number"]["decimal"]))
