"""How first answers are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.idempotency import KeptAnswer
from tallymark.db.engine import Tx
from tallymark.db.tables import idempotent_answers

_FORGET = text(
    "DELETE FROM idempotent_answers AS kept USING organizations"
    " LEFT JOIN test_clocks ON test_clocks.organization_id = organizations.id"
    " WHERE kept.organization_id = organizations.id"
    " AND kept.answered_at <= coalesce(test_clocks.frozen_time, :now) - CAST(:kept_for AS interval)"
)


async def find_answer(tx: Tx, slot: UUID, *, after: datetime) -> KeptAnswer | None:
    columns = idempotent_answers.c
    statement = select(columns.request_hash, columns.http_status, columns.content_type, columns.body).where(
        columns.slot == slot, columns.answered_at > after
    )
    row = (await tx.execute(statement)).first()
    return KeptAnswer(**row._mapping) if row else None


async def keep_answer(tx: Tx, slot: UUID, answer: KeptAnswer, *, at: datetime) -> None:
    values = {
        "request_hash": answer.request_hash,
        "http_status": answer.http_status,
        "content_type": answer.content_type,
        "body": answer.body,
        "answered_at": at,
    }
    added = insert(idempotent_answers).values(slot=slot, organization_id=tx.organization_id, **values)
    await tx.execute(added.on_conflict_do_update(index_elements=["slot"], set_=values))


async def delete_old(connection: AsyncConnection, *, now: datetime, kept_for: timedelta) -> None:
    """Delete the answers of all organizations that are given no longer, each by its own clock."""
    await connection.execute(_FORGET, {"now": now, "kept_for": kept_for})
