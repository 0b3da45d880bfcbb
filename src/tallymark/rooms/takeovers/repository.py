"""How marks are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tallymark.db.engine import Tx
from tallymark.db.tables import takeover_marks
from tallymark.rooms.takeovers.model import Mark, MarkKind


async def find_mark(tx: Tx, source: str, kind: MarkKind, key: str) -> Mark | None:
    column = takeover_marks.c
    statement = select(column.key, column.detail, column.noted_at).where(
        column.source == source, column.kind == kind, column.key == key
    )
    row = (await tx.execute(statement)).first()
    return Mark(**row._mapping) if row else None


async def list_marks(tx: Tx, source: str, kind: MarkKind) -> dict[str, Mark]:
    column = takeover_marks.c
    statement = select(column.key, column.detail, column.noted_at).where(
        column.source == source, column.kind == kind
    )
    return {row.key: Mark(**row._mapping) for row in await tx.execute(statement)}


async def save_mark(
    tx: Tx, source: str, kind: MarkKind, key: str, detail: Mapping[str, Any], *, now: datetime
) -> None:
    made = insert(takeover_marks).values(
        organization_id=tx.organization_id,
        source=source,
        kind=kind,
        key=key,
        detail=dict(detail),
        noted_at=now,
    )
    changed = {name: made.excluded[name] for name in ("detail", "noted_at")}
    unique = ["organization_id", "source", "kind", "key"]
    await tx.execute(made.on_conflict_do_update(index_elements=unique, set_=changed))
