"""The job queue (Procrastinate, in the same PostgreSQL): jobs are enqueued in the transaction that causes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.jobs import tracing

RUN_DUE_WORK = "run_due_work"
BUILD_ROLLUPS = "build_rollups"
RENDER_DOCUMENT = "render_document"
RENDER_CREDIT_NOTE = "render_credit_note"
RENDER_RECEIPT = "render_receipt"
SEND_EMAIL = "send_email"
SEND_PASSWORD_RESET = "send_password_reset"
SEND_SIGN_UP = "send_sign_up"
SEND_NOTICE = "send_notice"
EXPORT_DATA = "export_data"
BRING_EXPORT = "bring_export"

_ENQUEUE = text(
    "SELECT tallymark_enqueue(task, arguments, lock, run_at) FROM json_to_recordset(CAST(:jobs AS json))"
    " AS job (task text, arguments jsonb, lock text, run_at timestamptz)"
)

Arguments = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker is to do. Of jobs with one `lock`, at most one waits."""

    task: str
    arguments: Arguments
    lock: str | None = None
    run_at: datetime | None = None


async def enqueue(tx: Tx | AsyncConnection, *jobs: Job) -> None:
    """Add jobs; they exist once the transaction commits. They belong to the trace of what adds them."""
    if not jobs:
        return
    if trace := tracing.current.get():
        jobs = tuple(replace(job, arguments={**job.arguments, tracing.TRACEPARENT: trace}) for job in jobs)
    connection = tx.connection if isinstance(tx, Tx) else tx
    await connection.execute(_ENQUEUE, {"jobs": msgspec.json.encode(jobs).decode()})


async def enqueue_due_work(tx: Tx | AsyncConnection, *, organization_id: UUID, owner_id: UUID | None) -> None:
    """Have a worker look at one customer's agenda, or without an owner at all of an organization's, wave by wave."""
    arguments = {"organization_id": str(organization_id), "owner_id": str(owner_id) if owner_id else None}
    lock = f"due:{owner_id or organization_id}"
    await enqueue(tx, Job(task=RUN_DUE_WORK, arguments=arguments, lock=lock))
