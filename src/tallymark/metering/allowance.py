"""How many events an organization may send: counted in memory before anything is stored, so that nothing waits for a count.

Each process counts for itself. Minutes are its own: behind N processes an organization may send N times as much. Months are
added up in the database every few seconds, so that all processes together pass a month's limit by what they take in that time
at the most. Counts of a process that is killed are lost for these seconds: an organization is never counted too high.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from tallymark.db.engine import Database
from tallymark.domain.errors import TooMany
from tallymark.domain.values import value

WINDOW_SECONDS = 60
SYNC_SECONDS = 5
"""How long counts stay in memory alone."""

MOST_TENANTS = 10_000
"""Of so many organizations a process remembers counts; beyond them it reads them anew."""

_ADD = text("""
    INSERT INTO event_counts (organization_id, month, events)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:months AS date[]), CAST(:counts AS bigint[])) ORDER BY 1, 2
    ON CONFLICT (organization_id, month) DO UPDATE SET events = event_counts.events + excluded.events
    RETURNING organization_id, month, events
""")
_READ = text("SELECT events FROM event_counts WHERE organization_id = :id AND month = :month")

Key = tuple[UUID, date]

log = structlog.get_logger(__name__)


@value
class EventLimits:
    """How many events there may be; None says nothing, 0 any number."""

    per_minute: int | None = None
    per_month: int | None = None


UNSAID = EventLimits()


class _Window:
    """A minute of an organization, from its first event on."""

    __slots__ = ("ends", "events")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.events = 0


class Ticket:
    """One request's events: asked for once it is known how many they are, given back where they are not stored."""

    __slots__ = ("_allowance", "_events", "_key", "_limits", "_now", "_window")

    def __init__(
        self, allowance: Allowance, organization_id: UUID, limits: EventLimits, now: datetime
    ) -> None:
        self._allowance = allowance
        self._key = (organization_id, now.astimezone(UTC).date().replace(day=1))
        self._limits = limits
        self._now = now
        self._events = 0
        self._window: _Window | None = None

    async def ask(self, events: int) -> None:
        """Raises `TooMany` where they are more than are left: `events_per_minute_exceeded`, `events_per_month_exceeded`.

        Whatever the limit of a minute is, one request of any size is taken in it.
        """
        allowance = self._allowance
        per_minute = allowance.per_minute if self._limits.per_minute is None else self._limits.per_minute
        per_month = allowance.per_month if self._limits.per_month is None else self._limits.per_month
        if per_month and await allowance.counted(self._key) + events > per_month:
            wait = _next_month(self._key[1]) - self._now
            raise TooMany("events_per_month_exceeded", limit=per_month, wait=wait)
        if per_minute:
            window, clock = allowance.window_of(self._key[0])
            if window.events and window.events + events > per_minute:
                wait = timedelta(seconds=window.ends - clock)
                raise TooMany("events_per_minute_exceeded", limit=per_minute, wait=wait)
            window.events += events
            self._window = window
        allowance.add(self._key, events)
        self._events = events

    def give_back(self) -> None:
        """They were not stored."""
        if self._events:
            self._allowance.add(self._key, -self._events)
            if self._window is not None:
                self._window.events -= self._events
            self._events = 0


class Allowance:
    """Counts the events of this process, and knows how many may come. It is entered for as long as events come in."""

    def __init__(
        self,
        database: Database,
        *,
        per_minute: int = 0,
        per_month: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self.per_minute, self.per_month = per_minute, per_month
        self._clock = clock
        self._windows: dict[UUID, _Window] = {}
        self._added: Counter[Key] = Counter()
        self._stored: dict[Key, int] = {}
        self._syncing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Allowance:
        self._task = asyncio.create_task(self._run(), name="event counts")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._sync_if_it_can_be()

    def ticket(self, organization_id: UUID, limits: EventLimits, now: datetime) -> Ticket:
        """What a request of an organization is counted by; `limits` are its own."""
        return Ticket(self, organization_id, limits, now)

    async def counted(self, key: Key) -> int:
        """How many events of an organization's month there are, as far as this process knows."""
        if key not in self._stored:
            async with self._syncing:
                await self._read(key)
        return self._stored.get(key, 0) + self._added[key]

    def add(self, key: Key, events: int) -> None:
        """Count events; fewer where some were not stored."""
        self._added[key] += events

    def window_of(self, organization_id: UUID) -> tuple[_Window, float]:
        """The minute that an organization is in, and what the clock shows."""
        now = self._clock()
        window = self._windows.get(organization_id)
        if window is None or window.ends <= now:
            self._windows.pop(organization_id, None)
            if len(self._windows) >= MOST_TENANTS:
                self._windows.pop(next(iter(self._windows)))
            window = self._windows[organization_id] = _Window(now + WINDOW_SECONDS)
        return window, now

    async def sync(self) -> None:
        """Add what was counted to what is kept, and learn what other processes have counted."""
        async with self._syncing:
            counted = {key: events for key, events in self._added.items() if events}
            if not counted:
                self._added.clear()
                return
            try:
                kept = await self._add_up(counted)
                if len(self._stored) + len(kept) > MOST_TENANTS:
                    self._stored.clear()
                self._stored.update(kept)
            finally:
                # Also where it is not known whether they were kept: rather too few than too many.
                self._added.subtract(counted)
                self._added = Counter({key: events for key, events in self._added.items() if events})

    async def _add_up(self, counted: Mapping[Key, int]) -> dict[Key, int]:
        async with self._database.system() as connection:
            rows = await connection.execute(
                _ADD,
                {
                    "ids": [key[0] for key in counted],
                    "months": [key[1] for key in counted],
                    "counts": list(counted.values()),
                },
            )
            return {(row.organization_id, row.month): row.events for row in rows}

    async def _read(self, key: Key) -> None:
        async with self._database.system() as connection:
            found = await connection.execute(_READ, {"id": key[0], "month": key[1]})
            self._stored.setdefault(key, found.scalar_one_or_none() or 0)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            await self._sync_if_it_can_be()

    async def _sync_if_it_can_be(self) -> None:
        try:
            await self.sync()
        except Exception:
            log.exception("event counts are not added up")


def _next_month(month: date) -> datetime:
    following = (month + timedelta(days=31)).replace(day=1)
    return datetime(following.year, following.month, 1, tzinfo=UTC)
