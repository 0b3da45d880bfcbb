"""Our OpenAPI document names every operation, parameter and field of the contract's.

The contract's document is read where it lies beside this checkout; without it nothing is held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import kit

Json = Any

DOCUMENT = Path(__file__).parents[3] / "shared" / "openapi" / "lago.json"
METHODS = ("get", "post", "put", "patch", "delete")
DEPTH = 3


def _follow(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        schema = target
    return schema


def _fields(document: Json, schema: Json, place: str = "", depth: int = 0) -> Iterator[str]:
    schema = _follow(document, schema)
    if depth > DEPTH:
        return
    for kind in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(kind, ()):
            yield from _fields(document, part, place, depth)
    if "items" in schema:
        yield from _fields(document, schema["items"], f"{place}[]" if place else "", depth)
    for name, part in schema.get("properties", {}).items():
        below = f"{place}.{name}" if place else name
        yield below
        yield from _fields(document, part, below, depth + 1)


def _body(document: Json, holder: Json) -> Iterator[str]:
    for kind, media in _follow(document, holder).get("content", {}).items():
        if "json" in kind:
            yield from _fields(document, media.get("schema", {}))


def names(document: Json) -> dict[str, set[str]]:
    """By operation, the places of all that it names: `request.plan.code`, `query.page`, `response.plan.code`."""
    found: dict[str, set[str]] = {}
    for path, item in document["paths"].items():
        bare = re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1").rstrip("/"))
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            parameters = [
                _follow(document, one)
                for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
            ]
            query = {f"query.{one['name'].rstrip('[]')}" for one in parameters if one["in"] == "query"}
            good: Json = next(
                (one for status, one in sorted(operation["responses"].items()) if status < "3"), {}
            )
            found[f"{method.upper()} {bare}"] = {
                *query,
                *(f"request.{name}" for name in _body(document, operation.get("requestBody", {}))),
                *(f"response.{name}" for name in _body(document, good)),
            }
    return found


def test_names_what_the_contract_names():
    if not DOCUMENT.exists():
        pytest.skip("the contract's document does not lie beside this checkout")
    ours, theirs = names(kit.description()), names(json.loads(DOCUMENT.read_text()))
    assert len(theirs) > 200
    lacking = {
        f"{operation}.{name}"
        for operation in theirs
        for name in theirs[operation] - ours.get(operation, set())
    }
    lacking |= set(theirs) - set(ours)
    assert lacking == set()


def test_tells_where_names_stand_that_are_elsewhere():
    """What is named and never answered says so, and where it is: nobody is to wait for it."""
    schemas = kit.description()["components"]["schemas"]
    marked = {
        (of, name): field
        for of, schema in schemas.items()
        for name, field in schema.get("properties", {}).items()
        if isinstance(field, dict) and field.get("deprecated")
    }
    assert ("FeeOutput", "applied_taxes") in marked
    for (of, name), field in marked.items():
        assert name not in schemas[of].get("required", ()), (of, name)
        assert field["description"].endswith("."), (of, name)


def test_tells_that_a_preview_may_be_of_nobody():
    """Its customer may have no external id: all that names the customer can be null."""
    invoice = kit.description()["components"]["schemas"]["PreviewResponse"]["properties"]["invoice"]
    of_subscription = invoice["properties"]["subscriptions"]["items"]["properties"]
    of_customer = invoice["properties"]["customer"]["properties"]
    for field in (of_subscription["external_customer_id"], of_customer["external_id"]):
        assert {"type": "null"} in field["anyOf"]


def test_names_no_section_of_a_specification_that_its_readers_do_not_have():
    """`(metering §5.3)` and `(test-clock.md)` are for those who read the code."""
    assert re.findall(r"[^\"]*(?:§|\w\.md\b)[^\"]*", json.dumps(kit.description(), ensure_ascii=False)) == []
