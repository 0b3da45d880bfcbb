"""Requests as every route gets them: without characters that the database can't keep, ids with their slashes."""

from __future__ import annotations

import re
from urllib.parse import unquote

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tallymark.api.errors import BadRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape of a NUL character in JSON: a reverse solidus that is not escaped itself."""


class CleanRequest(Request):
    """A request whose texts hold no NUL: the database can't keep one, and nobody means one."""

    async def body(self) -> bytes:
        """The body without NUL characters."""
        body = await super().body()
        return _NUL.sub(rb"\1", body) if b"\\u0000" in body else body


def refuse_nul(request: Request) -> None:
    """Raises `BadRequest` for a path or query with a NUL character, which names nothing."""
    if "\x00" in request.url.path or b"%00" in request.scope["query_string"]:
        raise BadRequest


_SLASH = "\ufdd0"
"""Stands for a slash within an id while routes are matched; no text has this code point."""

_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)


class KeptSlashes:
    """Matches routes by what separates their parts: an encoded slash belongs to an id, as clients that encode ids mean it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, its encoded slashes out of the way."""
        raw = scope.get("raw_path") or b""
        if scope["type"] == "http" and raw.startswith(b"/api/v1/") and _ENCODED_SLASH.search(raw):
            scope = {**scope, "path": "/".join(_part(part) for part in raw.split(b"/"))}
        await self._app(scope, receive, send)


def _part(raw: bytes) -> str:
    return unquote(raw.decode("ascii", "replace")).replace("/", _SLASH)


def restore_slashes(request: Request) -> None:
    """Give the ids of a matched request their slashes back."""
    scope = request.scope
    if _SLASH in scope["path"]:
        scope["path"] = scope["path"].replace(_SLASH, "/")
        scope["path_params"] = {
            name: value.replace(_SLASH, "/") if isinstance(value, str) else value
            for name, value in scope["path_params"].items()
        }
