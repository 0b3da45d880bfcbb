"""Following what live organizations send: noting single events soon after they came, and telling of odd ones by the hour.

The lane that takes events in knows nothing of this and waits for nothing. A transaction reads one stretch of the time of
reception and moves the mark up to which it has read: done once, whoever does it, and taken up where it was left.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tallymark.db.engine import Database, Tx
from tallymark.jobs import usage_days
from tallymark.rooms.events import repository, service

NOTING = "unmatched_events"
REPORTING = "events_errors"

LAG = timedelta(seconds=30)
"""How long after its reception an event is read: by then its transaction has ended."""

SHORTEST = timedelta(seconds=5)
LONGEST = timedelta(days=1)
FEW, MANY = 5_000, 200_000
"""Stretches with fewer events make the next one longer, with more shorter."""

MOST_STRETCHES = 1_000
"""How many are read at a time; what is left is read the next time."""


async def note_received(database: Database, *, now: datetime) -> int:
    """Read what came since the last time, and return how many events that were."""
    total, length = 0, SHORTEST
    for _ in range(MOST_STRETCHES):
        async with database.system() as connection:
            since = await repository.claim(connection, NOTING)
            if since is None or since >= now - LAG:
                return total
            until = min(since + length, now - LAG)
            count = await repository.note_followed(connection, since=since, until=until)
            await usage_days.note_received(connection, database, since=since, until=until)
            await repository.move(connection, NOTING, until=until)
        total += count
        length = (
            max(length / 2, SHORTEST) if count > MANY else min(length * 2, LONGEST) if count < FEW else length
        )
    return total


async def report_errors(database: Database, *, now: datetime) -> int:
    """Tell each live organization what was odd about its events of every full hour that is over; how many messages.

    What the noting has missed of that hour, for a transaction that took long to end, it makes up for.
    """
    told, last = 0, service.start_of_hour(now - service.AFTER_HOUR)
    for _ in range(MOST_STRETCHES):
        async with database.system() as connection:
            since = await repository.claim(connection, REPORTING)
            if since is None or since >= last:
                return told
            until = since + service.HOUR
            await repository.note_followed(connection, since=since, until=until)
            await usage_days.note_received(connection, database, since=since, until=until)
            for report in await repository.reports_of_live(connection, since=since, until=until):
                await service.tell_errors(Tx(connection, report.organization_id), report, now=now)
                told += 1
            await repository.move(connection, REPORTING, until=until)
    return told
