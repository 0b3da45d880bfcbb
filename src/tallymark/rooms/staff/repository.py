"""How staff's links, sessions and deeds are kept; all of it needs system transactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db import links
from tallymark.db.tables import memberships, staff_links, staff_sessions, staff_visits, users
from tallymark.rooms.staff.model import Host, Visit


async def insert_link(connection: AsyncConnection, token_hash: bytes, login: str, *, until: datetime) -> None:
    await connection.execute(insert(staff_links).values(token_hash=token_hash, login=login, expires_at=until))


async def find_link(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    return await links.find_holder(connection, staff_links.c.login, token_hash, now=now)


async def take_link(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    """Use a link up; None where somebody has, or its time is over."""
    return await links.take(connection, staff_links.c.login, token_hash, now=now)


async def insert_session(
    connection: AsyncConnection, token_hash: bytes, login: str, *, now: datetime, until: datetime
) -> None:
    values = {"token_hash": token_hash, "login": login, "created_at": now, "expires_at": until}
    await connection.execute(insert(staff_sessions).values(**values))


async def find_session(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    return await links.find_holder(connection, staff_sessions.c.login, token_hash, now=now)


async def delete_session(connection: AsyncConnection, token_hash: bytes) -> str | None:
    statement = delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash)
    return (await connection.execute(statement.returning(staff_sessions.c.login))).scalar_one_or_none()


async def delete_ended(connection: AsyncConnection, *, now: datetime) -> None:
    """Delete links and sessions that are over."""
    await links.delete_over(connection, staff_links.c.expires_at, staff_sessions.c.expires_at, now=now)


async def find_host(connection: AsyncConnection, membership_id: UUID) -> Host | None:
    """The member of a live membership, unless they are kept out."""
    column = memberships.c
    statement = (
        select(column.user_id, users.c.email, column.organization_id)
        .join(users, users.c.id == column.user_id)
        .where(column.id == membership_id, column.status == "active", users.c.suspended_at.is_(None))
    )
    row = (await connection.execute(statement)).first()
    return Host(**row._mapping) if row else None


async def insert_visit(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    await connection.execute(insert(staff_visits).values(**values))


async def take_visit_link(connection: AsyncConnection, link_hash: bytes, *, now: datetime) -> Visit | None:
    """Use the link of a visit up; None where somebody has, its minute is over, or the visit was ended."""
    column = staff_visits.c
    is_good = (column.link_hash == link_hash, column.link_until > now, column.ended_at.is_(None))
    statement = update(staff_visits).where(*is_good).values(link_hash=None).returning(staff_visits)
    row = (await connection.execute(statement)).first()
    return _as_visit(row) if row else None


async def end_visit(connection: AsyncConnection, visit_id: UUID, *, now: datetime) -> Visit | None:
    """Mark a visit as ended; None for one that is over."""
    column = staff_visits.c
    is_on = (column.id == visit_id, column.ended_at.is_(None), column.expires_at > now)
    statement = update(staff_visits).where(*is_on).values(ended_at=now).returning(staff_visits)
    row = (await connection.execute(statement)).first()
    return _as_visit(row) if row else None


def _as_visit(row: Row[Any]) -> Visit:
    return Visit(
        id=row.id,
        login=row.login,
        user_id=row.user_id,
        organization_id=row.visited_organization_id,
        expires_at=row.expires_at,
    )
