"""Move a simulated organization's clock, and do what falls due on the way (test-clock.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from tallymark.db.engine import Database, Tx
from tallymark.domain.errors import Conflict, Invalid
from tallymark.jobs.activity import differences
from tallymark.jobs.outbox import log_change
from tallymark.rooms.billing.jobs import Lend, Outside, ask_nobody, run_simulated
from tallymark.rooms.billing.model import Failure
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import TestClock

Enter = Callable[[], AbstractAsyncContextManager[Tx]]
"""Opens a transaction of the organization, as whoever moves its clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The clock where it stands now, and what could not be done on the way."""

    clock: TestClock
    failures: Sequence[Failure]


async def advance(
    database: Database,
    organization_id: UUID,
    *,
    to: datetime,
    enter: Enter,
    outside: Outside = ask_nobody,
    hands: Sequence[Lend] = (),
) -> Advanced:
    """Move the clock to an instant; the answer comes when everything due until then has happened.

    An advance that died is gone on with by the next. Raises `NotFound("test_clock")`, `Invalid` for a time that is past, and
    `Conflict` while another advance is under way.
    """
    async with organizations.holding_clock(database, organization_id) as is_free:
        if not is_free:
            raise Conflict("test_clock_advancing")
        run = partial(run_simulated, database, organization_id, until=to, outside=outside, hands=hands)
        return await _advance(enter, run, to=to)


async def _advance(
    enter: Enter, run: Callable[[], Awaitable[Sequence[Failure]]], *, to: datetime
) -> Advanced:
    async with enter() as tx:
        clock = await organizations.get_test_clock(tx)
        if to < clock.frozen_time:
            raise Invalid({"to": ["value_is_in_the_past"]})
        await organizations.start_advancing(tx)
    try:
        failures = await run()
    finally:
        async with enter() as tx:
            if to > clock.frozen_time:
                await organizations.move_clock(tx, to)
                moved = differences({"frozen_time": clock.frozen_time}, {"frozen_time": to})
                await log_change(tx, "test_clock.advanced", tx.organization_id, moved, now=to)
            await organizations.stop_advancing(tx)
    async with enter() as tx:
        return Advanced(clock=await organizations.get_test_clock(tx), failures=failures)


async def settle(
    database: Database, organization_id: UUID, *, now: datetime, outside: Outside = ask_nobody
) -> None:
    """Do what a live organization does soon after a call, before a simulated one's call returns."""
    await run_simulated(database, organization_id, until=now, outside=outside)
