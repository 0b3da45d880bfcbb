"""Due work, run: by a worker for live organizations, by the clock for simulated ones. Safe to run twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from tallymark.db.engine import Database, Tx
from tallymark.db.failures import words_of
from tallymark.domain.values import value
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Batch, Kind
from tallymark.jobs.queue import enqueue_due_work
from tallymark.jobs.usage_watch import note_marks
from tallymark.rooms.billing.collection import KINDS
from tallymark.rooms.billing.event_run import judge_late_events, price_events
from tallymark.rooms.billing.model import Failure
from tallymark.rooms.billing.service.due import handle
from tallymark.rooms.organizations.access import system_now

log = structlog.get_logger(__name__)

BACK_OFF = (
    timedelta(seconds=3),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""How long failed work waits for its next try; after the last it is parked until someone looks at it."""


TURN = timedelta(seconds=10)
"""How long a job works for one organization; what is left then is another job's, which waits for its turn as everybody's do."""

MANY_WAVES = agenda.WAVES
"""From how many on other processes lend a hand: it takes one as long as ten waves to start and to get going."""


class Outside(Protocol):
    """Does a batch that asks the outside world: in transactions of its own, none open while it waits."""

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Do it as of `now`; what has to wait for another try waits until after `until`."""


OUTSIDE = frozenset({Kind.CHECK_VAT, Kind.LINK_CUSTOMER, Kind.REFUND_CREDIT_NOTE, *KINDS})
"""Kinds of work that need an answer from outside."""


class ByKind:
    """Has the outside asked by whoever knows of a kind of work."""

    def __init__(self, who: Mapping[Kind, Outside]) -> None:
        self._who = who

    def of(self, kind: Kind) -> Outside:
        """Who knows of a kind of work."""
        return self._who[kind]

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Pass the batch on."""
        await self.of(batch.kind)(organization_id, batch, now=now, until=until, is_simulated=is_simulated)


async def ask_nobody(
    organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
) -> None:
    """Stand in where nothing of the outside is wired: work that needs it fails, and is tried again."""
    del organization_id, now, until, is_simulated
    raise RuntimeError(f"nothing is wired for {batch.kind.name}")


@value
class Order:
    """A wave that another process is to do, and whose it is."""

    organization_id: UUID
    is_simulated: bool
    batch: Batch


Lend = Callable[[Order], Awaitable[bool]]
"""Has another process do a wave, and tells whether it did: where not, nothing of it was done, as far as anybody knows."""


@value
class Run:
    """Whose due work is done until when; `hands` are those of other processes, each for one wave at a time."""

    database: Database
    organization_id: UUID
    until: datetime
    outside: Outside
    hands: Sequence[Lend] = ()
    is_simulated: bool = False
    turn_ends: datetime | None = None
    """When it begins nothing more; None where it goes on until nothing is due."""

    @property
    def is_over(self) -> bool:
        """Whether it is another's turn."""
        return self.turn_ends is not None and system_now() >= self.turn_ends

    @property
    def lanes(self) -> int:
        """How many waves may be done at once: requests get at least one of the connections."""
        return max(1, min(agenda.LANES, self.database.pool_size - 1))

    def clock(self, batch: Batch) -> datetime:
        """What time it is while a batch is done: where it is simulated, when the batch was due."""
        return batch.run_at if self.is_simulated else system_now()

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction on the organization's rows."""
        return self.database.tenant(self.organization_id, is_simulated=self.is_simulated)


async def run_due_work(
    database: Database,
    organization_id: UUID,
    owner_id: UUID | None,
    *,
    outside: Outside = ask_nobody,
    hands: Sequence[Lend] = (),
) -> None:
    """Do all that is due for one customer of a live organization, each batch in a transaction of its own.

    Without an owner it is done for all of its customers, as many at once as can be; whose part fails is tried again
    later, and keeps nobody waiting. Events that wait for their price come first, in the order in which they were received.
    What is not begun by the end of its turn is left to another job.
    """
    turn_ends = system_now() + TURN
    await price_events(database, organization_id, owner_id=owner_id, clock=system_now, turn_ends=turn_ends)
    await note_marks(database, organization_id, owner_id=owner_id, now=system_now())
    while True:
        run = Run(
            database=database,
            organization_id=organization_id,
            until=system_now(),
            outside=outside,
            hands=hands,
            turn_ends=turn_ends,
        )
        done, failures = await _run_next(run, owner_id=owner_id)
        if failures and owner_id is not None:
            return
        if run.is_over:
            async with run.transaction() as tx:
                await enqueue_due_work(tx, organization_id=organization_id, owner_id=owner_id)
            return
        if not done:
            return


