"""When two answers say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)")


OWN_NAMES = ("properties", "metadata", "values", "config")
"""Fields whose names belong to whoever fills them."""


class Difference(NamedTuple):
    """A field in which two answers differ; None where it is missing."""

    field: str
    source: Any
    target: Any


def plain(value: Any) -> Any:
    """A value without what makes no difference: how a number or an instant is written, what is null or empty.

    >>> plain({"rate": "20.0", "at": "2025-01-01T00:00:00.000Z", "name": None, "taxes": []})
    {'rate': Decimal('20'), 'at': '2025-01-01T00:00:00Z'}
    """
    if isinstance(value, Mapping):
        parts = ((name, plain(item)) for name, item in value.items())
        return {name: item for name, item in parts if item is not None and item not in ({}, [])}
    if isinstance(value, str):
        if (instant := _INSTANT.fullmatch(value)) is not None:
            return f"{instant[1]}Z"
        return Decimal(value).normalize() + 0 if _DECIMAL.fullmatch(value) else value
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value)).normalize() + 0
    return value


def as_told(source: Any, target: Any) -> Any:
    """The target as far as the source speaks of it: a server that does not have a field says nothing of it.

    What has names of its own is left whole: a price without free units is not the one with them.

    >>> as_told({"code": None, "charges": [{"prorated": True}]}, {"code": "a", "tier": 2, "charges": [{"prorated": True, "new": 1}]})
    {'code': 'a', 'charges': [{'prorated': True}]}
    >>> as_told({"properties": {"amount": "1"}}, {"properties": {"amount": "1", "free_units": 5}})
    {'properties': {'amount': '1', 'free_units': 5}}
    """
    if isinstance(source, Mapping) and isinstance(target, Mapping):
        return {
            name: item if name in OWN_NAMES else as_told(source[name], item)
            for name, item in target.items()
            if name in source
        }
    if isinstance(source, list) and isinstance(target, list) and len(source) == len(target):
        return [as_told(one, other) for one, other in zip(source, target, strict=True)]
    return target


def differences(source: Any, target: Any, field: str = "") -> Iterator[Difference]:
    """Where two values differ, by the path to it; lists are compared item by item.

    >>> [tuple(one) for one in differences({"a": [1, 2]}, {"a": [1, 3]})]
    [('a.1', 2, 3)]
    """
    if plain(source) == plain(target):
        return
    if isinstance(source, Mapping) and isinstance(target, Mapping):
        for name in dict.fromkeys((*source, *target)):
            yield from differences(source.get(name), target.get(name), f"{field}.{name}".lstrip("."))
    elif isinstance(source, list) and isinstance(target, list) and len(source) == len(target):
        for position, (one, other) in enumerate(zip(source, target, strict=True)):
            yield from differences(one, other, f"{field}.{position}")
    else:
        yield Difference(field, source, target)
