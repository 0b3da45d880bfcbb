"""The web app at the API's own address: its files, and its page for every address that is no door of the API."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tallymark.api.asking import ask
from tallymark.api.sessions import PREFIX, cookie_of
from tallymark.web.files import INDEX, Build, BuiltFile

DIST = Path(__file__).with_name("dist")
"""Where `make web` leaves what it builds."""

RESERVED = (
    "/admin", "/api", "/api-docs", "/app/v1", "/docs", "/files", "/health", "/mcp", "/metrics", "/openapi.json", "/ready",
)  # fmt: skip
"""Addresses of the API, and what lies below them: what is unknown there is answered as the API answers it."""

ASSETS = "assets/"
"""Files whose names change with what is in them."""

FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
NOBODYS_ELSE = "no-store"

PORTAL = "customer-portal/"
"""Pages of customers' links: whoever looks at one while signed in is nobody's member there."""

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; "
        "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What a page may do: run the app's own scripts, which talk to this address alone (and to whom errors are told), and be in nobody's frame."""

NOT_BUILT = """Tallymark runs, and its API answers at /api/v1. The web app is not built here.

Build it in the source tree with

    make web

and load this page again. What the API can do is described at /api-docs.
"""


class WebApp:
    """Answers what no route of the API takes: GET and HEAD of the app's files and pages. Everything else goes to `unknown`."""

    def __init__(self, unknown: ASGIApp, folder: Path) -> None:
        self._unknown = unknown
        self._build = Build(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        respond = await self._find(scope) or self._unknown
        await respond(scope, receive, send)

    async def _find(self, scope: Scope) -> Response | None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return None
        path, headers = scope["path"], Headers(scope=scope)
        reports_to = _reports_to(scope)
        if is_reserved(path):
            return None
        name = path.removeprefix("/") or INDEX
        files = self._build.files()
        if name not in files:
            if name.startswith(ASSETS) or not (name == INDEX or accepts_pages(headers)):
                return None
            name = INDEX
        if not files:
            return PlainTextResponse(NOT_BUILT, headers={"Cache-Control": ASK_FIRST, **_guards(is_page=True)})
        if name == INDEX and (session := await _find_session(scope)):
            return _page_of(files[INDEX], session, reports_to)
        return _answer(name, files[name], headers, reports_to)


async def _find_session(scope: Scope) -> bytes | None:
    """What the app would ask before all else, where it is known who comes: who has signed in, as JSON."""
    request = Request(scope)
    if scope["path"].startswith(f"/{PORTAL}") or "app" not in scope:
        return None
    if not hasattr(request.app.state, "base_url") or cookie_of(request).read(request) is None:
        return None
    answer = await ask(request.app, request, f"{PREFIX}/session", headers=frozenset({b"cookie"}))
    return answer.body if answer.status == HTTPStatus.OK else None


def _page_of(file: BuiltFile, session: bytes, reports_to: str | None) -> Response:
    """The app's page with the session in it, so that the first thing that it asks for is its data. Nobody keeps it."""
    # In a script that is data, and run by no browser, nothing but the end of it is read as markup.
    told = b'<script id="session" type="application/json">' + session.replace(b"<", rb"\u003c") + b"</script>"
    page = file.contents["identity"].replace(b"</head>", told + b"</head>", 1)
    guards = _guards(is_page=True, reports_to=reports_to)
    headers = {"Cache-Control": NOBODYS_ELSE, "Vary": "Accept, Cookie", **guards}
    return Response(page, media_type=file.content_type, headers=headers)


def serve_web_app(api: FastAPI, folder: Path = DIST) -> None:
    """Let an application answer what none of its routes takes by the web app: routes are looked at first, as fast as before."""
    api.router.default = WebApp(api.router.not_found, folder)


def is_reserved(path: str) -> bool:
    """Whether an address is one of the API's, known or not.

    >>> is_reserved("/api/v1/nothing"), is_reserved("/docs"), is_reserved("/acme/customers"), is_reserved("/apis")
    (True, True, False, False)
    """
    return any(path == place or path.startswith(f"{place}/") for place in RESERVED)


def accepts_pages(headers: Mapping[str, str]) -> bool:
    """Whether somebody looks for a page, as browsers do who go to an address; whoever takes anything is a program."""
    kinds = (part.partition(";")[0].strip().lower() for part in headers.get("accept", "").split(","))
    return "text/html" in kinds or "application/xhtml+xml" in kinds


def _reports_to(scope: Scope) -> str | None:
    """The origin that the app's pages may tell errors to."""
    reporting = getattr(scope["app"].state, "error_reporting", None) if "app" in scope else None
    return None if reporting is None else origin_of(reporting.dsn)


def origin_of(address: str) -> str:
    """What a page must be allowed to connect to, so that it reaches an address.

    >>> origin_of("https://key@o1.ingest.sentry.io:8443/7")
    'https://o1.ingest.sentry.io:8443'
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _answer(name: str, file: BuiltFile, asked: Mapping[str, str], reports_to: str | None) -> Response:
    coding = file.best_coding(asked.get("accept-encoding", ""))
    etag = file.etag(coding)
    headers = {
        "Cache-Control": FOREVER if name.startswith(ASSETS) else ASK_FIRST,
        "ETag": etag,
        **_guards(is_page=file.content_type.startswith("text/html"), reports_to=reports_to),
    }
    # Where a page is answered, whoever wants none may be told that there is nothing.
    varies = ["Accept"] if name == INDEX else []
    if len(file.contents) > 1:
        varies.append("Accept-Encoding")
    if varies:
        headers["Vary"] = ", ".join(varies)
    if _knows(asked.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return Response(file.contents[coding], media_type=file.content_type, headers=headers)


def _guards(*, is_page: bool, reports_to: str | None = None) -> dict[str, str]:
    guards = {"X-Content-Type-Options": "nosniff", **(SECURITY if is_page else {})}
    if is_page and reports_to is not None:
        policy = guards["Content-Security-Policy"]
        guards["Content-Security-Policy"] = policy.replace(
            "connect-src 'self'", f"connect-src 'self' {reports_to}"
        )
    return guards


def _knows(known: str, etag: str) -> bool:
    """Whether `If-None-Match` has an answer's validator; a cache on the way may have made it a weak one."""
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in known.split(","))
