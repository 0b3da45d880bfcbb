"""The office's first page: how much there is, and what was done last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Select, func, select
from starlette.requests import Request
from starlette_admin import CustomView
from starlette_admin.widgets import (
    BaseWidget,
    Breakpoints,
    ColumnWidget,
    GridWidget,
    StatWidget,
    TableWidget,
)

from tallymark.db.engine import Database
from tallymark.db.tables import organizations, staff_deeds, user_sessions, users

LAST = 8


def make_start(database: Database) -> CustomView:
    """The first page."""

    async def start(request: Request) -> BaseWidget:
        def stat(title: str, statement: Select[Any], key: str, meaning: str) -> StatWidget:
            link = str(request.url_for("office:list", key=key))
            return StatWidget(title, _counting(database, statement), link=link, description=meaning)

        signed_in = (
            select(func.count()).select_from(user_sessions).where(user_sessions.c.expires_at > func.now())
        )
        stats: list[BaseWidget] = [
            stat("Organizations", _all(organizations), "organizations", "tenants"),
            stat("People", _all(users), "people", "with an address"),
            stat("Signed in", signed_in, "people", "sessions of the web app"),
        ]
        return ColumnWidget([GridWidget(stats, Breakpoints(default=1, md=3)), _last_deeds(database)])

    return CustomView(
        menu_label="Overview", icon="fa-solid fa-gauge", path="/", route_name="index", widget=start
    )


def _all(table: Any) -> Select[Any]:
    return select(func.count()).select_from(table)


def _counting(database: Database, statement: Select[Any]) -> Callable[[Request], Awaitable[int]]:
    async def count(_: Request) -> int:
        async with database.system() as connection:
            return int((await connection.execute(statement)).scalar_one())

    return count


def _last_deeds(database: Database) -> TableWidget:
    column = staff_deeds.c
    shown = (column.created_at, column.login, column.verb, column.subject, column.reason)

    async def rows(_: Request) -> list[list[Any]]:
        async with database.system() as connection:
            found = await connection.execute(select(*shown).order_by(column.id.desc()).limit(LAST))
            return [
                [
                    f"{row.created_at:%Y-%m-%d %H:%M:%S}",
                    row.login,
                    row.verb.replace("_", " "),
                    row.subject,
                    row.reason,
                ]
                for row in found
            ]

    return TableWidget("Done last", ["When", "Who", "Did", "Which", "Reason"], rows)
