"""What becomes of who sent events later."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Database
from tallymark.rooms.events import service


async def forget_senders(database: Database, *, now: datetime, months: int) -> None:
    """Forget who sent events before so many full months; by each organization's clock, `now` being the live ones'."""
    async with database.system() as connection:
        await service.forget_senders(connection, now=now, months=months)
