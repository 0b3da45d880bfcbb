"""The door of the web app through which staff come in for a visit."""

from __future__ import annotations

from fastapi import Request, Response

from tallymark.api.sessions import app_router, cookie_of
from tallymark.db.engine import Database
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.staff import visits
from tallymark.rooms.staff.schemas import VisitRequest
from tallymark.rooms.users.routes import show_session
from tallymark.rooms.users.schemas import CurrentUserResponse

router = app_router("app: session")


@router.post("/visits")
async def begin_visit(body: VisitRequest, request: Request, response: Response) -> CurrentUserResponse:
    """Begin a visit of staff by the link that the back office made: 404 `visit_not_found` once it is used, or over."""
    database: Database = request.app.state.database
    async with database.system() as connection:
        token = await visits.begin_visit(connection, body.token, now=system_now())
    cookie_of(request).put(response, token)
    return await show_session(request, token)
