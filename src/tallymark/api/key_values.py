"""Metadata as an object: texts by key, which whoever uses the API writes on a record (wallets §2.6, invoicing §11.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError

from tallymark.api.wire import Input
from tallymark.domain.errors import Invalid

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 100, 255


def read_key_values(value: object) -> dict[str, str | None] | None:
    """At most 50 keys of 100 characters, each with a text of 255 or null. Raises `ValueError` with the wire's code."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("invalid_type")
    if len(value) > MOST_KEYS:
        raise ValueError("too_many_keys")
    return {_key(key): _value(text) for key, text in value.items()}


def _key(key: object) -> str:
    text = str(key)
    if not text.strip():
        raise ValueError("invalid_key_value_pair")
    if len(text) > LONGEST_KEY:
        raise ValueError("key_too_long")
    return text.replace("\x00", "")


def _value(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise ValueError("nested_structure_not_allowed")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > LONGEST_VALUE:
        raise ValueError("value_too_long")
    return text.replace("\x00", "")


def _checked(value: Any) -> Any:
    try:
        return read_key_values(value)
    except ValueError as error:
        raise PydanticCustomError(str(error), "no metadata") from None


KeyValues = Annotated[dict[str, str | None], BeforeValidator(_checked)]
"""Metadata inside of a record's own object."""


class KeyValuesRequest(Input):
    """Metadata alone, at the top of a request."""

    metadata: Any = None

    @property
    def values(self) -> dict[str, str | None] | None:
        """What is to be written, None where nothing was sent. Raises `Invalid`."""
        try:
            return read_key_values(self.metadata)
        except ValueError as error:
            raise Invalid({"metadata": [str(error)]}) from None


class KeyValuesResponse(BaseModel):
    metadata: dict[str, str | None] | None


Notes = Mapping[str, str | None]


def check_metadata(value: Any) -> Notes | None:
    """Metadata of a wallet or a plan as it is sent; null stays null (wallets §2.6, pricing §4.2). Raises `Invalid`."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Invalid({"value": ["value_is_invalid"]})
    if len(value) > MOST_KEYS or any(_is_too_long(key, text) for key, text in value.items()):
        raise Invalid({"value": ["value_is_too_long"]})
    if not all(text is None or isinstance(text, str) for text in value.values()):
        raise Invalid({"value": ["value_is_invalid"]})
    return value


def _is_too_long(key: str, text: Any) -> bool:
    return len(key) > LONGEST_KEY or (isinstance(text, str) and len(text) > LONGEST_VALUE)
