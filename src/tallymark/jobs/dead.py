"""Jobs that failed for the last time: why they did, and what becomes of them when somebody has looked. By system transactions."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.tables import job_errors

LONGEST_ERROR = 8_000
"""How many characters of a traceback are kept: its end."""

_FAILED = text(
    "SELECT id, task_name, args, attempts FROM procrastinate_jobs"
    " WHERE id = ANY (CAST(:ids AS bigint[])) AND status = 'failed' ORDER BY id FOR UPDATE"
)
_RETRY = text("SELECT procrastinate_retry_job_v2(:id, :now, NULL, NULL, NULL)")
_DISCARD = text(
    "DELETE FROM procrastinate_jobs WHERE id = ANY (CAST(:ids AS bigint[])) AND status = 'failed'"
)
_FORGET = text(
    "DELETE FROM job_errors WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = job_errors.job_id)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadJob:
    """A job that was dead."""

    id: int
    task: str
    arguments: Mapping[str, Any]
    attempts: int

    @property
    def organization_id(self) -> UUID | None:
        """Whose it was, where it was somebody's."""
        named = self.arguments.get("organization_id")
        return UUID(named) if named else None


async def note_error(
    connection: AsyncConnection, job_id: int, error: BaseException, *, now: datetime
) -> None:
    """Keep why a job failed the last time; the queue keeps that it did, and not why."""
    told = "".join(traceback.format_exception(error)).replace("\x00", "")[-LONGEST_ERROR:]
    values = {"error": told, "failed_at": now}
    statement = insert(job_errors).values(job_id=job_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["job_id"], set_=values))


async def forget_errors(connection: AsyncConnection) -> None:
    """Forget those of jobs that are no more."""
    await connection.execute(_FORGET)


async def retry(connection: AsyncConnection, job_ids: Sequence[int], *, now: datetime) -> list[DeadJob]:
    """Put dead jobs back into the queue. Those stay dead of which the same waits there already."""
    done = []
    for job in await _lock(connection, job_ids):
        try:
            async with connection.begin_nested():
                await connection.execute(_RETRY, {"id": job.id, "now": now})
        except IntegrityError:
            continue
        done.append(job)
    return done


async def discard(connection: AsyncConnection, job_ids: Sequence[int]) -> list[DeadJob]:
    """Take dead jobs out of the queue for good."""
    jobs = await _lock(connection, job_ids)
    await connection.execute(_DISCARD, {"ids": [job.id for job in jobs]})
    return jobs


async def _lock(connection: AsyncConnection, job_ids: Sequence[int]) -> list[DeadJob]:
    found = await connection.execute(_FAILED, {"ids": list(job_ids)})
    return [
        DeadJob(id=row.id, task=row.task_name, arguments=row.args, attempts=row.attempts) for row in found
    ]
