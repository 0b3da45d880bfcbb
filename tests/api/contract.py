"""Holds answers against the contract's OpenAPI document: what its schemas ask for, and what an answer has instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Json = Any

KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


class Contract:
    """The document, asked about one answer after the other."""

    def __init__(self, document: Json) -> None:
        self.document = document
        patterns = sorted(document["paths"], key=lambda path: path.count("{"))
        self.paths = [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)), path) for path in patterns]

    def deviations(self, method: str, path: str, answer: Json) -> Iterator[str]:
        """What an answer of 200 lacks or has of another kind, each by its place below the root's object."""
        for pattern, name in self.paths:
            operation = self.document["paths"][name].get(method.lower())
            if operation is not None and pattern.fullmatch(path):
                found = self._follow(operation["responses"].get("200", {}))
                schema = found.get("content", {}).get("application/json", {}).get("schema", {})
                yield from self._check(answer, schema, "")
                return

    def _follow(self, schema: Json) -> Json:
        while "$ref" in schema:
            target = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/")]
            schema = target
        if "allOf" not in schema:
            return schema
        parts = [self._follow(part) for part in schema["allOf"]]
        properties = {
            name: of for part in [*parts, schema] for name, of in part.get("properties", {}).items()
        }
        return {"type": "object", **schema, "properties": properties}

    def _check(self, value: Json, schema: Json, place: str) -> Iterator[str]:
        schema = self._follow(schema)
        choices = schema.get("oneOf") or schema.get("anyOf")
        if choices:
            yield from min((list(self._check(value, choice, place)) for choice in choices), key=len)
            return
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        # The pages tell of null wherever nothing is set.
        if value is None or not kinds:
            return
        if not any(_is(value, kind) for kind in kinds):
            yield f"{place}: {'|'.join(kinds)}"
        elif isinstance(value, dict):
            for name, of in schema.get("properties", {}).items():
                if name in value:
                    yield from self._check(value[name], of, f"{place}.{name}")
                else:
                    yield f"{place}.{name}: missing"
        elif isinstance(value, list):
            for item in value:
                yield from self._check(item, schema.get("items", {}), f"{place}[]")
        elif value not in schema.get("enum", [value]):
            yield f"{place}: not in the list"


def _is(value: Json, kind: str) -> bool:
    if isinstance(value, bool) or kind == "null":
        return kind == "boolean" and isinstance(value, bool)
    return isinstance(value, KINDS[kind])
