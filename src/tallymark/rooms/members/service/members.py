"""Who belongs to the organization, and as what (platform §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.context import Member
from tallymark.api.pagination import Page
from tallymark.api.role_permissions import ADMIN
from tallymark.db.engine import Actor, Tx
from tallymark.domain.errors import Forbidden, Invalid, NotAllowed, NotFound
from tallymark.jobs import security
from tallymark.jobs.deeds import Deed, Staff, Verb, note
from tallymark.rooms.members import repository
from tallymark.rooms.members.model import MemberFilters, OrganizationMember, without_repeats
from tallymark.rooms.members.service.roles import LOCK, unknown_roles
from tallymark.rooms.organizations import census
from tallymark.rooms.users import service as users
from tallymark.rooms.users.model import Device


async def list_members(tx: Tx, filters: MemberFilters, page: Page) -> tuple[list[OrganizationMember], int]:
    """A page of the members, by address, and how many there are."""
    return await repository.list_members(tx, filters, page)


async def change_roles(
    tx: Tx, membership_id: UUID, roles: Sequence[str], *, by: Member, now: datetime
) -> OrganizationMember:
    """Let a member be something else.

    Raises `NotFound("membership")`; `NotFound("role")` for none, and for what is none; `Forbidden("cannot_grant_admin")`
    for who is no admin; `NotAllowed("last_admin")`.
    """
    member = await _lock_member(tx, membership_id)
    wanted = without_repeats(roles)
    if not wanted or await unknown_roles(tx, wanted):
        raise NotFound("role")
    if ADMIN not in member.roles:
        check_grant(wanted, by=by)
    if ADMIN not in wanted:
        await _keep_an_admin(tx, member)
    if set(wanted) == set(member.roles):
        return member
    await repository.update_membership(tx, membership_id, {"roles": list(wanted), "updated_at": now})
    changes = security.deletions_and_additions({"roles": [list(member.roles), list(wanted)]})
    await security.record(tx, "user.role_edited", {"email": member.email, **changes}, now=now)
    return replace(member, roles=wanted)


async def revoke(tx: Tx, membership_id: UUID, *, by: Member, now: datetime) -> OrganizationMember:
    """Let somebody belong here no more, at once.

    Raises `NotFound("membership")`, `NotAllowed("cannot_revoke_own_membership")`, `NotAllowed("last_admin")`.
    """
    member = await _lock_member(tx, membership_id)
    if member.user_id == by.user_id:
        raise NotAllowed("cannot_revoke_own_membership")
    await _keep_an_admin(tx, member)
    await repository.update_membership(tx, membership_id, {"status": "revoked", "updated_at": now})
    await security.record(tx, "user.deleted", {"email": member.email}, now=now)
    return member


async def add_admin(
    connection: AsyncConnection,
    user_id: UUID,
    organization_id: UUID,
    *,
    device: Device,
    by: Staff,
    now: datetime,
) -> OrganizationMember:
    """Let a user belong to an organization as its admin, for the operator (platform §17); `now` is a live organization's.

    Raises `NotFound` (`user`, `organization`), `Invalid` for who belongs there already.
    """
    user = await users.get_user(connection, user_id)
    entry = await census.get_entry(connection, organization_id)
    await users.lock_user(connection, user.email)
    belongs = await users.list_memberships(connection, user.id)
    if any(one.organization_id == entry.id for one in belongs):
        raise Invalid({"user_id": ["value_already_exist"]})
    joined_at = entry.frozen_time or now
    membership_id = await users.join(connection, user.id, entry.id, [ADMIN], now=joined_at)
    told = {"email": user.email, "roles": [ADMIN]}
    operator = Actor(user_agent=device.user_agent, ip_address=device.ip_address)
    await security.record_in_each(connection, {entry.id: joined_at}, "user.signed_up", told, actor=operator)
    joined = OrganizationMember(
        id=membership_id, user_id=user.id, email=user.email, roles=(ADMIN,), created_at=joined_at
    )
    await note_admitted(connection, entry.id, joined, by=by, now=now)
    return joined


async def note_admitted(
    connection: AsyncConnection,
    organization_id: UUID,
    joined: OrganizationMember,
    *,
    by: Staff,
    now: datetime,
) -> None:
    """Note in the audit of staff that they let somebody belong to an organization; `now` is the system's."""
    deed = Deed(
        verb=Verb.ADMITTED,
        subject_type="membership",
        subject_id=str(joined.id),
        subject=joined.email,
        organization_id=organization_id,
        after={"roles": list(joined.roles)},
    )
    await note(connection, by, deed, now=now)


def check_grant(roles: Sequence[str], *, by: Member | None) -> None:
    """Raises `Forbidden("cannot_grant_admin")` where somebody who is none makes an admin; the operator may."""
    if ADMIN in roles and by is not None and ADMIN not in by.roles:
        raise Forbidden("cannot_grant_admin")


async def _lock_member(tx: Tx, membership_id: UUID) -> OrganizationMember:
    await tx.lock(LOCK, tx.organization_id)
    found = await repository.find_member(tx, membership_id)
    if found is None:
        raise NotFound("membership")
    return found


async def _keep_an_admin(tx: Tx, member: OrganizationMember) -> None:
    if ADMIN in member.roles and await repository.count_admins(tx) == 1:
        raise NotAllowed("last_admin")
