"""How staff's links, sessions and deeds are kept; all of it needs system transactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.tables import staff_deeds, staff_links, staff_sessions


async def insert_link(connection: AsyncConnection, token_hash: bytes, login: str, *, until: datetime) -> None:
    await connection.execute(insert(staff_links).values(token_hash=token_hash, login=login, expires_at=until))


async def find_link(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    column = staff_links.c
    statement = select(column.login).where(column.token_hash == token_hash, column.expires_at > now)
    return (await connection.execute(statement)).scalar_one_or_none()


async def take_link(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    """Use a link up; None where somebody has, or its time is over."""
    column = staff_links.c
    statement = delete(staff_links).where(column.token_hash == token_hash, column.expires_at > now)
    return (await connection.execute(statement.returning(column.login))).scalar_one_or_none()


async def insert_session(
    connection: AsyncConnection, token_hash: bytes, login: str, *, now: datetime, until: datetime
) -> None:
    values = {"token_hash": token_hash, "login": login, "created_at": now, "expires_at": until}
    await connection.execute(insert(staff_sessions).values(**values))


async def find_session(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    column = staff_sessions.c
    statement = select(column.login).where(column.token_hash == token_hash, column.expires_at > now)
    return (await connection.execute(statement)).scalar_one_or_none()


async def delete_session(connection: AsyncConnection, token_hash: bytes) -> str | None:
    statement = delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash)
    return (await connection.execute(statement.returning(staff_sessions.c.login))).scalar_one_or_none()


async def delete_ended(connection: AsyncConnection, *, now: datetime) -> None:
    """Delete links and sessions that are over."""
    for ended in (staff_links.c.expires_at, staff_sessions.c.expires_at):
        await connection.execute(delete(ended.table).where(ended <= now))


async def insert_deed(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    await connection.execute(insert(staff_deeds).values(**values))
