"""Events that wait for their price, and late ones that wait to be judged, run: a transaction for many of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from tallymark.db.engine import Database, Tx
from tallymark.db.failures import words_of
from tallymark.rooms.advance import service as advance
from tallymark.rooms.billing.model import Failure
from tallymark.rooms.billing.service.advance import AT_ONCE, bill_events
from tallymark.rooms.corrections import service as corrections

log = structlog.get_logger(__name__)


async def price_events(
    database: Database,
    organization_id: UUID,
    *,
    clock: Callable[[], datetime],
    owner_id: UUID | None = None,
    is_simulated: bool = False,
    turn_ends: datetime | None = None,
) -> list[Failure]:
    """Price all events that wait, of one customer or of all, or as many as can be until a turn ends; what fails is set aside, and told.

    When a transaction of many events fails, they are done one by one: only the one at fault waits.
    """
    failures: list[Failure] = []
    limit = AT_ONCE
    while True:
        now, owner = clock(), owner_id
        if turn_ends is not None and now >= turn_ends:
            return failures
        try:
            async with database.tenant(organization_id, is_simulated=is_simulated) as tx:
                owner = owner_id or await advance.first_customer(tx, now=now)
                if owner is None:
                    return failures
                await tx.lock("customer", owner)
                if not await bill_events(tx, owner, now=now, limit=limit) and owner_id is not None:
                    return failures
        except Exception as error:
            if owner is None:
                raise
            if limit > 1:
                limit = 1
                continue
            async with database.tenant(organization_id, is_simulated=is_simulated) as tx:
                failures.append(await _set_aside(tx, owner, error, now=now))
            limit = AT_ONCE


async def judge_late_events(
    database: Database,
    organization_id: UUID,
    *,
    clock: Callable[[], datetime],
    is_simulated: bool = False,
) -> list[Failure]:
    """Judge all late events of an organization, a stream at a time (beyond.md §3); where one fails it is told, and tried again the next time."""
    failures: list[Failure] = []
    failed: set[int] = set()
    while True:
        now = clock()
        try:
            async with database.tenant(organization_id, is_simulated=is_simulated) as tx:
                if await corrections.judge_next(tx, now=now, but=failed) is None:
                    return failures
        except corrections.NotJudged as error:
            failed.add(error.stream_id)
            log.error("late events could not be judged", organization_id=str(organization_id), exc_info=error)
            text = words_of(error.__cause__ or error)
            failures.append(
                Failure(kind="judge_late_events", owner_id=organization_id, due_at=now, error=text)
            )


async def judge_all_late_events(database: Database, *, clock: Callable[[], datetime]) -> None:
    """Judge the late events of all live organizations."""
    async with database.system() as connection:
        waiting = await corrections.organizations_with_late_events(connection)
    for organization_id in waiting:
        await judge_late_events(database, organization_id, clock=clock)


async def _set_aside(tx: Tx, owner_id: UUID, error: Exception, *, now: datetime) -> Failure:
    """Note that the next event of a customer could not be priced."""
    text = words_of(error)
    await tx.lock("customer", owner_id)
    for waiting in await advance.next_waiting(tx, owner_id, now=now, limit=1):
        retry_at = await advance.record_failure(tx, waiting, error=text, now=now)
        log.error(
            "an event could not be priced" if retry_at else "an event could not be priced and is parked",
            event_id=str(waiting.event_id),
            organization_id=str(tx.organization_id),
            exc_info=error,
        )
    return Failure(kind="price_event", owner_id=owner_id, due_at=now, error=text)
