"""The door to what the installation is connected with, for the web app."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel

from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.rooms.organizations.model import Connections

router = member_router("app: installation")


class InstallationOutput(BaseModel):
    """Whether there is a mail server, a collector of traces and metrics, and a project that errors are told to."""

    emails: bool
    telemetry: bool
    error_reports: bool


class InstallationResponse(BaseModel):
    installation: InstallationOutput


@router.get("/installation")
@permitted("organization:integrations:view")
async def show_installation(request: Request) -> InstallationResponse:
    """Show which systems the installation's settings connect it with, without where they are."""
    found: Connections = request.app.state.connections
    shown = InstallationOutput(
        emails=found.emails, telemetry=found.telemetry, error_reports=found.error_reports
    )
    return InstallationResponse(installation=shown)
