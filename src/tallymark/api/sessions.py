"""People who have signed in: the cookie by which they are known, and what keeps other sites from using it (decision 25)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from tallymark.api.context import Principal, Sessions, SignedIn
from tallymark.api.errors import Unauthorized
from tallymark.api.requests import SAFE_METHODS, CleanRoute
from tallymark.domain.errors import Forbidden

PREFIX = "/app/v1"
"""Where the web app's own endpoints are."""

ORGANIZATION = "x-lago-organization"
"""The header that says which organization somebody enters (platform §7)."""

OVER = "expired_jwt_token"
"""What whoever comes with a session that has ended is told (platform §7)."""


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie of sessions, for this site alone and for no script; over HTTPS it travels there only."""

    base_url: str

    @property
    def is_secure(self) -> bool:
        """Whether the site is reached over HTTPS."""
        return self.base_url.startswith("https://")

    @property
    def name(self) -> str:
        """With a prefix that keeps neighbours on other hosts from setting it, where there is HTTPS."""
        return "__Host-tallymark_session" if self.is_secure else "tallymark_session"

    def read(self, request: Request) -> str | None:
        """The token that a request brings."""
        return request.cookies.get(self.name)

    def put(self, response: Response, token: str) -> None:
        """Let the browser bring a token until it is closed, or the session is over."""
        response.set_cookie(self.name, token, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def drop(self, response: Response) -> None:
        """Let the browser forget the token."""
        response.delete_cookie(self.name, path="/", secure=self.is_secure, httponly=True, samesite="lax")


def cookie_of(request: Request) -> SessionCookie:
    """The cookie of this installation."""
    return SessionCookie(request.app.state.base_url)


def refuse_other_sites(request: Request) -> None:
    """Let a change pass that this site asks for, or no browser at all. Raises `Forbidden("cross_origin_request")`.

    A browser says where a change comes from: by `Sec-Fetch-Site`, the older ones by `Origin`. A form or script of another site
    can't take that away.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        own = (request.headers.get("host"), urlsplit(request.app.state.base_url).netloc)
        is_own = origin is None or urlsplit(origin).netloc in own
    if not is_own:
        raise Forbidden("cross_origin_request")


async def find_session(request: Request) -> SignedIn:
    """Who has signed in. Raises `Unauthorized`, with a code where a session is over."""
    token = cookie_of(request).read(request)
    if not token:
        raise Unauthorized
    sessions: Sessions = request.app.state.sessions
    found = await sessions.find(token)
    if found is None:
        raise Unauthorized(OVER)
    return found


async def enter_organization(request: Request, *, is_write: bool) -> Principal:
    """Let somebody who has signed in enter the organization that the request names.

    Raises `Unauthorized`; `Forbidden` for what another site asks for, and where members may not sign in so; `NotFound` for an
    organization that is not theirs.
    """
    token = cookie_of(request).read(request)
    if not token:
        raise Unauthorized
    if is_write:
        refuse_other_sites(request)
    sessions: Sessions = request.app.state.sessions
    principal = await sessions.enter(token, request.headers.get(ORGANIZATION, ""))
    if principal is None:
        raise Unauthorized(OVER)
    return principal


async def look_for_session(request: Request) -> SignedIn | None:
    """Who has signed in, if anybody has."""
    try:
        return await find_session(request)
    except Unauthorized:
        return None


InSession = Annotated[SignedIn, Depends(find_session)]


class AppRoute(CleanRoute):
    """A route of the web app that belongs to no organization: no other site may have it change something."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if request.method not in SAFE_METHODS:
                refuse_other_sites(request)
            return await handler(request)

        return guarded


def app_router(tag: str) -> APIRouter:
    """A router of the web app's endpoints that belong to no organization."""
    return APIRouter(prefix=PREFIX, route_class=AppRoute, tags=[tag])
