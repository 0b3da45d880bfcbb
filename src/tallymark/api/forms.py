"""Form-encoded bodies, which are also accepted (platform §1.2): read as JSON whose values are texts."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from tallymark.api.requests import DEEPEST, LARGEST_BODY

FORM = "application/x-www-form-urlencoded"
INBOUND = "/webhooks/"

_NAME = re.compile(r"^[^\[\]]+(\[[^\[\]]*\])*$")
_PART = re.compile(r"\[([^\[\]]*)\]")


class NotAForm(Exception):
    """Names that contradict each other, lie too deep, or are none."""


def accept_form(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    """A request as JSON where its body is a form; any other as it is.

    What is no form, or begins as JSON does though nobody said so, is handed on as it came; so is what payment providers send, who
    have signed each byte.
    """
    if scope["type"] != "http" or scope["path"].startswith(INBOUND):
        return scope, receive
    if not Headers(scope=scope).get("content-type", "").startswith(FORM):
        return scope, receive
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-type", b"content-length")]
    headers = [*kept, (b"content-type", b"application/json")]

    async def receive_json() -> Message:
        body, has_more = b"", True
        while has_more and len(body) <= LARGEST_BODY:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        if not has_more and not body.lstrip().startswith((b"{", b"[")):
            body = _as_json(body)
        return {"type": "http.request", "body": body, "more_body": has_more}

    return {**scope, "headers": headers}, receive_json


def _as_json(body: bytes) -> bytes:
    try:
        found = read_form(body)
    except NotAForm:
        return body
    return json.dumps(found).encode() if found else b""


def read_form(body: bytes) -> dict[str, Any]:
    """The fields of a form, nested as their names say. Raises `NotAForm`.

    >>> read_form(b"customer[external_id]=acme&customer[metadata][][key]=a&customer[metadata][][value]=1")
    {'customer': {'external_id': 'acme', 'metadata': [{'key': 'a', 'value': '1'}]}}
    >>> read_form(b"plan[tax_codes][]=vat&plan[tax_codes][]=city&plan[charges][][code]=a&plan[charges][][code]=b")
    {'plan': {'tax_codes': ['vat', 'city'], 'charges': [{'code': 'a'}, {'code': 'b'}]}}
    >>> read_form(b"charges[][code]=a&charges[][tax_codes][]=x&charges[][tax_codes][]=y&charges[][code]=b")
    {'charges': [{'code': 'a', 'tax_codes': ['x', 'y']}, {'code': 'b'}]}
    >>> for wrong in (b"a=1&a[b]=2", b"a[b=1", b"a" + b"[b]" * 101 + b"=1", b"%ff=1"):
    ...     try:
    ...         read_form(wrong)
    ...     except NotAForm:
    ...         print("refused")
    refused
    refused
    refused
    refused
    """
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise NotAForm from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if not _NAME.match(name):
            raise NotAForm
        first, _, _ = name.partition("[")
        _put(found, [first, *_PART.findall(name)], value)
    return found


def _put(found: dict[str, Any], path: list[str], value: str) -> None:
    """Put a value where its name says; an empty part is one more entry of a list."""
    if len(path) > DEEPEST:
        raise NotAForm
    holder: Any = found
    for position, key in enumerate(path):
        following = path[position + 1] if position + 1 < len(path) else None
        if key == "":
            continue  # the list that this is an entry of was made, or found, one part ago
        if not isinstance(holder, dict):
            raise NotAForm
        if following is None:
            if isinstance(holder.get(key), dict | list):
                raise NotAForm
            holder[key] = value
        elif following == "":
            holder = _entry(_list_of(holder, key), path[position + 2 :], value)
        else:
            holder = holder.setdefault(key, {})


def _list_of(holder: dict[str, Any], key: str) -> list[Any]:
    found = holder.setdefault(key, [])
    if not isinstance(found, list):
        raise NotAForm
    return found


def _entry(entries: list[Any], rest: list[str], value: str) -> dict[str, Any]:
    """Where the rest of a name goes on: in the last entry, or in a new one where that has it already."""
    if not rest:
        entries.append(value)
        return {}
    is_of_list = "" in rest  # goes on in the last entry, however many that list has
    if not entries or not isinstance(entries[-1], dict) or (not is_of_list and _has(entries[-1], rest)):
        entries.append({})
    last: dict[str, Any] = entries[-1]
    return last


def _has(entry: dict[str, Any], path: list[str]) -> bool:
    holder: Any = entry
    for key in path:
        if not isinstance(holder, dict) or key not in holder:
            return False
        holder = holder[key]
    return True
