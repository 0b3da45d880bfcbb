"""A walk through every route that writes: what each call leaves in the logs, whom that names, and whether it says what was before.

A step makes one call and says what it leaves: types of the activity log ("plan.updated"), events of the security log
("security: role.created"), a table that is its own history ("history: event_amendments"), or nothing, and why. What the operator
does (`/admin/...`) is in the audit of staff besides, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from starlette.routing import BaseRoute, Match, Route

from tallymark.db.engine import Database

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SECURITY, HISTORY = "security: ", "history: "

_NEWEST = "SELECT max(id::text) FROM {table}"
_ACTIVITIES = text(
    "SELECT activity_type AS type, activity_source AS source, user_email, changes FROM activity_logs"
    " WHERE id::text > :since AND activity_source <> 'system' ORDER BY id"
)
_SECURITY = text(
    "SELECT :prefix || log_event AS type, CASE WHEN api_key_id IS NULL THEN 'front' ELSE 'api' END AS source, user_email,"
    " resources AS changes FROM security_logs WHERE id::text > :since ORDER BY id"
)

_DEEDS = text(
    "SELECT login || ' by ' || via AS staff, verb, before, after FROM staff_deeds WHERE id::text > :since ORDER BY id"
)
OPERATORS = "/admin/"
BEGINNINGS = frozenset({"created", "admitted"})
"""Before these there was nothing."""

Endpoint = object
"""What answers a call: PUT and its twin PATCH are one change."""


@dataclass(frozen=True)
class Nothing:
    """That a call leaves no trace, and why it needs none."""

    why: str


def says_what_was(entry: Any) -> bool:
    """Whether an entry has what was before: the security log calls that deleted, and what is now added."""
    return '"added":' in (entry.changes or "") if entry.type.startswith(SECURITY) else bool(entry.changes)


def leaves(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, those of included routers in their place."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from leaves(included.routes)


@dataclass
class Walk:
    """The steps so far: what answered them, and what they did not leave."""

    api: FastAPI
    database: Database
    taken: dict[Endpoint, str] = field(default_factory=dict)
    holes: dict[str, list[str]] = field(default_factory=dict)
    """By route ("PUT /api/v1/plans/{code:path}")."""

    def routes(self) -> Iterator[tuple[str, Endpoint]]:
        """Every route that may write, and what answers there."""
        for route in leaves(self.api.routes):
            for method in sorted(getattr(route, "methods", None) or ()):
                if method in WRITES:
                    assert isinstance(route, Route), "whatever writes is a route"
                    yield f"{method} {route.path}", route.endpoint

    def _route(self, method: str, path: str) -> Route:
        scope = {"type": "http", "method": method, "path": path, "headers": []}
        for route in leaves(self.api.routes):
            if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
                return route
        raise AssertionError(f"no route for {method} {path}")

    async def step(
        self,
        client: httpx.AsyncClient,
        call: str,
        body: object,
        *left: str | Nothing,
        by: str | None = None,
        expect: int = 200,
    ) -> Any:
        """Make a call ("PUT /plans/p"), hold it to what it leaves, and return what it answers.

        `by` is the address of who made it in the web app; None is a key's call, or a customer's in their portal.
        """
        assert left, f"{call} says what it leaves"
        method, path = call.split(" ", 1)
        request = client.build_request(method, path, json=body)
        route = self._route(method, request.url.path)
        histories = [
            one.removeprefix(HISTORY) for one in left if isinstance(one, str) and one.startswith(HISTORY)
        ]
        newest = {
            table: await self._newest(table) for table in ("activity_logs", "security_logs", "staff_deeds")
        }
        counted = [await self._count(table) for table in histories]
        answer = await client.send(request)
        assert answer.status_code == expect, f"{call}: {answer.status_code} {answer.text}"
        found = await self._since(newest)
        holes = [one for one in left if isinstance(one, str) and not one.startswith(HISTORY)
                 and one not in {entry.type for entry in found}]  # fmt: skip
        for table, before in zip(histories, counted, strict=True):
            if await self._count(table) <= before:
                holes.append(f"{HISTORY}{table}")
        if isinstance(left[0], Nothing):
            holes += [f"leaves {entry.type}, and was said to leave nothing" for entry in found]
        for entry in found:
            if entry.type.endswith((".updated", ".role_edited")) and not says_what_was(entry):
                holes.append(f"{entry.type} says not what was")
            if entry.user_email != by:
                holes.append(f"{entry.type} names {entry.user_email}")
        if route.path.startswith(OPERATORS):
            holes += await self._missing_of_staff(newest["staff_deeds"])
        self.taken[route.endpoint] = call
        if holes:
            self.holes.setdefault(f"{method} {route.path}", []).extend(holes)
        return answer.json() if answer.content else {}

    async def _missing_of_staff(self, newest: str) -> list[str]:
        """What the audit of staff does not say of the operator's call."""
        async with self.database.system() as connection:
            found = (await connection.execute(_DEEDS, {"since": newest})).all()
        holes = [] if found else ["is not in the audit of staff"]
        for deed in found:
            if deed.staff != "operator by admin_key":
                holes.append(f"{deed.verb} names {deed.staff}")
            if not deed.after or bool(deed.before) == (deed.verb in BEGINNINGS):
                holes.append(f"{deed.verb} says not what was before and after")
        return holes

    async def _newest(self, table: str) -> str:
        async with self.database.system() as connection:
            return (await connection.execute(text(_NEWEST.format(table=table)))).scalar_one() or ""

    async def _count(self, table: str) -> int:
        async with self.database.system() as connection:
            return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()

    async def _since(self, newest: dict[str, str]) -> list[Any]:
        async with self.database.system() as connection:
            activities = await connection.execute(_ACTIVITIES, {"since": newest["activity_logs"]})
            security = await connection.execute(
                _SECURITY, {"since": newest["security_logs"], "prefix": SECURITY}
            )
            return [*activities, *security]
