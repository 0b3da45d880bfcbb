"""The office's first page: how much there is, and what was done last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Executable, Select, func, select, text
from sqlalchemy.exc import OperationalError
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
from tallymark.db.tables import agenda, organizations, staff_deeds, user_sessions, users, webhooks

LAST = 8

_PATIENCE = text("SET LOCAL statement_timeout = '2s'")


def make_start(database: Database) -> CustomView:
    """The first page."""

    async def start(request: Request) -> BaseWidget:
        def stat(title: str, statement: Executable, key: str, meaning: str) -> StatWidget:
            link = str(request.url_for("office:list", key=key))
            return StatWidget(title, _counting(database, statement), link=link, description=meaning)

        signed_in = (
            select(func.count()).select_from(user_sessions).where(user_sessions.c.expires_at > func.now())
        )
        stats: list[BaseWidget] = [
            stat("Organizations", _all(organizations), "organizations", "tenants"),
            stat("People", _all(users), "people", "with an address"),
            stat("Signed in", signed_in, "people", "sessions of the web app"),
            stat("Dead jobs", _dead, "dead-jobs", "failed as often as they are tried"),
            stat("Parked work", _parked, "parked", "customers' work that waits for somebody"),
            stat("Failed webhooks", _failed, "deliveries", "given up in the last 90 days"),
        ]
        return ColumnWidget([GridWidget(stats, Breakpoints(default=1, md=3)), _last_deeds(database)])

    return CustomView(
        menu_label="Overview", icon="fa-solid fa-gauge", path="/", route_name="index", widget=start
    )


_dead = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
_parked = (
    select(func.count()).select_from(agenda).where(agenda.c.parked_at.is_not(None), ~agenda.c.is_simulated)
)
_failed = select(func.count()).select_from(webhooks).where(webhooks.c.status == "failed")


def _all(table: Any) -> Select[Any]:
    return select(func.count()).select_from(table)


def _counting(database: Database, statement: Executable) -> Callable[[Request], Awaitable[int | str]]:
    async def count(_: Request) -> int | str:
        try:
            async with database.system() as connection:
                await connection.execute(_PATIENCE)
                return int((await connection.execute(statement)).scalar_one())
        except OperationalError:  # of a table too large to count while somebody waits
            return "many"

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
