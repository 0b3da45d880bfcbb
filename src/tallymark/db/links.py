"""Links that are good once, for a while: their tables have `token_hash` and `expires_at`. All of it needs system transactions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


async def find_holder(
    connection: AsyncConnection, holder: Column[T], token_hash: bytes, *, now: datetime
) -> T | None:
    """Whose link it is, by a column of its table; None for one that is over, or was used."""
    return (
        await connection.execute(select(holder).where(*_is_good(holder, token_hash, now)))
    ).scalar_one_or_none()


async def take(
    connection: AsyncConnection, holder: Column[T], token_hash: bytes, *, now: datetime
) -> T | None:
    """Use a link up: whose it was. None for one that is over, or that somebody has used."""
    gone = delete(holder.table).where(*_is_good(holder, token_hash, now)).returning(holder)
    return (await connection.execute(gone)).scalar_one_or_none()


async def delete_over(connection: AsyncConnection, *ends: Column[datetime], now: datetime) -> None:
    """Delete what is over: links, sessions, by the columns that say when they end."""
    for end in ends:
        await connection.execute(delete(end.table).where(end <= now))


def _is_good(holder: Column[Any], token_hash: bytes, now: datetime) -> tuple[ColumnElement[bool], ...]:
    column = holder.table.c
    return column.token_hash == token_hash, column.expires_at > now
