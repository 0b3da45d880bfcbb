"""Due work, run: by a worker for live organizations, by the clock for simulated ones. Safe to run twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from tallymark.db.engine import Database
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Batch
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A batch that could not be done: told to whoever moves the clock, and logged."""

    kind: str
    owner_id: UUID
    due_at: datetime
    error: str


async def run_due_work(database: Database, organization_id: UUID, owner_id: UUID) -> None:
    """Do all that is due for one customer of a live organization, each batch in a transaction of its own."""
    failed: Failure | None = None
    while failed is None:
        now = system_now()
        done, failed = await _run_next(
            database, organization_id, until=now, owner_id=owner_id, clock=lambda _: system_now()
        )
        if not done:
            return


async def run_simulated(database: Database, organization_id: UUID, *, until: datetime) -> list[Failure]:
    """Do all that is due for a simulated organization until an instant, in the order of time.

    Each batch sees the time at which it was due. What fails is tried again when its time comes, and told.
    """
    failures: list[Failure] = []
    while True:
        done, failed = await _run_next(
            database, organization_id, until=until, is_simulated=True, clock=lambda batch: batch.run_at
        )
        if failed is not None:
            failures.append(failed)
        if not done:
            return failures


async def _run_next(
    database: Database,
    organization_id: UUID,
    *,
    until: datetime,
    clock: Callable[[Batch], datetime],
    owner_id: UUID | None = None,
    is_simulated: bool = False,
) -> tuple[bool, Failure | None]:
    """Do the next batch and take it off the agenda, in one transaction; (was there one, did it fail)."""
    batch: Batch | None = None
    try:
        async with database.tenant(organization_id, is_simulated=is_simulated) as tx:
            owner = owner_id or await agenda.first_owner(tx, until=until)
            if owner is None:
                return False, None
            # First the customer's lock, then their agenda: requests take both in this order.
            await tx.lock("customer", owner)
            batch = await agenda.next_batch(tx, until=until, owner_id=owner)
            if batch is None:
                return owner_id is None, None  # someone else has done it meanwhile: look again
            await handle(tx, batch, clock(batch))
            await agenda.complete(tx, batch)
        return True, None
    except Exception as error:
        if batch is None:
            raise
        return True, await _note_failure(
            database, organization_id, batch, error, now=clock(batch), simulated=is_simulated
        )


async def _note_failure(
    database: Database,
    organization_id: UUID,
    batch: Batch,
    error: Exception,
    *,
    now: datetime,
    simulated: bool,
) -> Failure:
    retry_at = now + BACK_OFF[batch.attempts] if batch.attempts < len(BACK_OFF) else None
    log.error(
        "due work failed" if retry_at else "due work failed for the last time and is parked",
        kind=batch.kind.name,
        organization_id=str(organization_id),
        owner_id=str(batch.owner_id),
        due_at=batch.due_at.isoformat(),
        attempt=batch.attempts + 1,
        exc_info=error,
    )
    text = f"{type(error).__name__}: {error}"
    async with database.tenant(organization_id, is_simulated=simulated) as tx:
        await agenda.record_failure(tx, batch, error=text, retry_at=retry_at, now=now)
    return Failure(kind=batch.kind.name.lower(), owner_id=batch.owner_id, due_at=batch.due_at, error=text)
