"""What happens later: events that were heard are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from tallymark.db.engine import Database
from tallymark.rooms.payment_providers import repository

KEPT = timedelta(days=90)
"""For so long after it was processed an event can be looked at."""


async def forget_events(database: Database, *, now: datetime) -> None:
    """Delete what was heard long ago."""
    async with database.system() as connection:
        await repository.delete_events(connection, processed_before=now - KEPT)
