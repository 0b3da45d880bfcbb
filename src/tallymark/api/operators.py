"""The admin API's own gate: whoever runs the installation comes in by its key, and reaches every organization (platform §17)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from tallymark.api.errors import Unauthorized
from tallymark.api.requests import CleanRoute
from tallymark.db.engine import Actor
from tallymark.domain.errors import NotFound
from tallymark.jobs.deeds import OPERATOR, Staff, Via


def admit_operator(request: Request, x_admin_api_key: Annotated[str | None, Header()] = None) -> None:
    """Let whoever brings the admin key pass. Raises `Unauthorized`; `NotFound` where the installation has none."""
    expected: str | None = request.app.state.admin_api_key
    if expected is None:
        raise NotFound("resource")
    if x_admin_api_key is None or not secrets.compare_digest(x_admin_api_key.encode(), expected.encode()):
        raise Unauthorized


def operator_of(request: Request) -> Actor:
    """Whom the logs of an organization name where the operator changes it: nobody, from where the call came."""
    return Actor(
        user_agent=request.headers.get("user-agent", ""),
        ip_address=request.client.host if request.client else None,
    )


def staff_of(request: Request) -> Staff:
    """Whom the audit of staff names for a call of the admin API: all that is known is that they have its key."""
    return Staff(login=OPERATOR, via=Via.KEY, ip_address=operator_of(request).ip_address)


class OperatorRoute(CleanRoute):
    """A route of the admin API: its caller is known before the body is looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            admit_operator(request, request.headers.get("x-admin-api-key"))
            return await handler(request)

        return guarded


def operator_router() -> APIRouter:
    """A router of the admin API's routes."""
    # The dependency has the description name the header.
    dependencies = [Depends(admit_operator)]
    return APIRouter(prefix="/admin", route_class=OperatorRoute, tags=["admin"], dependencies=dependencies)
