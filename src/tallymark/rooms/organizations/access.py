"""The gatekeeper: turns bearer tokens into principals and reads organizations' clocks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from tallymark.api.context import Context, Principal
from tallymark.api.permissions import rights_of
from tallymark.db.engine import Database, Tx
from tallymark.domain.errors import Conflict
from tallymark.metering.allowance import EventLimits
from tallymark.rooms.organizations import repository
from tallymark.rooms.organizations.service import ending_of, hash_key

CACHE_SECONDS = 30.0
"""How long another process may go on honouring a key that was revoked here, and a use of a key may stay unnoted."""

_CACHE_SIZE = 10_000


def system_now() -> datetime:
    """The system's time: live organizations' now, and the operator's. Nothing else in the rooms asks for it."""
    return datetime.now(UTC)


async def now_of(tx: Tx) -> datetime:
    """An organization's now, for work that nobody waits for: its test clock's, else the system's."""
    clock = await repository.find_clock(tx)
    return clock.now if clock else system_now()


def after_waiting(context: Context) -> datetime:
    """An organization's now once a lock is held: while a live one's call waited for it, time went on."""
    return context.now if context.is_simulated else max(context.now, system_now())


class Access:
    """Implements `api.context.Gatekeeper`; keeps the keys seen lately."""

    def __init__(self, database: Database, settle: Callable[[Context], Awaitable[None]]) -> None:
        self._database = database
        self._settle = settle
        self._known: dict[str, tuple[float, Principal]] = {}

    async def authenticate(self, token: str) -> Principal | None:
        """Find who a token stands for; an expired key is never honoured, cached or not."""
        cached = self._known.get(token)
        if cached is not None and cached[0] > time.monotonic():
            principal = cached[1]
        else:
            found = await self._look_up(token)
            if found is None:
                return None
            principal = found
        if principal.expires_at is not None and principal.expires_at <= system_now():
            return None
        return principal

    async def _look_up(self, token: str) -> Principal | None:
        async with self._database.system() as connection:
            row = await repository.find_principal(connection, hash_key(token))
            if row is None:
                return None
            await repository.record_key_use(connection, row.id, ending=ending_of(token), at=system_now())
        principal = Principal(
            organization_id=row.organization_id,
            api_key_id=row.id,
            is_simulated=row.is_simulated,
            expires_at=row.expires_at,
            rights=rights_of(row.permissions),
            turns_events_away=row.turns_events_away,
            event_limits=EventLimits(per_minute=row.events_per_minute, per_month=row.events_per_month),
        )
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[token] = (time.monotonic() + CACHE_SECONDS, principal)
        return principal

    def forget(self) -> None:
        """Drop every cached key: one was revoked or changed."""
        self._known.clear()

    async def read_clock(self, principal: Principal, *, is_write: bool) -> datetime:
        """Now: the system's for a live organization, its clock's for a simulated one (test-clock.md).

        Raises `Conflict` for a write while the clock is being advanced.
        """
        if not principal.is_simulated:
            return system_now()
        async with self._database.system() as connection:
            clock = await repository.tick_clock(connection, principal.organization_id)
        assert clock is not None, "a simulated organization has a clock"
        if clock.is_advancing and is_write:
            raise Conflict("test_clock_advancing")
        return clock.now

    async def settle(self, context: Context) -> None:
        """Do what is due for a simulated organization before its call returns."""
        await self._settle(context)
