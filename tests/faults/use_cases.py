"""What there is to cut: the routes that change something, the kinds of due work, the jobs of the queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute

from tallymark.api.routing import TenantRoute
from tallymark.routers import ROUTERS

PREFIX = "/api/v1"
FAST_LANE = ("POST /events", "POST /events/batch")
"""Taken before the framework (metering §3)."""


@dataclass(frozen=True)
class Door:
    """A route that changes something; several may lead to one endpoint."""

    name: str
    pattern: re.Pattern[str]
    endpoint: Callable[..., Any]


def _doors() -> Iterator[Door]:
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, TenantRoute) and isinstance(route, APIRoute):
                path = route.path.removeprefix(PREFIX).replace(":path", "")
                for method in sorted((route.methods or set()) - {"GET", "HEAD"}):
                    yield Door(f"{method} {path}", route.path_regex, route.endpoint)


DOORS = tuple(_doors())


def route_of(method: str, path: str) -> str:
    """The route that takes a call.

    >>> route_of("DELETE", "/coupons/ten")
    'DELETE /coupons/{code}'
    """
    called = f"{method} {path}"
    if called in FAST_LANE:
        return called
    return next(
        door.name for door in DOORS if door.name.startswith(method) and door.pattern.match(PREFIX + path)
    )
