"""Requests as every route gets them: without characters that the database can't keep, ids with their slashes; and what answers say of themselves."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallymark.api.errors import BadRequest, PayloadTooLarge

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

LARGEST_BODY = 10 * 1024 * 1024
"""A request of more bytes is refused (metering §1.1, platform §1.5)."""

DEEPEST = 100
"""So many lists and objects may lie in each other: whoever reads them later has a stack of some depth, too."""

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape of a NUL character in JSON: a reverse solidus that is not escaped itself."""


def read_json(text: str) -> Any:
    r"""Read JSON as its standard has it, without what nothing behind it could hold. Raises `BadRequest`.

    >>> read_json('{"units": 1.5}')
    {'units': 1.5}
    >>> for text in ("NaN", "1e400", "9" * 5000, "[" * 101 + "]" * 101, "[" * 100_000, r'"\ud800"'):
    ...     try:
    ...         read_json(text)
    ...     except BadRequest:
    ...         print("refused")
    refused
    refused
    refused
    refused
    refused
    refused
    >>> len(read_json("[" + "[" * 99 + "]" * 99 + ", 1" * 1000 + "]"))
    1001
    """
    try:
        found = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if "\\ud" in text.lower():
            # Half of a pair of surrogates is no character, and has no bytes.
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadRequest from None
    if text.count("{") + text.count("[") > DEEPEST and _is_too_deep(found):
        raise BadRequest
    return found


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    return any(isinstance(one, dict | list) for one in level)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("no number of JSON")
    return number


class CleanRequest(Request):
    """A request whose texts hold no NUL: the database can't keep one, and nobody means one."""

    _read: Any

    async def json(self) -> Any:
        """The body's JSON, in UTF-8 as its standard has it; None where there is no body. Raises `BadRequest`."""
        if not hasattr(self, "_read"):
            body = await self.body()
            try:
                self._read = read_json(body.decode()) if body.strip() else None
            except UnicodeDecodeError:
                raise BadRequest from None
        return self._read

    async def body(self) -> bytes:
        """The body without NUL characters."""
        body = await super().body()
        return _NUL.sub(rb"\1", body) if b"\\u0000" in body else body


def refuse_nul(request: Request) -> None:
    """Raises `BadRequest` for a path or query with a NUL character, which names nothing."""
    if "\x00" in request.url.path or b"%00" in request.scope["query_string"]:
        raise BadRequest


class CleanRoute(APIRoute):
    """A route that gets clean requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def clean(request: Request) -> Response:
            refuse_nul(request)
            return await handler(CleanRequest(request.scope, request.receive))

        return clean


class LimitedBody:
    """Refuses bodies that are too large: before they are read where they say so, else as soon as they turn out to be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; whoever reads its body hears `PayloadTooLarge`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = 0

        async def receive_part() -> Message:
            nonlocal size
            if _declared_size(scope) > LARGEST_BODY:
                raise PayloadTooLarge
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise PayloadTooLarge
            return message

        await self._app(scope, receive_part, send)


def _declared_size(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


_JSON = (b"content-type", b"application/json")
_JSON_IN_UTF_8 = (b"content-type", b"application/json; charset=utf-8")


class NamedCharset:
    """Says of answers in JSON that they are in UTF-8, which FastAPI leaves to the standard (platform §1.3)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and its answer back with the name."""

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [_JSON_IN_UTF_8 if header == _JSON else header for header in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_named)


_MARK = "\ufdd0"
_HIDDEN = {ord("/"): f"{_MARK}s", ord("\n"): f"{_MARK}n", ord(_MARK): _MARK * 2}
"""What stands for characters of an id while routes are matched, which would part it, or end it, or stand for another."""

_SHOWN = {hidden: chr(shown) for shown, hidden in _HIDDEN.items()}
_TO_HIDE = re.compile(rb"%2f|%0a|%ef%b7%90", re.IGNORECASE)
_TO_SHOW = re.compile("|".join(_SHOWN))


class KeptSlashes:
    """Matches routes by what separates their parts: an encoded slash belongs to an id, as clients that encode ids mean it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, its encoded slashes out of the way."""
        raw = scope.get("raw_path") or b""
        if scope["type"] == "http" and raw.startswith(b"/api/v1/") and _TO_HIDE.search(raw):
            scope = {**scope, "path": "/".join(_part(part) for part in raw.split(b"/"))}
        await self._app(scope, receive, send)


def _part(raw: bytes) -> str:
    return unquote(raw.decode("ascii", "replace")).translate(_HIDDEN)


def restore_slashes(request: Request) -> None:
    """Give the ids of a matched request what was hidden in them back."""
    scope = request.scope
    if _MARK in scope["path"]:
        scope["path"] = _shown(scope["path"])
        scope["path_params"] = {
            name: _shown(value) if isinstance(value, str) else value
            for name, value in scope["path_params"].items()
        }


def _shown(path: str) -> str:
    return _TO_SHOW.sub(lambda found: _SHOWN[found[0]], path)