async def run_simulated(
    database: Database,
    organization_id: UUID,
    *,
    until: datetime,
    outside: Outside = ask_nobody,
    hands: Sequence[Lend] = (),
) -> list[Failure]:
    """Do all that is due for a simulated organization until an instant, in the order of time.

    Each batch sees the time at which it was due. What fails is tried again when its time comes, and told.
    """
    run = Run(
        database=database,
        organization_id=organization_id,
        until=until,
        outside=outside,
        hands=hands,
        is_simulated=True,
    )
    failures = await judge_late_events(database, organization_id, is_simulated=True, clock=lambda: until)
    failures += await price_events(database, organization_id, is_simulated=True, clock=lambda: until)
    await note_marks(database, organization_id, is_simulated=True, now=until)
    while True:
        done, failed = await _run_next(run)
        failures += failed
        if not done:
            return failures


async def _run_next(run: Run, *, owner_id: UUID | None = None) -> tuple[bool, list[Failure]]:
    """Do what is due next, waves of owners side by side; (was there any, what failed)."""
    async with run.transaction() as tx:
        waves = await agenda.look(tx, until=run.until, owner_id=owner_id)
    waiting = _in_turn(run, waves)
    lanes = [_run_lane(run, waiting) for _ in waves[: run.lanes]]
    if len(waves) >= MANY_WAVES:
        lanes += [_lend_lane(run, waiting, lend) for lend in run.hands]
    failures = await asyncio.gather(*lanes)
    return bool(waves), [failure for of_lane in failures for failure in of_lane]


def _in_turn(run: Run, waves: Sequence[Batch]) -> Iterator[Batch]:
    """One wave after the other, for as long as it is the run's turn; the first in any case, so that each turn leads on."""
    for position, wave in enumerate(waves):
        if position and run.is_over:
            return
        yield wave


async def _run_lane(run: Run, waiting: Iterator[Batch]) -> list[Failure]:
    """Do one wave after the other until none waits; what failed."""
    return [failure for wave in waiting for failure in await _run_wave(run, wave)]


async def _lend_lane(run: Run, waiting: Iterator[Batch], lend: Lend) -> list[Failure]:
    """Have another process do one wave after the other; what it does not do is done here."""
    failures = []
    for wave in waiting:
        order = Order(organization_id=run.organization_id, is_simulated=run.is_simulated, batch=wave)
        if not await lend(order):
            failures += await _run_wave(run, wave)
    return failures


async def _run_wave(run: Run, batch: Batch) -> list[Failure]:
    """Do a batch and take it off the agenda, in one transaction; what failed.

    Where a batch of many owners fails, each does their own part alone: one's trouble is not another's.
    """
    try:
        async with run.transaction() as tx:
            taken = await _take(tx, batch)
            if taken is None:
                return []  # someone else has done it meanwhile
            batch = taken
            if batch.kind not in OUTSIDE:
                await _do(tx, run, batch)
                return []
        await _ask_outside(run, batch)
        return []
    except Exception as error:
        if len(batch.owner_ids) == 1:
            return [await _note_failure(run, batch, error)]
        log.warning("a batch of many failed, each is done alone", owners=len(batch.owner_ids), exc_info=error)
    return [failure for one in batch.owner_ids for failure in (await _run_next(run, owner_id=one))[1]]


async def lend_a_hand(run: Run, wave: Batch) -> None:
    """Do a wave for another process, which sees to it itself where this raises."""
    assert wave.kind in agenda.TOGETHER, "what is done for one owner at a time is not lent"
    async with run.transaction() as tx:
        taken = await _take(tx, wave)
        if taken is not None:
            await _do(tx, run, taken)


async def _take(tx: Tx, batch: Batch) -> Batch | None:
    # First the owners' locks, then their agenda: requests take both in this order.
    await tx.lock_all("customer", batch.owner_ids)
    return await agenda.take(tx, batch)


async def _do(tx: Tx, run: Run, batch: Batch) -> None:
    await handle(tx, batch, run.clock(batch))
    await agenda.complete(tx, batch)


async def _ask_outside(run: Run, batch: Batch) -> None:
    await run.outside(
        run.organization_id, batch, now=run.clock(batch), until=run.until, is_simulated=run.is_simulated
    )
    async with run.transaction() as tx:
        await agenda.complete(tx, batch)


async def _note_failure(run: Run, batch: Batch, error: Exception) -> Failure:
    now = run.clock(batch)
    retry_at = now + BACK_OFF[batch.attempts] if batch.attempts < len(BACK_OFF) else None
    log.error(
        "due work failed" if retry_at else "due work failed for the last time and is parked",
        kind=batch.kind.name,
        organization_id=str(run.organization_id),
        owner_id=str(batch.owner_id),
        due_at=batch.due_at.isoformat(),
        attempt=batch.attempts + 1,
        exc_info=error,
    )
    text = words_of(error)
    async with run.transaction() as tx:
        await agenda.record_failure(tx, batch, error=text, retry_at=retry_at, now=now)
    return Failure(kind=batch.kind.name.lower(), owner_id=batch.owner_id, due_at=batch.due_at, error=text)
