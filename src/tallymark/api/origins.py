"""Whose pages may read answers besides our own: the web app's, where it has an address of its own (platform §1.1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
EXPOSED = ("x-lago-token",)


class Readable(CORSMiddleware):
    """Lets pages of one other origin read answers to calls that bring a key: no cookie goes along."""

    def __init__(self, application: ASGIApp, origin: str) -> None:
        super().__init__(
            application,
            allow_origins=[origin],
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
        self.state: Any = getattr(application, "state", None)


def readable_from(application: ASGIApp, app_url: str, *, base_url: str) -> ASGIApp:
    """Let the web app's pages read an application's answers, unless both have the same origin anyhow."""
    origin = origin_of(app_url)
    return application if origin == origin_of(base_url) else Readable(application, origin)


def origin_of(url: str) -> str:
    """Where a page at a URL is from, as browsers tell it.

    >>> origin_of("https://app.acme.test/eu/"), origin_of("http://127.0.0.1:8787")
    ('https://app.acme.test', 'http://127.0.0.1:8787')
    """
    parts = urlsplit(url.lower())
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
