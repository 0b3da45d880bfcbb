"""Bodies that a service reads by itself, declared for the API's description."""

from __future__ import annotations

from typing import Any

from pydantic import WithJsonSchema

TEXT: dict[str, Any] = {"type": "string"}
FLAG: dict[str, Any] = {"type": "boolean"}


def record(**fields: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with these fields."""
    return {"type": "object", "properties": fields}


def many(items: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list."""
    return {"type": "array", "items": items}


def shown_as(schema: dict[str, Any]) -> WithJsonSchema:
    """Mark a field that takes anything with what it should be: `alert: Annotated[Any, shown_as(ALERT)]`."""
    return WithJsonSchema(schema)


PAIRS = many(record(key=TEXT, value=TEXT))
"""A list of metadata."""
