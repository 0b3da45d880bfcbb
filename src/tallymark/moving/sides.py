"""The two sides of a move: where things come from, and the organization that they go to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Database, Tx
from tallymark.integrations.lago import LagoApi
from tallymark.rooms.billing.jobs import Outside, ask_nobody
from tallymark.rooms.organizations.access import now_of
from tallymark.rooms.test_clocks.service import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An organization here: over its API like anybody, and in its database where no API can say it."""

    api: LagoApi
    database: Database
    organization_id: UUID
    is_simulated: bool
    outside: Outside = ask_nobody

    async def now(self) -> datetime:
        """What time it is there."""
        async with self.database.tenant(self.organization_id) as tx:
            return await now_of(tx)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction on the organization's rows; what a live one does soon after has been done by the end."""
        async with self.database.tenant(self.organization_id, is_simulated=self.is_simulated) as tx:
            yield tx
        if self.is_simulated:
            now = await self.now()
            await settle(self.database, self.organization_id, now=now, outside=self.outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The organization that is moved: `name` is what marks are kept under."""

    api: LagoApi
    name: str
