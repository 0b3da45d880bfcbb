"""Requests as every route gets them: without characters that the database can't keep."""

from __future__ import annotations

import re

from fastapi import Request

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
