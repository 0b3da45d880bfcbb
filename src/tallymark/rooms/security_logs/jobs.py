"""What becomes of security logs later."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Database
from tallymark.rooms.security_logs import repository
from tallymark.rooms.security_logs.model import KEPT


async def forget_old(database: Database, *, now: datetime) -> None:
    """Delete entries that are not shown any more; by each organization's clock, `now` being the live ones'."""
    async with database.system() as connection:
        await repository.delete_old(connection, now=now, kept=KEPT)
