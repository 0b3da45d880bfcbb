"""The API as one ASGI application: the rooms' routes, the fast lane for events, health and documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tallymark import __version__
from tallymark.api.context import Context
from tallymark.api.errors import register_error_handlers
from tallymark.db.engine import Database
from tallymark.rooms.organizations import routes as organizations
from tallymark.rooms.organizations.access import Access

GITHUB_URL = "https://github.com/tallymark/tallymark"
ROUTERS: tuple[APIRouter, ...] = (organizations.router, organizations.admin_router)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Everything the API needs from outside, made by whoever starts it."""

    database: Database
    base_url: str
    admin_api_key: str | None
    settle: Callable[[Context], Awaitable[None]]


def create_api(wiring: Wiring | None = None) -> FastAPI:
    """Build the FastAPI application; without a wiring it can only describe itself."""
    api = FastAPI(
        title="Tallymark",
        version=__version__,
        summary="Metering and usage-based billing. Speaks the Lago REST API v1.",
        docs_url="/api-docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    register_error_handlers(api)
    for router in ROUTERS:
        api.include_router(router)
    api.include_router(_operations())
    if wiring is not None:
        api.state.database = wiring.database
        api.state.base_url = wiring.base_url
        api.state.admin_api_key = wiring.admin_api_key
        api.state.gatekeeper = Access(wiring.database, wiring.settle)
        api.state.is_draining = False
    return api


def _operations() -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health")
    async def health(request: Request) -> JSONResponse:
        """Whether the process lives and reaches its database (platform §17)."""
        body: dict[str, Any] = {"version": __version__, "github_url": GITHUB_URL}
        try:
            async with request.app.state.database.system():
                pass
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the database is the answer
            return JSONResponse({**body, "message": "Unhealthy", "details": type(error).__name__}, 500)
        return JSONResponse({**body, "message": "Success"})

    @router.get("/ready")
    async def ready(request: Request) -> JSONResponse:
        """Whether new requests should come here."""
        if request.app.state.is_draining:
            return JSONResponse({"status": "shutting down"}, 503)
        return JSONResponse({"status": "ok"})

    return router
