"""Cutting the power after any statement, and what must be true once it is back.

A use case is done once undisturbed; then again and again, the power cut after the first write, after the second, and so on
to the last. After each cut nothing of the process is left: transactions that were open are
rolled back, no clean-up runs. Then due work goes on, and a client who got no answer looks, and calls again where nothing has
happened. What is there then must be what the undisturbed world has: once, and nothing half.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from tallymark.db.engine import Database

MOST_WRITES = 600
"""No use case takes more; a loop that never ends would."""

WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\b(?! OF| SKIP)")
"""Statements that write. A cut after one that only reads leaves what the cut before it left."""


class PowerCut(BaseException):
    """Not an `Exception`: nothing in the code handles it, as nothing handles a power cut."""


@dataclass
class Cut:
    """A cut to come; `happened` once it did."""

    after: int
    seen: int = 0
    happened: bool = False


@contextmanager
def power_cut(database: Database, *, after: int) -> Iterator[Cut]:
    """Cut the power when a number of statements that write have run, and let none after it run."""
    cut = Cut(after)

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        cut.seen += bool(WRITES.search(statement))
        if cut.seen >= cut.after:
            cut.happened = True
            raise PowerCut

    engine = database.engine.sync_engine
    event.listen(engine, "after_cursor_execute", note)
    try:
        yield cut
    finally:
        event.remove(engine, "after_cursor_execute", note)


Step = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """`prepare` makes a world, `act` does the thing, `effect` tells what came of it in words that any world shares.

    `act` is called again where the effect is still what it was before, and where it may be repeated whatever came of it;
    otherwise `settle` lets due work go on.
    """

    prepare: Callable[[], Awaitable[Any]]
    act: Step
    effect: Step
    settle: Step
    may_repeat: bool = False


async def cut_everywhere(database: Database, case: UseCase) -> int:
    """Cut after every write there is; the number of cuts. Fails where any leaves a trace.

    A world in which a cut left nothing behind is cut again, one write later: in the end it has been through all of
    them, and still the act must come out as it does undisturbed.
    """
    undisturbed = await case.prepare()
    before = await case.effect(undisturbed)
    await case.act(undisturbed)
    expected = await case.effect(undisturbed)
    assert expected != before, "the use case does something"
    world = await case.prepare()
    for after in range(1, MOST_WRITES):
        with power_cut(database, after=after) as cut:
            try:
                await case.act(world)
            except BaseException:
                if not cut.happened:
                    raise
        found = await case.effect(world)
        if cut.happened and found == before:
            continue
        if cut.happened:
            await (case.act if case.may_repeat else case.settle)(world)
            found = await case.effect(world)
        assert found == expected, f"after write {after}: {found} instead of {expected}"
        if not cut.happened:
            return after - 1
        world = await case.prepare()
    raise AssertionError("too many writes")
