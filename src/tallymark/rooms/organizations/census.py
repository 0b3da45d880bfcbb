"""What the operator sees of all tenants at once; needs system transactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.tables import organizations, test_clocks
from tallymark.rooms.organizations import repository, service
from tallymark.rooms.organizations.service import NewOrganization

FIRST_NAME = "My organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One organization; `frozen_time` is its test clock's, None for a live one."""

    id: UUID
    name: str
    slug: str
    created_at: datetime
    frozen_time: datetime | None


async def list_organizations(connection: AsyncConnection) -> list[Entry]:
    """Every organization, the oldest first."""
    statement = (
        select(
            organizations.c.id,
            organizations.c.name,
            organizations.c.slug,
            organizations.c.created_at,
            test_clocks.c.frozen_time,
        )
        .outerjoin(test_clocks, test_clocks.c.organization_id == organizations.c.id)
        .order_by(organizations.c.created_at, organizations.c.id)
    )
    return [Entry(**row._mapping) for row in await connection.execute(statement)]


async def create_first_organization(connection: AsyncConnection, *, now: datetime) -> NewOrganization | None:
    """Make an organization where there is none yet, so that a new user can start; None where there is one."""
    if await repository.has_organizations(connection):
        return None
    return await service.create_organization(connection, name=FIRST_NAME, email=None, now=now)
