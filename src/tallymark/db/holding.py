"""Holding an installation back: nothing is billed, told or sent until somebody lets it go on.

What was put back from a backup is in the past. Events that came later are not there, invoices that were made later will be made
again, and whatever waited then may have been sent since. So its workers wait; the API answers, and takes events.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.domain.values import value

TABLE = """
CREATE TABLE IF NOT EXISTS holds (
    reason text NOT NULL CONSTRAINT holds_pkey PRIMARY KEY,
    since timestamp with time zone NOT NULL
)
"""
"""A backup may be older than the migration that makes it: then whoever puts it back does."""

_ADD = text(
    "INSERT INTO holds (reason, since) VALUES (:reason, :since) ON CONFLICT (reason) DO UPDATE SET since = :since"
)
_FIND = text("SELECT reason, since FROM holds ORDER BY since LIMIT 1")
_END = text("DELETE FROM holds")


@value
class Hold:
    """Why nobody works, and since when."""

    reason: str
    since: datetime


async def find_hold(connection: AsyncConnection) -> Hold | None:
    """What holds the installation back, the oldest; None where nothing does."""
    row = (await connection.execute(_FIND)).one_or_none()
    return None if row is None else Hold(reason=row.reason, since=row.since)


async def add_hold(connection: AsyncConnection, hold: Hold) -> None:
    """Hold it back. Workers look when they start: those that run go on."""
    await connection.execute(_ADD, {"reason": hold.reason, "since": hold.since})


async def end_holds(connection: AsyncConnection) -> int:
    """Let it go on; how many held it back. Workers that wait see it within a second."""
    return (await connection.execute(_END)).rowcount
