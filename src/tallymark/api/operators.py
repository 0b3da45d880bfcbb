"""The admin API's own gate: whoever runs the installation comes in by its key, and reaches every organization (platform §17)."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from tallymark.api.errors import Unauthorized
from tallymark.domain.errors import NotFound


def admit_operator(request: Request, x_admin_api_key: Annotated[str | None, Header()] = None) -> None:
    """Let whoever brings the admin key pass. Raises `Unauthorized`; `NotFound` where the installation has none."""
    expected: str | None = request.app.state.admin_api_key
    if expected is None:
        raise NotFound("resource")
    if x_admin_api_key is None or not secrets.compare_digest(x_admin_api_key.encode(), expected.encode()):
        raise Unauthorized


def operator_router() -> APIRouter:
    """A router of the admin API's routes."""
    return APIRouter(prefix="/admin", tags=["admin"], dependencies=[Depends(admit_operator)])
