"""How staff come in: by what the tailnet says, or by a link from the installation's shell that is good once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette_admin.auth import AdminUser, BaseAuthProvider

from tallymark.db.engine import Database
from tallymark.domain.errors import NotFound
from tallymark.jobs.deeds import Staff, Via
from tallymark.office.guard import LOGIN, caller_of
from tallymark.rooms.staff import service
from tallymark.rooms.staff.model import SESSION_LASTS

COOKIE = "tallymark_office"


@dataclass
class StaffUser(AdminUser):
    """Somebody who has come in, as the library shows them."""

    staff: Staff | None = None


def staff_of(request: Request) -> Staff:
    """Who asks for a page of the office."""
    user: StaffUser = request.state.admin_user
    assert user.staff is not None, "nobody else passes the door"
    return user.staff


class StaffDoor(BaseAuthProvider):
    """Knows staff by the tailnet, else by a session's cookie."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(allow_routes=["enter", "letters"])
        self._database, self._clock = database, clock

    async def authenticate(self, request: Request) -> AdminUser | None:
        """Who is calling; None for nobody that we know."""
        if request.url.path.startswith(f"{request.scope['root_path']}/static/"):
            return None  # files say nothing, and are for everybody
        caller = caller_of(request)
        login: str | None = request.state.office_login
        if login is not None:
            return StaffUser(username=login, staff=Staff(login=login, via=Via.TAILSCALE, ip_address=caller))
        token = request.cookies.get(_cookie_name(request))
        if not token:
            return None
        async with self._database.system() as connection:
            login = await service.find_session(connection, token, now=self._clock())
        if login is None:
            return None
        return StaffUser(username=login, staff=Staff(login=login, via=Via.LINK, ip_address=caller))

    def get_routes(self, templates: Jinja2Templates) -> list[Route]:
        """The doors themselves."""

        async def login(request: Request) -> Response:
            shown = {"unlisted": request.headers.get(LOGIN)}
            return templates.TemplateResponse(request, "sign-in.html", shown)

        async def enter(request: Request) -> Response:
            """A page first: what looks at links by itself must not use one up."""
            token = request.path_params["token"]
            try:
                if request.method == "POST":
                    return await self._enter(request, token)
                async with self._database.system() as connection:
                    who = await service.check_link(connection, token, now=self._clock())
            except NotFound:
                return templates.TemplateResponse(request, "link-over.html", status_code=404)
            return templates.TemplateResponse(request, "enter.html", {"login": who})

        async def leave(request: Request) -> Response:
            return await self._leave(request)

        return [
            Route("/login", login, methods=["GET"], name="login"),
            Route("/enter/{token}", enter, methods=["GET", "POST"], name="enter"),
            Route("/logout", leave, methods=["POST"], name="logout"),
        ]

    async def _enter(self, request: Request, token: str) -> Response:
        async with self._database.system() as connection:
            begun = await service.take_link(
                connection, token, ip_address=caller_of(request), now=self._clock()
            )
        response = RedirectResponse(request.url_for("office:index"), 303)
        is_secure = request.url.scheme == "https"
        response.set_cookie(
            _cookie_name(request),
            begun,
            max_age=int(SESSION_LASTS.total_seconds()),
            path="/",
            secure=is_secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def _leave(self, request: Request) -> Response:
        name = _cookie_name(request)
        token = request.cookies.get(name)
        if token is None:
            # The tailnet says who somebody is with every request: there is no session to end.
            raise HTTPException(
                404, "There is no session to end: leave the tailnet, or be taken off the list."
            )
        async with self._database.system() as connection:
            await service.end_session(connection, token, ip_address=caller_of(request), now=self._clock())
        response = RedirectResponse(request.url_for("office:login"), 303)
        response.delete_cookie(
            name, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
        )
        return response


def _cookie_name(request: Request) -> str:
    """With a prefix that keeps neighbours on other hosts from setting it, where there is HTTPS."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE
