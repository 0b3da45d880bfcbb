"""Group commit: while flushes are under way, what arrives queues up and goes in together in the next (ARCHITECTURE §4).

No timer is needed: an idle server flushes at once, a busy one in ever larger groups. An answer is given only after the
commit. A second flush joins the one under way as soon as enough waits for it: while the database stores one, the next is made
ready, and the answers of the last are written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tallymark.metering.flushing import Line, OutdatedRules, Request, StreamKey, UnstorableEvent
from tallymark.metering.rules import UNKNOWN, Rules
from tallymark.metering.senders import Sender, Senders
from tallymark.metering.storing import Row

__all__ = ["Intake", "IntakeFull", "OutdatedRules", "Row", "UnstorableEvent"]

LARGEST_FLUSH = 1_000
"""Events that go into one transaction, unless one request has more; what is left waits for the next."""

LINES = 2
"""Flushes that may be under way at once."""

WORTH_A_LINE = 400
"""Events that must wait for a flush to begin beside another: small ones are better off together."""

MOST_WAITING = 50_000
"""Events that may wait; beyond it requests are turned away."""


class IntakeFull(Exception):
    """Too many events wait to be stored: try again in a moment."""


class Intake:
    """Stores events, those of many requests together."""

    def __init__(self, conninfo: str) -> None:
        self.rules = Rules()
        self.tally: Counter[str] = Counter(stored=0, known=0, turned_away=0)
        """What became of the events that came since it began."""
        streams: dict[StreamKey, int] = {}
        senders = Senders()
        self._lines = [Line(conninfo, streams, senders, self.rules) for _ in range(LINES)]
        self._free = list(self._lines)
        self._flights: set[asyncio.Task[None]] = set()
        self._waiting: list[Request] = []
        self._waiting_rows = 0
        self._is_closing = False

    async def __aenter__(self) -> Intake:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        while self._flights:
            await asyncio.gather(*self._flights)
        for line in self._lines:
            await line.close()

    async def store(
        self, rows: Sequence[Row], *, rules_version: int = UNKNOWN, sender: Sender | None = None
    ) -> frozenset[UUID]:
        """Store rows of one organization, all or none, and return the keys of those that exist already: none are stored then.

        `rules_version` is that of the rules by which they were read; `sender` is kept with them. Returns after the commit. Raises `IntakeFull`,
        `OutdatedRules`, `UnstorableEvent`, or what the database raised.
        """
        if self._waiting_rows + len(rows) > MOST_WAITING or self._is_closing:
            self.tally["turned_away"] += len(rows)
            raise IntakeFull
        request = Request(rows, rules_version, sender)
        self._waiting.append(request)
        self._waiting_rows += len(rows)
        self._begin_if_due()
        known = await request.stored
        self.tally["known" if known else "stored"] += len(rows)
        return known

    @property
    def waiting(self) -> int:
        """How many events are in memory for the flushes to come."""
        return self._waiting_rows

    def _begin_if_due(self) -> None:
        if self._free and self._is_due(under_way=LINES - len(self._free)):
            flight = asyncio.create_task(self._fly(self._free.pop()), name="event intake")
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    def _is_due(self, *, under_way: int) -> bool:
        """Whether something waits that is not better off after the flushes under way."""
        return bool(self._waiting) and (not under_way or self._waiting_rows >= WORTH_A_LINE)

    async def _fly(self, line: Line) -> None:
        """Flush on a line for as long as there is something for it."""
        try:
            while self._is_due(under_way=LINES - len(self._free) - 1):
                await line.flush(self._take())
        finally:
            self._free.append(line)

    def _take(self) -> list[Request]:
        """The requests of the next flush; one that shares a key with an earlier one waits for its outcome."""
        taken: list[Request] = []
        left: list[Request] = []
        keys: set[int] = set()
        count = 0
        for position, request in enumerate(self._waiting):
            if taken and count + len(request.rows) > LARGEST_FLUSH:
                left += self._waiting[position:]
                break
            own = {row.id.int for row in request.rows}
            if not keys.isdisjoint(own):
                left.append(request)
                continue
            taken.append(request)
            keys |= own
            count += len(request.rows)
        self._waiting = left
        self._waiting_rows -= count
        return taken
