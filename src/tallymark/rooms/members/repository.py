"""How roles, memberships and invitations are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, Row, delete, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.tables import invites, memberships, organizations, roles, test_clocks, users
from tallymark.rooms.members.model import (
    Invitation,
    Invite,
    InviteStatus,
    MemberFilters,
    OrganizationMember,
    Role,
)

Values = Mapping[str, Any]

ACTIVE = memberships.c.status == "active"
PENDING = invites.c.status == InviteStatus.PENDING.value


async def list_roles(tx: Tx) -> list[Role]:
    """The organization's own roles, by name."""
    rows = await tx.execute(select(roles).order_by(roles.c.name, roles.c.code))
    return [_as_role(row) for row in rows]


async def known_roles(tx: Tx, codes: Collection[str]) -> set[str]:
    return set((await tx.execute(select(roles.c.code).where(roles.c.code.in_(codes)))).scalars())


async def insert_role(tx: Tx, values: Values) -> None:
    await tx.execute(insert(roles), {**values, "organization_id": tx.organization_id})


async def update_role(tx: Tx, role_id: UUID, values: Values) -> None:
    await tx.execute(update(roles).where(roles.c.id == role_id).values(**values))


async def delete_role(tx: Tx, role_id: UUID) -> None:
    await tx.execute(delete(roles).where(roles.c.id == role_id))


async def is_assigned(tx: Tx, code: str) -> bool:
    """Whether a member has a role, or somebody who is invited would have it."""
    members = select(memberships.c.id).where(ACTIVE, memberships.c.roles.contains([code]))
    invited = select(invites.c.id).where(PENDING, invites.c.roles.contains([code]))
    return (await tx.execute(members.union_all(invited).limit(1))).first() is not None


async def count_members_by_role(tx: Tx) -> dict[str, int]:
    """How many members have each role that any has."""
    held = select(func.unnest(memberships.c.roles).label("code")).where(ACTIVE).subquery()
    counted = select(held.c.code, func.count().label("members")).group_by(held.c.code)
    return {row.code: row.members for row in await tx.execute(counted)}


_MEMBER = (
    memberships.c.id,
    memberships.c.user_id,
    users.c.email,
    memberships.c.roles,
    memberships.c.created_at,
)


async def list_members(tx: Tx, filters: MemberFilters, page: Page) -> tuple[list[OrganizationMember], int]:
    """A page of the members, by address, and how many there are."""
    joined = (
        select(*_MEMBER).join(users, users.c.id == memberships.c.user_id).where(ACTIVE, *_conditions(filters))
    )
    total = (await tx.execute(select(func.count()).select_from(joined.subquery()))).scalar_one()
    rows = await tx.execute(joined.order_by(users.c.email).limit(page.size).offset(page.offset))
    return [_as_member(row) for row in rows], int(total)


async def find_member(tx: Tx, membership_id: UUID) -> OrganizationMember | None:
    statement = select(*_MEMBER).join(users, users.c.id == memberships.c.user_id)
    row = (await tx.execute(statement.where(ACTIVE, memberships.c.id == membership_id))).first()
    return _as_member(row) if row else None


async def is_member(tx: Tx, email: str) -> bool:
    statement = select(memberships.c.id).join(users, users.c.id == memberships.c.user_id)
    return (await tx.execute(statement.where(ACTIVE, users.c.email == email))).first() is not None


async def count_admins(tx: Tx) -> int:
    counted = (
        select(func.count()).select_from(memberships).where(ACTIVE, memberships.c.roles.contains(["admin"]))
    )
    return int((await tx.execute(counted)).scalar_one())


async def update_membership(tx: Tx, membership_id: UUID, values: Values) -> None:
    await tx.execute(update(memberships).where(memberships.c.id == membership_id).values(**values))


async def insert_invite(tx: Tx, values: Values) -> None:
    await tx.execute(insert(invites), {**values, "organization_id": tx.organization_id})


async def list_invites(tx: Tx, page: Page) -> tuple[list[Invite], int]:
    """A page of those who have not answered yet, newest first, and how many there are."""
    total = (await tx.execute(select(func.count()).select_from(invites).where(PENDING))).scalar_one()
    newest = select(invites).where(PENDING).order_by(invites.c.created_at.desc(), invites.c.id.desc())
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_invite(row) for row in rows], int(total)


async def find_invite(tx: Tx, *, invite_id: UUID | None = None, email: str | None = None) -> Invite | None:
    """An invitation by its id, or the pending one of an address; locked until the transaction ends."""
    wanted = invites.c.id == invite_id if invite_id is not None else invites.c.email == email
    conditions = [wanted] if invite_id is not None else [wanted, PENDING]
    row = (await tx.execute(select(invites).where(*conditions).with_for_update())).first()
    return _as_invite(row) if row else None


async def update_invite(tx: Tx, invite_id: UUID, values: Values) -> None:
    await tx.execute(update(invites).where(invites.c.id == invite_id).values(**values))


async def find_pending(connection: AsyncConnection, token_hash: bytes) -> Invitation | None:
    """An invitation that waits; it is locked until the transaction ends."""
    microsecond = literal_column("interval '1 microsecond'", Interval)
    clock = (test_clocks.c.frozen_time + test_clocks.c.calls * microsecond).label("clock")
    statement = (
        select(invites, organizations.c.name, organizations.c.authentication_methods, clock)
        .join(organizations, organizations.c.id == invites.c.organization_id)
        .outerjoin(test_clocks, test_clocks.c.organization_id == organizations.c.id)
        .where(PENDING, invites.c.token_hash == token_hash)
        .with_for_update(of=invites)
    )
    row = (await connection.execute(statement)).first()
    if row is None:
        return None
    return Invitation(
        invite=_as_invite(row),
        organization_name=row.name,
        authentication_methods=tuple(row.authentication_methods),
        clock=row.clock,
    )


async def accept(connection: AsyncConnection, invite_id: UUID, *, now: datetime) -> None:
    values = {"status": InviteStatus.ACCEPTED.value, "updated_at": now}
    await connection.execute(update(invites).where(invites.c.id == invite_id).values(**values))


def _conditions(filters: MemberFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.search:
        conditions.append(users.c.email.contains(filters.search.lower(), autoescape=True))
    if filters.roles:
        conditions.append(memberships.c.roles.overlap(list(filters.roles)))
    return conditions


def _as_role(row: Row[Any]) -> Role:
    values = {name: getattr(row, name) for name in Role.__slots__}
    return Role(**{**values, "permissions": tuple(row.permissions)})


def _as_member(row: Row[Any]) -> OrganizationMember:
    return OrganizationMember(**{**row._mapping, "roles": tuple(row.roles)})


def _as_invite(row: Row[Any]) -> Invite:
    values = {name: getattr(row, name) for name in Invite.__slots__}
    return Invite(**{**values, "roles": tuple(row.roles), "status": InviteStatus(row.status)})
