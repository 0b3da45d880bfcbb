"""What happens later: tries that did not come back are forgotten."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Database
from tallymark.rooms.sso import repository


async def forget_over(database: Database, *, now: datetime) -> None:
    """Delete tries whose time is over."""
    async with database.system() as connection:
        await repository.delete_over(connection, now=now)
