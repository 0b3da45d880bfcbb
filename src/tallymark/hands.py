"""Helpers: processes that do waves of due work for another one, each on a core of its own (decision 13).

One is started with the first wave that it is given, and ends when it has had nothing to do for a minute, or with the
process that started it: it lives as long as its standard input is open. Orders come in there, answers go out, a line of
JSON each. Whatever becomes of a helper, a wave that it did not tell to be done is done by who asked: the owners' locks and
the agenda see to it that nothing is done twice.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import structlog

from tallymark.collector import spare_the_collector
from tallymark.db.engine import Database
from tallymark.db.patience import Patience
from tallymark.domain.values import value
from tallymark.jobs import agenda
from tallymark.logs import Format, Level, configure_logs
from tallymark.rooms.billing.jobs import Lend, Order, Run, ask_nobody, lend_a_hand

IDLE_SECONDS = 60.0
"""How long a helper waits for another wave."""

CLOSING_SECONDS = 5.0
_LONGEST_LINE = 2**20

log = structlog.get_logger(__name__)


@value
class Terms:
    """What a helper is started with."""

    database_url: str
    settling_time: timedelta
    termination_alerts: tuple[timedelta, ...]
    patience: Patience
    log_level: Level
    log_format: Format


@value
class Numbered:
    """An order with the number that its answer has."""

    number: int
    order: Order


@value
class Answer:
    """Whether a wave was done."""

    number: int
    is_done: bool


class Helpers:
    """So many helpers, and the hands that they have: each does one wave at a time."""

    def __init__(self, count: int, terms: Terms) -> None:
        self._all = [_Helper(terms) for _ in range(count)]

    @property
    def hands(self) -> Sequence[Lend]:
        """As many for each helper as it has lanes."""
        return [helper.do for helper in self._all for _ in range(agenda.LANES)]

    async def close(self) -> None:
        """End those that run."""
        await asyncio.gather(*(helper.close() for helper in self._all))


class _Helper:
    """One process, while there is one, and what it was asked."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[bool]] = {}

    async def do(self, order: Order) -> bool:
        """Have it do a wave; False where it did not, or ended before it told."""
        try:
            async with self._starting:
                process = self._process or await self._start()
            number = next(self._numbers)
            answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._asked[number] = answer
            await _write(process, Numbered(number=number, order=order))
        except OSError as error:
            log.warning("no helper for a billing run", error=str(error))
            return False
        return await answer

    async def _start(self) -> Process:
        command = (sys.executable, "-m", "tallymark.hands")
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE)
        self._process = process
        self._listening = asyncio.create_task(self._listen(process))
        await _write(process, self._terms)
        return process

    async def _listen(self, process: Process) -> None:
        """Pass its answers on; when it has ended, whoever still waits for one does the work."""
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                answer = msgspec.json.decode(line, type=Answer)
                _tell(self._asked.pop(answer.number), is_done=answer.is_done)
        finally:
            self._process = None
            for waiting in self._asked.values():
                _tell(waiting, is_done=False)
            self._asked.clear()

    async def close(self) -> None:
        if self._process is None or self._listening is None:
            return
        process, listening = self._process, self._listening
        assert process.stdin is not None
        process.stdin.close()
        _, late = await asyncio.wait({listening}, timeout=CLOSING_SECONDS)
        if late:
            with suppress(ProcessLookupError):
                process.kill()
            await listening


def _tell(waiting: asyncio.Future[bool], *, is_done: bool) -> None:
    """Answer who asked, unless that was cut off meanwhile."""
    if not waiting.done():
        waiting.set_result(is_done)


async def _write(process: Process, message: Terms | Numbered) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(message) + b"\n")
    await process.stdin.drain()


async def help_out() -> None:
    """Do what standard input asks for, until it is closed or nothing comes any more."""
    orders = await _standard_input()
    terms = msgspec.json.decode(await orders.readline(), type=Terms)
    database = Database(
        terms.database_url,
        pool_size=agenda.LANES,
        settling_time=terms.settling_time,
        termination_alerts=terms.termination_alerts,
        patience=terms.patience,
    )
    configure_logs(level=terms.log_level, style=terms.log_format)
    spare_the_collector()
    under_way: set[asyncio.Task[None]] = set()
    try:
        while line := await _next_line(orders, under_way):
            task = asyncio.create_task(_do(database, msgspec.json.decode(line, type=Numbered)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    finally:
        for task in under_way:  # nobody waits for them any more
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await database.close()


async def _next_line(orders: asyncio.StreamReader, under_way: set[asyncio.Task[None]]) -> bytes:
    """The next order; nothing when there will be none, or none came for a while in which there was nothing to do."""
    reading = asyncio.ensure_future(orders.readline())
    while True:
        done, _ = await asyncio.wait({reading}, timeout=IDLE_SECONDS)
        if done:
            return reading.result()
        if not under_way:
            reading.cancel()
            return b""


async def _do(database: Database, asked: Numbered) -> None:
    order = asked.order
    run = Run(
        database=database,
        organization_id=order.organization_id,
        until=datetime.now(UTC),
        outside=ask_nobody,
        is_simulated=order.is_simulated,
    )
    try:
        await lend_a_hand(run, order.batch)
        is_done = True
    except Exception as error:
        log.warning("a wave failed in a helper", owners=len(order.batch.owner_ids), exc_info=error)
        is_done = False
    sys.stdout.buffer.write(msgspec.json.encode(Answer(number=asked.number, is_done=is_done)) + b"\n")
    sys.stdout.buffer.flush()


async def _standard_input() -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(partial(asyncio.StreamReaderProtocol, reader), sys.stdin)
    return reader


def main() -> None:
    """Be a helper."""
    import uvloop

    # Signals are for the process that started this one, and is to end it in its own time.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    uvloop.run(help_out())


if __name__ == "__main__":
    main()
