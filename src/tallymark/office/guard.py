"""What stands before the office: who the tailnet says is calling, what other sites may not ask for, what a page may load.

`tailscale serve` runs beside Tallymark and hands on who is calling in headers that it takes from nobody else. So they count only
where they come from this machine, once, and for a host of a tailnet: a page that a browser on this machine has loaded from
elsewhere can say anything in headers, but not under such a name.
"""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallymark.api.requests import SAFE_METHODS
from tallymark.rooms.staff.model import StaffList

LOGIN = "tailscale-user-login"
IDENTITY = (LOGIN, "tailscale-user-name", "tailscale-user-profile-pic")
TAILNET = ".ts.net"
"""How the names of tailnets' machines end; their owner gives them to nobody else."""

LARGEST_FORM = 64 * 1024
"""In bytes: a reason, and some names."""

log = structlog.get_logger(__name__)


class Refused(Exception):
    """A request that no staff member's browser sends."""


class Guard:
    """Lets requests through to the office, with `office_login` as the login that the tailnet vouches for, if it does."""

    def __init__(self, app: ASGIApp, *, staff: StaffList, app_url: str) -> None:
        self._app, self._staff = app, staff
        parts = urlsplit(app_url)
        self._web_app = f"{parts.scheme}://{parts.netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if Headers(scope=scope).get("x-forwarded-proto") == "https":
            scope["scheme"] = (
                "https"  # links are to say so; whoever lies about it misleads nobody but themselves
            )
        request = Request(scope)
        try:
            request.state.office_login = login_of(request, self._staff)
            refuse_other_sites(request)
            refuse_large_forms(request)
        except Refused as error:
            log.warning("refused at the back office", why=str(error), peer=peer_of(request))
            await PlainTextResponse("Forbidden\n", 403)(scope, receive, send)
            return
        nonce = request.state.nonce = secrets.token_urlsafe(16)
        await self._app(scope, receive, self._guarding(send, nonce))

    def _guarding(self, send: Send, nonce: str) -> Send:
        policy = (
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
            f"form-action 'self' {self._web_app}"
        )

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if headers.get("content-type", "").startswith(("text/html", "application/json")):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return guarded


def login_of(request: Request, staff: StaffList) -> str | None:
    """The login that `tailscale serve` vouches for, of somebody on the list; None where it vouches for nobody, or for another.

    Raises `Refused` for headers that it can't have written.
    """
    headers = request.headers
    if not any(name in headers for name in IDENTITY):
        return None
    if not is_loopback(peer_of(request)):
        raise Refused("a tailnet's headers came from another machine")
    if repeated := [name for name in IDENTITY if len(headers.getlist(name)) > 1]:
        raise Refused(f"{', '.join(repeated)} came more than once")
    if not is_of_tailnet(headers.get("host", "")):
        raise Refused("a tailnet's headers came for a host of none")
    login = headers.get(LOGIN, "").lower()
    return login if staff.admits(login) else None


def refuse_other_sites(request: Request) -> None:
    """Let a change pass that a page of the office asks for, or no browser at all. Raises `Refused`."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    is_own = site in ("same-origin", "none") if site is not None else _is_own(origin, request)
    if not is_own:
        raise Refused("another site asked for a change")


def refuse_large_forms(request: Request) -> None:
    """Let a form pass that says its length, and is no longer than the office's are: they are read before anybody is known.

    Raises `Refused`.
    """
    if request.method in SAFE_METHODS:
        return
    length = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or (length and not _is_small(length)):
        raise Refused("a form of the office is not as large, and says its length")


def _is_small(length: str) -> bool:
    return length.isascii() and length.isdigit() and int(length) <= LARGEST_FORM


def _is_own(origin: str | None, request: Request) -> bool:
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def peer_of(request: Request) -> str | None:
    """The address at the other end of the connection, whatever headers say."""
    return request.client.host if request.client else None


def caller_of(request: Request) -> str | None:
    """Where somebody calls from: what this machine's own proxy says, else the other end of the connection."""
    peer = peer_of(request)
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded if forwarded and is_loopback(peer) else peer


def is_loopback(address: str | None) -> bool:
    """Whether an address is this machine's own.

    >>> [is_loopback(one) for one in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "100.64.0.7", "testclient", None)]
    [True, True, True, False, False, False]
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    inner = getattr(found, "ipv4_mapped", None)
    return (inner or found).is_loopback


def is_of_tailnet(host: str) -> bool:
    """Whether a `Host` names a machine of a tailnet.

    >>> [is_of_tailnet(one) for one in ("office.cat-dog.ts.net", "office.cat-dog.ts.net:8443", "localhost:8788", "ts.net")]
    [True, True, False, False]
    """
    return host.lower().partition(":")[0].endswith(TAILNET)


def without_inline_code(source: str) -> str:
    """A template whose own scripts run under the policy: each has the page's nonce, and no attribute is code.

    >>> without_inline_code('<script src="a.js"></script><select onchange="window.location = this.value">')
    '<script nonce="{{ request.state.nonce }}" src="a.js"></script><select data-office-goes="">'
    """
    marked = source.replace("<script", '<script nonce="{{ request.state.nonce }}"')
    return marked.replace('onchange="window.location = this.value"', 'data-office-goes=""')
