"""The schedule: the scheduler looks every second which live customers have work due, and has workers do it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.jobs.agenda import due_owners
from tallymark.jobs.queue import BUILD_ROLLUPS, Job, enqueue, enqueue_due_work
from tallymark.jobs.usage_watch import owners_of_marks
from tallymark.jobs.waiting_events import owners_of_waiting_events

_SCHEDULER_LOCK = 7_236_112_095

_ARE_ROLLUPS_WANTED = text(
    "SELECT EXISTS (SELECT FROM rollups WHERE built_at IS NULL AND declined_at IS NULL AND retired_at IS NULL)"
)

MANY = 5
"""From how many due customers of one organization on they are worked on together."""


async def enqueue_what_is_due(connection: AsyncConnection, *, now: datetime) -> int:
    """Enqueue a job for each customer with work due by `now`, and return how many customers that are.

    An organization with many such customers gets one job for all of them: they are billed in waves. Needs a system transaction. Every process may call this at any time: the lock lets one act, and the others do
    nothing. A customer whose job waits already is not queued twice. Roll-ups that reads have asked for are built as well.
    """
    is_ours = await connection.execute(
        text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _SCHEDULER_LOCK}
    )
    if not is_ours.scalar_one():
        return 0
    if (await connection.execute(_ARE_ROLLUPS_WANTED)).scalar_one():
        await enqueue(connection, Job(task=BUILD_ROLLUPS, arguments={}, lock=BUILD_ROLLUPS))
    due = await due_owners(connection, now=now)
    due += await owners_of_waiting_events(connection, now=now)
    due = list(dict.fromkeys([*due, *await owners_of_marks(connection)]))
    owners: dict[UUID, list[UUID]] = defaultdict(list)
    for customer in due:
        owners[customer.organization_id].append(customer.owner_id)
    for organization_id, of_organization in owners.items():
        alone: Sequence[UUID | None] = of_organization if len(of_organization) < MANY else [None]
        for owner_id in alone:
            await enqueue_due_work(connection, organization_id=organization_id, owner_id=owner_id)
    return len(due)
