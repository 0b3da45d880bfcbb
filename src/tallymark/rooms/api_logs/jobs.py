"""What becomes of API logs later."""

from __future__ import annotations

from datetime import datetime, timedelta

from tallymark.db.engine import Database
from tallymark.rooms.api_logs import repository


async def forget_old(database: Database, *, now: datetime, kept: timedelta) -> None:
    """Delete entries that are not shown any more; by each organization's clock, `now` being the live ones'."""
    async with database.system() as connection:
        await repository.delete_old(connection, now=now, kept=kept)
