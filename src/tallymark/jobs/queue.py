"""The job queue (Procrastinate, in the same PostgreSQL): jobs are enqueued in the transaction that causes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx

RUN_DUE_WORK = "run_due_work"
RENDER_DOCUMENT = "render_document"
RENDER_CREDIT_NOTE = "render_credit_note"
RENDER_RECEIPT = "render_receipt"

_ENQUEUE = text("SELECT tallymark_enqueue(:task, CAST(:arguments AS jsonb), :lock, :run_at)")

Arguments = Mapping[str, str | int | bool | None]


async def enqueue(
    tx: Tx | AsyncConnection,
    task: str,
    arguments: Arguments,
    *,
    lock: str | None = None,
    run_at: datetime | None = None,
) -> None:
    """Add a job; it exists once the transaction commits. Of jobs with one `lock`, at most one waits."""
    connection = tx.connection if isinstance(tx, Tx) else tx
    await connection.execute(
        _ENQUEUE, {"task": task, "arguments": json.dumps(dict(arguments)), "lock": lock, "run_at": run_at}
    )


async def enqueue_due_work(tx: Tx | AsyncConnection, *, organization_id: UUID, owner_id: UUID | None) -> None:
    """Have a worker look at one customer's agenda, or without an owner at all of an organization's, wave by wave."""
    arguments = {"organization_id": str(organization_id), "owner_id": str(owner_id) if owner_id else None}
    await enqueue(tx, RUN_DUE_WORK, arguments, lock=f"due:{owner_id or organization_id}")
