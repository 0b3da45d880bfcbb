"""The doors for whoever runs an installation: whether a process is well, and takes requests (platform §17)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from tallymark import __version__
from tallymark.db.engine import Database

GITHUB_URL = "https://github.com/tallymark/tallymark"

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Whether the process lives and reaches its database (platform §17)."""
    return await health_of(request.app.state.database)


async def health_of(database: Database) -> JSONResponse:
    """Whether a process reaches its database."""
    body: dict[str, Any] = {"version": __version__, "github_url": GITHUB_URL}
    try:
        async with database.system():
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
