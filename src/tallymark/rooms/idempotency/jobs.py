"""What becomes of first answers later."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Database
from tallymark.rooms.idempotency import repository
from tallymark.rooms.idempotency.service import KEPT_FOR


async def forget_old(database: Database, *, now: datetime) -> None:
    """Delete answers that are given no longer; by each organization's clock, `now` being the live ones'."""
    async with database.system() as connection:
        await repository.delete_old(connection, now=now, kept_for=KEPT_FOR)
