"""The internal listener: an application of its own, on a socket of its own, for those who run an installation.

Nothing of it can be reached by the public port, and nothing of the API by this one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tallymark.api.operations import health_of
from tallymark.app import Running
from tallymark.monitoring.backlog import Backlog
from tallymark.monitoring.metrics import Metrics

log = structlog.get_logger(__name__)

PAGE = """Tallymark's internal listener.

/metrics  what this installation does, for Prometheus
/health   whether this process lives and reaches its database
/ready    whether this process takes on work
"""


class Inside:
    """Lets nothing through that Tailscale's Funnel brings from the world: whoever points one here by mistake shows nobody anything."""

    FUNNEL = "tailscale-funnel-request"

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and self.FUNNEL in Headers(scope=scope):
            log.warning(
                "refused at the internal listener",
                why="it came through a funnel, from outside of the tailnet",
            )
            await PlainTextResponse("Forbidden\n", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def make_internal_app(
    parts: Running,
    metrics: Metrics,
    backlog: Backlog,
    *,
    look: Callable[[], None],
    mounts: Sequence[Mount] = (),
) -> Starlette:
    """What the internal listener answers; `look` brings up to date what is only looked at. Other tools are mounted beside it."""

    async def tell_metrics(_: Request) -> Response:
        await backlog.refresh()
        look()
        return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE_LATEST)

    async def tell_health(_: Request) -> Response:
        return await health_of(parts.database)

    async def tell_ready(_: Request) -> Response:
        is_draining = getattr(parts.asgi, "state").is_draining  # noqa: B009 - an ASGI application has none by its type
        status = {"status": "shutting down"} if is_draining else {"status": "ok"}
        return JSONResponse(status, 503 if is_draining else 200)

    async def tell_what_is_here(_: Request) -> Response:
        return PlainTextResponse(PAGE + "".join(f"{mount.path}  for staff\n" for mount in mounts))

    own: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/": tell_what_is_here,
        "/metrics": tell_metrics,
        "/health": tell_health,
        "/ready": tell_ready,
    }
    routes: list[Any] = [Route(path, endpoint, methods=["GET"]) for path, endpoint in own.items()]
    return Starlette(routes=[*routes, *mounts], middleware=[Middleware(Inside)])
