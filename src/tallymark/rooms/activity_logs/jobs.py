"""What becomes of activity logs later: open entries are closed soon, old ones forgotten."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from tallymark.api.links import Site
from tallymark.db.engine import Database
from tallymark.rooms.activity_logs import repository, service

TICK_SECONDS = 1
"""How long an entry stays open at most, while there is not much to do."""

log = structlog.get_logger(__name__)


class Chronicler:
    """Writes the objects of open entries, beside the queue: of what was done by itself nobody waits for it.

    Between two batches it rests as long as the last one took, so that it never has more than half of the process. Any number
    may work beside each other.
    """

    def __init__(self, database: Database, site: Site) -> None:
        self._database, self._site = database, site

    async def run(self, stop: asyncio.Event) -> None:
        """Close entries until `stop` is set."""
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            began = clock()
            has_more = await self.close_some()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), clock() - began if has_more else TICK_SECONDS)

    async def close_some(self) -> bool:
        """Close some entries of each organization, in turns; whether there may be more."""
        async with self._database.system() as connection:
            waiting = await repository.organizations_with_open(connection)
        has_more = False
        for organization_id in waiting:
            try:
                async with self._database.tenant(organization_id) as tx:
                    has_more |= await service.close(tx, self._site)
            except Exception:
                log.exception("entries are not closed", organization_id=str(organization_id))
        return has_more


async def forget_old(database: Database, *, now: datetime, kept: timedelta) -> None:
    """Delete entries that are not shown any more; by each organization's clock, `now` being the live ones'."""
    async with database.system() as connection:
        await repository.delete_old(connection, now=now, kept=kept)
