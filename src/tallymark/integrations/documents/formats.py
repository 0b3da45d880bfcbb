"""How numbers, money and dates look in a locale, from CLDR, as patterns that the template fills."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from babel import Locale

NARROW_SPACE, NO_BREAK_SPACE = "\u202f", "\u00a0"
EAST_ASIAN = "Noto Sans CJK JP"
"""The family for what the template's own one lacks; it has the shapes of Japanese, Chinese and Korean, by the language."""

_DATE_PART = re.compile(r"y+|M+|d+|'[^']*'")
_DATE_SLOTS = {"y": "{yyyy}", "yyyy": "{yyyy}", "M": "{m}", "MM": "{mm}", "MMM": "{mmm}", "MMMM": "{mmm}"}
_DAY_SLOTS = {"d": "{d}", "dd": "{dd}"}
_RANGES = {"ja": "{from}～{to}"}


@cache
def formats_of(code: str) -> dict[str, Any]:
    """The patterns of a document locale; the template's own fonts hold no narrow no-break space, so it is widened."""
    locale = Locale.parse(code.replace("-", "_"))
    symbols = locale.number_symbols["latn"]
    return {
        "region": locale.territory or _likely_region(code),
        "fonts": [EAST_ASIAN],
        "number": {"decimal": _plain(symbols["decimal"]), "group": _plain(symbols["group"])},
        "money": money_pattern(locale.currency_formats["standard"].pattern),
        "percent": _plain(locale.percent_formats[None].pattern.replace("#,##0", "{n}")),
        "date": {
            "pattern": date_pattern(locale.date_formats["medium"].pattern),
            "range": _RANGES.get(code, "{from} – {to}"),
            "months": [locale.months["format"]["abbreviated"][month] for month in range(1, 13)],
        },
    }


def _likely_region(code: str) -> str:
    """The region that a language alone stands for; the template wants one."""
    return {"en": "US", "nb": "NO", "sv": "SE", "ja": "JP"}.get(code, code[:2].upper())


def money_pattern(cldr: str) -> str:
    """A CLDR currency pattern with the template's slots.

    >>> money_pattern("#,##0.00\\u00a0¤"), money_pattern("¤#,##0.00;(¤#,##0.00)")
    ('{n}\\xa0{symbol}', '{symbol}{n}')
    """
    positive = cldr.split(";")[0]
    return _plain(re.sub(r"[#,0.]+", "{n}", positive).replace("¤", "{symbol}"))


def date_pattern(cldr: str) -> str:
    """A CLDR date pattern with the template's slots.

    >>> date_pattern("d 'de' MMM 'de' y"), date_pattern("dd.MM.y")
    ('{d} de {mmm} de {yyyy}', '{dd}.{mm}.{yyyy}')
    """

    def slot(match: re.Match[str]) -> str:
        part = match[0]
        if part.startswith("'"):
            return part[1:-1]
        return _DATE_SLOTS.get(part) or _DAY_SLOTS.get(part) or "{yyyy}"

    return _plain(_DATE_PART.sub(slot, cldr))


def currency_symbol(currency: str, code: str) -> str:
    """What a locale calls a currency: $, €, or its code; letters that lead keep a space from the number, as CLDR asks.

    >>> currency_symbol("CAD", "en"), currency_symbol("KWD", "en"), currency_symbol("KWD", "de")
    ('CA$', 'KWD\\xa0', 'KWD')
    """
    locale = Locale.parse(code.replace("-", "_"))
    symbol = _plain(str(locale.currency_symbols.get(currency, currency)))
    touches = formats_of(code)["money"].startswith("{symbol}{n}")
    return symbol + NO_BREAK_SPACE if touches and symbol[-1].isalpha() else symbol


def country_name(country: str | None, code: str) -> str | None:
    """A country's name in a locale."""
    if country is None:
        return None
    return str(Locale.parse(code.replace("-", "_")).territories.get(country, country))


def _plain(text: str) -> str:
    return text.replace(NARROW_SPACE, NO_BREAK_SPACE).replace("\u200f", "").replace("\u200e", "")
