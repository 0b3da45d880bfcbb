"""How often a caller may call: so many times a minute for each key, told on every answer (platform §1.7)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallymark.api.errors import answer_to, limit_headers
from tallymark.api.portal import PREFIX as PORTAL
from tallymark.api.portal import read_token
from tallymark.api.sessions import SessionCookie
from tallymark.domain.errors import TooMany

WINDOW = timedelta(minutes=1)
MOST_CALLERS = 10_000
"""Of so many windows a process keeps count; beyond them, the oldest is forgotten."""

_LIMITED = ("/api/v1/", "/app/v1/", f"{PORTAL}/")


@dataclass(slots=True)
class _Window:
    """A minute of a caller, from its first call on."""

    ends: float
    calls: int = 0


class RateLimit:
    """Stands in front of the application. Each process counts for itself: no call waits for a count."""

    def __init__(
        self,
        application: ASGIApp,
        *,
        per_minute: int,
        cookie: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._per_minute = per_minute
        self._cookie = cookie
        self._clock = clock
        self._windows: dict[bytes, _Window] = {}
        self.state: Any = getattr(application, "state", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call pass, or refuse it before anything is looked at; either is told what is left."""
        if scope["type"] != "http" or not scope["path"].startswith(_LIMITED):
            await self._application(scope, receive, send)
            return
        now = self._clock()
        window = self._window_of(self._caller(scope), now)
        window.calls += 1
        wait = timedelta(seconds=window.ends - now)
        if window.calls > self._per_minute:
            refusal = TooMany("too_many_requests", limit=self._per_minute, wait=wait)
            await answer_to(refusal)(scope, receive, send)
            return
        left = self._per_minute - window.calls
        told = limit_headers(limit=self._per_minute, remaining=left, wait=wait)
        extra = [(name.encode(), value.encode()) for name, value in told.items()]

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                # A refusal by a stricter limit tells of that one.
                if extra[0][0] not in dict(given):
                    message = {**message, "headers": [*given, *extra]}
            await send(message)

        await self._application(scope, receive, send_told)

    def _window_of(self, caller: bytes, now: float) -> _Window:
        window = self._windows.get(caller)
        if window is None or window.ends <= now:
            self._windows.pop(caller, None)
            if len(self._windows) >= MOST_CALLERS:
                self._windows.pop(next(iter(self._windows)))
            window = self._windows[caller] = _Window(ends=now + WINDOW.total_seconds())
        return window

    def _caller(self, scope: Scope) -> bytes:
        """Whoever calls: a key or a customer's link, else a session, else an address. Tokens are kept as hashes."""
        headers = Headers(scope=scope)
        if token := read_token(headers):
            caller = f"key {token}"
        elif session := self._session(headers):
            caller = f"session {session}"
        else:
            caller = f"address {(scope.get('client') or ('',))[0]}"
        return hashlib.sha256(caller.encode()).digest()

    def _session(self, headers: Headers) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self._cookie].value if self._cookie in cookies else ""


def limited(application: ASGIApp, *, per_minute: int, base_url: str) -> ASGIApp:
    """Put a count of calls in front of an application, where there is to be one; 0 is none."""
    if per_minute == 0:
        return application
    counted = RateLimit(application, per_minute=per_minute, cookie=SessionCookie(base_url).name)
    # The parts of a batch come in here again.
    counted.state.counted = counted
    return counted
