"""Invite people, and let them in by their link (platform §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.context import Member
from tallymark.api.pagination import Page
from tallymark.api.role_permissions import ADMIN
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Forbidden, Invalid, NotFound
from tallymark.jobs import security
from tallymark.rooms.members import repository
from tallymark.rooms.members.model import Invitation, Invite, InviteStatus, invite_token, without_repeats
from tallymark.rooms.members.service.members import check_grant
from tallymark.rooms.members.service.roles import LOCK, check_known, unknown_roles
from tallymark.rooms.users import service as users
from tallymark.rooms.users.model import Device, User, hash_token, read_address


async def create_invite(
    tx: Tx, secret: bytes, *, email: str, roles: Sequence[str], by: Member | None, now: datetime
) -> Invite:
    """Invite somebody; the link is the inviter's to bring.

    Raises `Invalid`: `invalid_email_format`, `email_already_used` for a member, `invite_already_exists` for whom is invited,
    `invalid_role`; `Forbidden("cannot_grant_admin")`.
    """
    address = read_address(email)
    await tx.lock(LOCK, tx.organization_id)
    wanted = without_repeats(roles)
    check_known(await unknown_roles(tx, wanted), wanted)
    check_grant(wanted, by=by)
    if await repository.is_member(tx, address):
        raise Invalid({"email": ["email_already_used"]})
    if await repository.find_invite(tx, email=address) is not None:
        raise Invalid({"invite": ["invite_already_exists"]})
    invite = Invite(
        id=new_id(),
        organization_id=tx.organization_id,
        email=address,
        roles=wanted,
        status=InviteStatus.PENDING,
        created_at=now,
    )
    values = {
        "id": invite.id,
        "email": address,
        "roles": list(wanted),
        "token_hash": hash_token(invite_token(secret, invite.id)),
        "status": invite.status.value,
        "created_at": now,
        "updated_at": now,
    }
    await repository.insert_invite(tx, values)
    if by is not None:  # the operator's invitation comes with the organization
        await security.record(tx, "user.invited", {"email": address, "roles": list(wanted)}, now=now)
    return invite


async def invite_first_admin(
    tx: Tx, secret: bytes, emails: str | None, *, app_url: str, now: datetime
) -> str | None:
    """Invite the first of an organization's addresses as its admin, for the operator (platform §17); None where it has none."""
    if emails is None:
        return None
    email = emails.partition(",")[0]
    invite = await create_invite(tx, secret, email=email, roles=[ADMIN], by=None, now=now)
    return invite_url(app_url, secret, invite)


def invite_url(app_url: str, secret: bytes, invite: Invite) -> str:
    """The link by which whom an invitation is for joins."""
    return f"{app_url}/invitation/{invite_token(secret, invite.id)}"


async def list_invites(tx: Tx, page: Page) -> tuple[list[Invite], int]:
    """A page of those who have not answered yet, newest first, and how many there are."""
    return await repository.list_invites(tx, page)


async def update_invite(
    tx: Tx, invite_id: UUID, roles: Sequence[str], *, by: Member, now: datetime
) -> Invite:
    """Let somebody be something else once they join.

    Raises `NotFound("invite")`, `Forbidden` (`cannot_update_accepted_invite`, `cannot_update_revoked_invite`,
    `cannot_grant_admin`), `Invalid` for roles that are none.
    """
    await tx.lock(LOCK, tx.organization_id)
    invite = await _get(tx, invite_id)
    if invite.status is not InviteStatus.PENDING:
        raise Forbidden(f"cannot_update_{invite.status.value}_invite")
    wanted = without_repeats(roles)
    check_known(await unknown_roles(tx, wanted), wanted)
    check_grant(wanted, by=by)
    if wanted == invite.roles:
        return invite
    await repository.update_invite(tx, invite_id, {"roles": list(wanted), "updated_at": now})
    changes = security.deletions_and_additions({"roles": [list(invite.roles), list(wanted)]})
    await security.record(tx, "user.role_edited", {"email": invite.email, **changes}, now=now)
    return replace(invite, roles=wanted)


async def revoke_invite(tx: Tx, invite_id: UUID, *, now: datetime) -> Invite:
    """Take an invitation back. Raises `NotFound("invite")` for one that has been answered or taken back."""
    invite = await _get(tx, invite_id)
    if invite.status is not InviteStatus.PENDING:
        raise NotFound("invite")
    revoked = InviteStatus.REVOKED
    await repository.update_invite(tx, invite_id, {"status": revoked.value, "updated_at": now})
    told = {"email": invite.email, "roles": list(invite.roles)}
    await security.record(tx, "user.invite_revoked", told, now=now)
    return replace(invite, status=revoked)


async def get_invitation(connection: AsyncConnection, token: str) -> Invitation:
    """An invitation by its link. Raises `NotFound("invite")` for one that is none, or is none any more."""
    found = await repository.find_pending(connection, hash_token(token))
    if found is None:
        raise NotFound("invite")
    return found


async def accept(
    connection: AsyncConnection, invitation: Invitation, user: User, *, device: Device, now: datetime
) -> None:
    """Let a user join as what they are invited as; `now` is the organization's."""
    invite = invitation.invite
    belongs = await users.list_memberships(connection, user.id)
    if not any(one.organization_id == invite.organization_id for one in belongs):
        await users.join(connection, user.id, invite.organization_id, invite.roles, now=now)
    await repository.accept(connection, invite.id, now=now)
    await users.tell_joined(connection, user, invite.organization_id, invite.roles, device=device, now=now)


async def _get(tx: Tx, invite_id: UUID) -> Invite:
    found = await repository.find_invite(tx, invite_id=invite_id)
    if found is None:
        raise NotFound("invite")
    return found
