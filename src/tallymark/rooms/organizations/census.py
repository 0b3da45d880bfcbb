"""What the operator sees of all tenants at once; needs system transactions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.domain.errors import NotFound
from tallymark.rooms.organizations import repository, service
from tallymark.rooms.organizations.model import Entry
from tallymark.rooms.organizations.service import NewOrganization

FIRST_NAME = "My organization"


async def list_organizations(connection: AsyncConnection) -> list[Entry]:
    """Every organization, the oldest first."""
    return await repository.list_organizations(connection)


async def create_first_organization(connection: AsyncConnection, *, now: datetime) -> NewOrganization | None:
    """Make an organization where there is none yet, so that a new user can start; None where there is one."""
    if await repository.has_organizations(connection):
        return None
    return await service.create_organization(connection, name=FIRST_NAME, email=None, now=now)


async def get_entry(connection: AsyncConnection, organization_id: UUID) -> Entry:
    """An organization. Raises `NotFound("organization")`."""
    found = await repository.find_entry(connection, organization_id)
    if found is None:
        raise NotFound("organization")
    return found


async def is_named(connection: AsyncConnection, name: str) -> bool:
    """Whether an organization has this name; until the transaction ends nobody else who asks is answered."""
    await repository.lock_names(connection)
    return any(entry.name == name for entry in await repository.list_organizations(connection))


async def find_organization(connection: AsyncConnection, name: str) -> UUID:
    """The id of the organization of a slug or id. Raises `NotFound("organization")`."""
    return (await find_entry(connection, name)).id


async def find_entry(connection: AsyncConnection, name: str) -> Entry:
    """The organization of a slug or id. Raises `NotFound("organization")`."""
    for entry in await repository.list_organizations(connection):
        if name in (entry.slug, str(entry.id)):
            return entry
    raise NotFound("organization")
