"""The protocol at `/mcp`, beside the REST API: stateless, so that any process may answer any request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallymark.api.context import Principal
from tallymark.api.errors import BadRequest, PayloadTooLarge, Unauthorized, error_body
from tallymark.api.permissions import Right
from tallymark.api.requests import CleanRequest, LimitedBody

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"

Authenticate = Callable[[str], Awaitable[Principal]]
"""Finds whom an `Authorization` header stands for. Raises `Unauthorized`."""


class Assistants:
    """Answers at `/mcp`, and hands everything else on; what it takes is loaded when somebody comes."""

    def __init__(self, api: ASGIApp, authenticate: Authenticate, *, state: object) -> None:
        self.state = state
        self._api = api
        self._authenticate = authenticate
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None
        self._limited = LimitedBody(self._hand_on)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the protocol whose key is known, and every other request by the API."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH:
            await self._api(scope, receive, send)
            return
        try:
            await self._rights(Request(scope))
            await self._limited(scope, receive, send)
        except (Unauthorized, BadRequest, PayloadTooLarge) as error:
            body = error_body(error)
            await JSONResponse(body, status_code=body["status"])(scope, receive, send)

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a message answered that is JSON as every route of the API takes it. Raises `BadRequest`, `PayloadTooLarge`."""
        request = CleanRequest(scope, receive)
        await request.json()
        body = await request.body()
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive_again() -> Message:
            return next(parts, None) or await receive()

        manager = await self._started()
        await manager.handle_request(scope, receive_again, send)

    async def _rights(self, request: Request) -> frozenset[Right] | None:
        principal = await self._authenticate(request.headers.get("authorization", ""))
        return principal.rights

    async def _started(self) -> StreamableHTTPSessionManager:
        async with self._starting:
            if self._manager is None:
                from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

                from tallymark.integrations.assistants.server import make_server

                manager = StreamableHTTPSessionManager(
                    make_server(self._api, self._rights), json_response=True, stateless=True
                )
                ready = asyncio.Event()
                self._running = asyncio.create_task(_keep(manager, ready))
                await ready.wait()
                self._manager = manager
        return self._manager

    async def close(self) -> None:
        """End what is still being answered."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running


async def _keep(manager: StreamableHTTPSessionManager, ready: asyncio.Event) -> None:
    async with manager.run():
        ready.set()
        await asyncio.Event().wait()
