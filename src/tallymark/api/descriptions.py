"""Bodies that a service reads by itself, declared for the API's description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, WithJsonSchema

from tallymark.api.wire import Input

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


def like(model: type[BaseModel], **other: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that is made by hand with the fields of a model, some of them of another kind.

    >>> class Tax(BaseModel):
    ...     code: str
    ...     rate: int
    >>> like(Tax, rate=TEXT)["properties"]
    {'code': {'title': 'Code', 'type': 'string'}, 'rate': {'type': 'string'}}
    """
    mode: Literal["validation", "serialization"] = (
        "validation" if issubclass(model, Input) else "serialization"
    )
    found = TypeAdapter(model).json_schema(mode=mode)
    whole: dict[str, Any] = _inlined(found, found.pop("$defs", {}))
    return {**whole, "properties": {**whole["properties"], **other}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema that stands by itself: what it refers to is put in its place."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(part, definitions) for name, part in schema.items()}


NOTHING: dict[str, Any] = {"type": "null"}
"""Of a field that is always null."""

PAIRS = many(record(key=TEXT, value=TEXT))
"""A list of metadata."""
