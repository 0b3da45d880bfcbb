"""Closed lists and shapes of the contract that several resources share, each with its error code."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from tallymark.api.wire import is_among
from tallymark.domain.money import CURRENCIES

LOCALES = ("en", "fr", "nb", "de", "it", "es", "sv", "pt-BR", "zh-TW", "ja")
"""What documents, e-mails and the portal speak: those of the contract, and Japanese."""

NO_COUNTRIES = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)
"""Territories of the locale data that ISO 3166 gives no code of their own."""

_EMAIL = re.compile(r"[^@\s,<>]+@[^@\s,<>.]+(\.[^@\s,<>.]+)+")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\x00"))


def _fail(code: str) -> PydanticCustomError:
    return PydanticCustomError(code, code)


def _currency(value: Any) -> Any:
    code = value.upper() if isinstance(value, str) else value
    if code is not None and not is_among(code, CURRENCIES):
        raise _fail("value_is_invalid")
    return code


@cache
def _countries() -> frozenset[str]:
    from babel import Locale as BabelLocale

    territories = [str(code) for code in BabelLocale("en").territories]
    return frozenset(code for code in territories if len(code) == 2 and code.isalpha()) - NO_COUNTRIES


def country_codes() -> frozenset[str]:
    """The countries that the contract knows, as two letters."""
    return _countries()


def _country(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    code = value.upper() if isinstance(value, str) else value
    if not is_among(code, _countries()):
        raise _fail("not_a_valid_country_code")
    return code


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(value: Any) -> Any:
    if value is not None and not is_among(value, _zones()):
        raise _fail("invalid_timezone")
    return value


def _locale(value: Any) -> Any:
    if value is not None and value not in LOCALES:
        raise _fail("not_a_valid_language_code")
    return value


def clean_emails(value: Any) -> Any:
    """One or more addresses, separated by commas; invisible characters removed and dashes made plain."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _fail("invalid_email_format")
    text = value.translate(_DASHES).translate(_INVISIBLE).strip()
    if not all(_EMAIL.fullmatch(address.strip()) for address in text.split(",")):
        raise _fail("invalid_email_format")
    return text


def _prefix(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 10:
        raise _fail("value_is_too_long" if isinstance(value, str) and value.strip() else "value_is_invalid")
    return value.strip().upper()


CurrencyCode = Annotated[str, BeforeValidator(_currency)]
Country = Annotated[str | None, BeforeValidator(_country)]
Timezone = Annotated[str, BeforeValidator(_timezone)]
Locale = Annotated[str, BeforeValidator(_locale)]
Emails = Annotated[str | None, BeforeValidator(clean_emails)]
NumberPrefix = Annotated[str, BeforeValidator(_prefix)]
