"""How limits are kept, and what is counted against them. An organization is named in each statement: the system asks, too."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid, literal, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.tenant_limits import Limit
from tallymark.db.tables import organization_limits
from tallymark.rooms.limits.counts import COUNTED, count
from tallymark.rooms.limits.model import Values

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def find_own(connection: AsyncConnection, organization_id: UUID) -> Values:
    """What is said of an organization."""
    statement = select(organization_limits).where(organization_limits.c.organization_id == organization_id)
    row = (await connection.execute(statement)).first()
    return {limit: None if row is None else getattr(row, limit.value) for limit in Limit}


async def lock_own(connection: AsyncConnection, organization_id: UUID) -> None:
    """Let nobody else say something of it until the transaction ends."""
    await connection.execute(_LOCK, {"name": f"limits:{organization_id}"})


async def save_own(
    connection: AsyncConnection, organization_id: UUID, values: Values, *, now: datetime
) -> None:
    """Say something else of some limits."""
    columns = {limit.value: number for limit, number in values.items()}
    row = {"organization_id": organization_id, **columns, "updated_at": now}
    statement = upsert(organization_limits).values(row)
    changed = {**columns, "updated_at": now}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["organization_id"], set_=changed)
    )


async def lock(connection: AsyncConnection, organization_id: UUID, limit: Limit) -> None:
    """Let nobody else count one more until the transaction ends."""
    await connection.execute(_LOCK, {"name": f"limit:{limit.value}:{organization_id}"})


async def count_all(connection: AsyncConnection, organization_id: UUID, *, now: datetime) -> dict[Limit, int]:
    """How much there is of each that can be counted."""
    whose, when = literal(organization_id, Uuid), literal(now, DateTime(timezone=True))
    statement = select(*(count(limit, whose, when).label(limit.value) for limit in COUNTED))
    row = (await connection.execute(statement)).one()
    return {limit: int(getattr(row, limit.value)) for limit in COUNTED}
