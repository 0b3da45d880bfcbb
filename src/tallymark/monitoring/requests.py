"""Requests as they are measured: in front of everything, by what they asked for and never by what was in it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallymark.monitoring.metrics import Metrics

if TYPE_CHECKING:
    from tallymark.integrations.telemetry import Telemetry

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are made up by those who call."""

FIXED = frozenset({"/api/v1/events", "/api/v1/events/batch", "/mcp"})
"""Addresses that are answered before any route is looked for."""


class Measured:
    """Stands in front of an application and counts what it answers."""

    def __init__(self, application: ASGIApp, metrics: Metrics, telemetry: Telemetry | None = None) -> None:
        self._application = application
        self._metrics, self._telemetry = metrics, telemetry
        self.state: Any = application.state  # type: ignore[attr-defined]  # what stands here has one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note its answer; one that has none is a failure of ours."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        scope.setdefault("state", {})
        began = perf_counter()
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, send_noted)
        finally:
            seconds = perf_counter() - began
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = route_of(scope, status)
            self._metrics.note_request(method, route, status, seconds)
            if self._telemetry is not None:
                self._telemetry.note_request(method, route, seconds)


def route_of(scope: Scope, status: int) -> str:
    """What a request that was answered had asked for: the template of its route, so that there are only so many.

    >>> route_of({"path": "/api/v1/events", "state": {}}, 200)
    '/api/v1/events'
    >>> route_of({"path": "/wp-login.php", "state": {}}, 404)
    'none'
    """
    route = scope.get("route")
    if route is not None:
        return str(getattr(route, "path_format", route.path))
    # A request that was rewritten on its way left its route with what it shares with the original.
    if template := scope.get("state", {}).get("route"):
        return str(template)
    path = scope["path"]
    if path in FIXED:
        return str(path)
    return "none" if status in (404, 405) else "web app"
