"""Asking the application itself: a GET as a caller would make it, answered in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message

from tallymark.api.sessions import ORGANIZATION

_SCOPE = ("type", "asgi", "http_version", "server", "client", "scheme", "root_path")

AS_CALLER = frozenset({b"authorization", b"cookie", b"user-agent", ORGANIZATION.encode()})
"""The headers of a request that tell whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered."""

    status: int
    headers: Headers
    body: bytes


async def ask(
    application: ASGIApp, request: Request, target: str, *, headers: AbstractSet[bytes] = AS_CALLER
) -> Answer:
    """Have an application answer a GET of a target, the path and query as they stand in a request's first line.

    It comes from whom `request` comes from, with some of its headers, and goes through all that a call of its own would. A
    defect is answered as to any caller.
    """
    collected = _Collected()
    try:
        await application(_scope_of(request, target, headers), _NoBody().receive, collected.send)
    except Exception:
        # Once it has been answered, it has been told of: the outermost layer raises it again for the server alone.
        if collected.answer.status == 0:
            raise
    return collected.answer


def _scope_of(request: Request, target: str, headers: AbstractSet[bytes]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {name: request.scope[name] for name in _SCOPE if name in request.scope} | {
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode("latin-1"),
        "headers": [pair for pair in request.scope["headers"] if pair[0] in headers],
    }


class _NoBody:
    """A caller who sends nothing and waits for the answer, however long it takes."""

    def __init__(self) -> None:
        self._has_sent = False

    async def receive(self) -> Message:
        if self._has_sent:
            await asyncio.Event().wait()
        self._has_sent = True
        return {"type": "http.request", "body": b"", "more_body": False}


class _Collected:
    """An answer that is being put together; its status is 0 until it begins."""

    def __init__(self) -> None:
        self.answer = Answer(status=0, headers=Headers(), body=b"")

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=list(message.get("headers", ())))
            self.answer = Answer(status=message["status"], headers=headers, body=b"")
        elif message["type"] == "http.response.body":
            body = self.answer.body + message.get("body", b"")
            self.answer = Answer(status=self.answer.status, headers=self.answer.headers, body=body)
