"""Cutting the power after any write, and what must be true once it is back.

A step of a life is done once undisturbed in one world. In another the power is cut after the step's first write, after the
second, and so on to the last. After each cut nothing of the process is left: transactions that were open are rolled
back, no clean-up runs. Then due work goes on, and a client who got no answer calls again: a POST by the same
`Idempotency-Key`, anything else where it finds that nothing has happened. What is there in the end must be what the
undisturbed world has: once, and nothing half.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor

from tallymark.db.engine import Database

MOST_CUTS = 1000
"""No step takes more; a loop that never ends would."""

WRITE = re.compile(r"\b(INSERT INTO|(?<!FOR )UPDATE|DELETE FROM|SELECT) (\w+)")
ENQUEUE = "tallymark_enqueue"
BESIDE = {"api_logs", "api_keys"}
TICK = "UPDATE test_clocks SET calls=(test_clocks.calls"
"""How calls are noted, apart from what they do."""

Rows = Counter[tuple[str, str]]
"""What a world has: each row of each table, and how often."""


class PowerCut(BaseException):
    """Not an `Exception`: nothing in the code handles it, as nothing handles a power cut."""


@dataclass
class Run:
    """A run of a step: the writes it came to, and where the power was cut if it was."""

    cut_after: int | None
    writes: list[str] = field(default_factory=list)
    cut_at: str | None = None


class World(Protocol):
    """One life of the two."""

    has_moved: bool
    """Whether something of the step has happened already."""

    async def state(self) -> Rows:
        """All there is, as it is."""

    def tell(self, state: Rows) -> Rows:
        """A state in words that both worlds share."""


Life = TypeVar("Life", bound=World)


def write_of(statement: str) -> str | None:
    """What a statement writes to, None where it only reads: a cut after it leaves what the cut before it left.

    >>> write_of("INSERT INTO fees (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1")
    'INSERT INTO fees'
    >>> write_of("WITH gone AS (DELETE FROM agenda RETURNING kind) SELECT * FROM gone")
    'DELETE FROM agenda'
    >>> write_of("SELECT tallymark_enqueue(task) FROM jobs")
    'SELECT tallymark_enqueue'
    >>> write_of("SELECT id FROM invoices FOR UPDATE")
    """
    if statement.startswith(TICK):
        return None
    for verb, name in WRITE.findall(statement):
        if (verb != "SELECT" or name == ENQUEUE) and name not in BESIDE:
            return f"{verb} {name}"
    return None


@contextmanager
def running(database: Database, *, cut_after: int | None = None) -> Iterator[Run]:
    """Note the writes of a run; cut the power after so many, and let no statement run after that."""
    run = Run(cut_after)

    def note(_c: object, cursor: DBAPICursor, statement: str, *_: object) -> None:
        if run.cut_at is not None:
            raise PowerCut
        write = write_of(statement)
        if write is None or cursor.rowcount == 0:
            return
        run.writes.append(write)
        if len(run.writes) == run.cut_after:
            run.cut_at = write
            raise PowerCut

    engine = database.engine.sync_engine
    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "handle_error", keep_connection)
    try:
        yield run
    finally:
        event.remove(engine, "after_cursor_execute", note)
        event.remove(engine, "handle_error", keep_connection)


def keep_connection(context: ExceptionContext) -> None:
    """Have a connection rolled back and used again: a new one for each cut costs as much as what is cut."""
    if isinstance(context.original_exception, PowerCut):
        context.is_disconnect = False


async def cut_everywhere(
    database: Database, step: Callable[[Life], Awaitable[None]], *, calm: Life, stormy: Life
) -> int:
    """Have a step done in a calm world, and in a stormy one with a cut after every write; the number of cuts.

    What a cut leaves is what the last commit left: as long as none was reached, the next try is cut one write later, in the same
    world. Once one was, the try that follows is cut after its first write again. So every write of every transaction is cut,
    from each state in which the power can find the world, and still all must come out as in the calm one.
    """
    before = await calm.state()
    with running(database) as whole:
        await step(calm)
    expected = await calm.state()
    assert expected != before, "the step does something"

    cuts: Counter[str] = Counter()
    found, after = await stormy.state(), 1
    while True:
        with running(database, cut_after=after) as run:
            try:
                await step(stormy)
            except BaseException:
                if run.cut_at is None:
                    raise
        if run.cut_at is None:
            break
        cuts[run.cut_at] += 1
        assert cuts.total() < MOST_CUTS, "the step comes to no end"
        left = await stormy.state()
        if left == found:
            after += 1
        else:
            found, after, stormy.has_moved = left, 1, True
    assert_alike(stormy.tell(await stormy.state()), calm.tell(expected))
    stormy.has_moved = True
    await step(stormy)  # of the last commit its caller may have heard nothing
    assert_alike(stormy.tell(await stormy.state()), calm.tell(expected))
    stormy.has_moved = False
    missed = Counter(whole.writes) - cuts
    assert not missed, f"writes that were not cut: {missed}"
    return cuts.total()


def assert_alike(found: Rows, expected: Rows) -> None:
    """The same rows in both worlds, each as often."""
    more, less = found - expected, expected - found
    told = [
        f"{sign} {count} {name} {what}"
        for sign, of in (("+", more), ("-", less))
        for (name, what), count in of.items()
    ]
    assert not told, "\n".join(["what the power cuts left is not what should be there:", *told])
