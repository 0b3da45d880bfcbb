"""The doors for whoever runs an installation: whether a process is well, and takes requests (platform §17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from tallymark import __version__
from tallymark.api.wire import wire_instant
from tallymark.db.engine import Database
from tallymark.domain.errors import NotFound

GITHUB_URL = "https://github.com/tallymark/tallymark"

SECURITY_TXT = "/.well-known/security.txt"
TOLD_FOR = timedelta(days=180)
"""How long somebody may rely on whom security reports go to: less than the year that RFC 9116 advises at the most."""

router = APIRouter(tags=["operations"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityContact:
    """Where vulnerabilities of an installation are reported: an address with its scheme."""

    address: str
    base_url: str
    clock: Callable[[], datetime]

    def write(self) -> str:
        """What RFC 9116 asks for: who, for how long that holds from today on, and where it stands."""
        today = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        lines = {
            "Contact": self.address,
            "Expires": wire_instant(today + TOLD_FOR),
            "Canonical": f"{self.base_url}{SECURITY_TXT}",
        }
        return "".join(f"{name}: {value}\n" for name, value in lines.items())


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Whether the process lives and reaches its database (platform §17)."""
    return await health_of(request.app.state.database)


async def health_of(database: Database) -> JSONResponse:
    """Whether a process reaches its database."""
    body: dict[str, Any] = {"version": __version__, "github_url": GITHUB_URL}
    try:
        await database.ping()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the database is the answer
        return JSONResponse({**body, "message": "Unhealthy", "details": type(error).__name__}, 500)
    return JSONResponse({**body, "message": "Success"})


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether new requests should come here."""
    if request.app.state.is_draining:
        return JSONResponse({"status": "shutting down"}, 503)
    return JSONResponse({"status": "ok"})


@router.get(SECURITY_TXT, include_in_schema=False)
async def security_txt(request: Request) -> PlainTextResponse:
    """Whom to tell of a vulnerability (RFC 9116), where the operator says. Raises `NotFound` where not."""
    contact: SecurityContact | None = request.app.state.security_contact
    if contact is None:
        raise NotFound("resource")
    return PlainTextResponse(contact.write())
