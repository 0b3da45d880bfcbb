"""Let people in: with a password, a link, or as the first of an installation (platform §6, §7)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.role_permissions import ADMIN
from tallymark.db.engine import Actor
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs import security
from tallymark.rooms.organizations import census
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.users import repository
from tallymark.rooms.users.model import (
    RENEWED_WITHIN,
    RESET_LASTS,
    SESSION_LASTS,
    SIGN_UP_LASTS,
    STAFF_VISIT,
    Device,
    LoginMethod,
    Membership,
    Session,
    User,
    hash_token,
    new_token,
)

WELCOME = "welcome"
"""Under what name the hash of the token is kept with which the first user comes in."""


def wrong_login() -> Invalid:
    """What whoever is not let in is told: the same for an unknown address, a wrong password, and no membership."""
    return Invalid({"base": ["incorrect_login_or_password"]})


async def find_user(connection: AsyncConnection, email: str) -> User | None:
    """A user by address."""
    return await repository.find_user(connection, email=email)


async def lock_user(connection: AsyncConnection, email: str) -> User | None:
    """A user by address, whom nobody else changes until the transaction ends."""
    return await repository.find_user(connection, email=email, is_locked=True)


async def get_user(connection: AsyncConnection, user_id: UUID) -> User:
    """A user. Raises `NotFound("user")`."""
    found = await repository.find_user(connection, user_id=user_id)
    if found is None:
        raise NotFound("user")
    return found


async def list_users(connection: AsyncConnection) -> list[User]:
    """Everybody, by address."""
    return await repository.list_users(connection)


async def create_user(
    connection: AsyncConnection, *, email: str, password_hash: str | None, now: datetime
) -> User:
    """Make a user who belongs nowhere yet. Raises `Invalid` where there is one with the address."""
    user = User(id=new_id(), email=email, password_hash=password_hash, created_at=now)
    values = {
        "id": user.id,
        "email": email,
        "password_hash": password_hash,
        "created_at": now,
        "updated_at": now,
    }
    if not await repository.insert_user(connection, values):
        raise Invalid({"email": ["user_already_exists"]})
    return user


async def join(
    connection: AsyncConnection, user_id: UUID, organization_id: UUID, roles: Sequence[str], *, now: datetime
) -> UUID:
    """Let a user belong to an organization; `now` is the organization's. Returns the membership's id."""
    membership_id = new_id()
    await repository.insert_membership(
        connection,
        {
            "id": membership_id,
            "organization_id": organization_id,
            "user_id": user_id,
            "roles": list(roles),
            "created_at": now,
            "updated_at": now,
        },
    )
    return membership_id


async def list_memberships(connection: AsyncConnection, user_id: UUID) -> list[Membership]:
    """Where a user belongs now."""
    return await repository.list_memberships(connection, user_id)


async def list_all_memberships(connection: AsyncConnection) -> list[Membership]:
    """Where everybody belongs now."""
    return await repository.list_memberships(connection, None)


async def list_admins(connection: AsyncConnection, organization_id: UUID) -> list[tuple[str, str]]:
    """The addresses of an organization's admins, each with its name."""
    return await repository.list_admins(connection, organization_id)


async def open_sign_up(connection: AsyncConnection, email: str, *, now: datetime) -> str | None:
    """Make a link's token for somebody who belongs nowhere, in place of an earlier one; None for anybody else."""
    user = await repository.find_user(connection, email=email)
    if user is not None and await repository.list_memberships(connection, user.id):
        return None
    token = new_token()
    await repository.keep_sign_up(connection, email, hash_token(token), until=now + SIGN_UP_LASTS)
    return token


async def get_sign_up(connection: AsyncConnection, token: str, *, now: datetime) -> str:
    """The address that a link was sent to. Raises `NotFound("sign_up")` for one that is over."""
    email = await repository.find_sign_up(connection, hash_token(token), now=now)
    if email is None:
        raise NotFound("sign_up")
    return email


async def take_sign_up(connection: AsyncConnection, token: str, *, now: datetime) -> str:
    """Use a link up: to which address it was sent. Raises `NotFound("sign_up")`."""
    email = await repository.take_sign_up(connection, hash_token(token), now=now)
    if email is None:
        raise NotFound("sign_up")
    return email


async def sign_up(
    connection: AsyncConnection,
    *,
    email: str,
    password_hash: str | None,
    organization_name: str,
    now: datetime,
) -> User:
    """Make a user, whose address it is for sure, and an organization of which they are the admin.

    Who belongs nowhere any more begins anew, with another password. Raises `Invalid` for somebody who belongs somewhere.
    """
    user = await repository.find_user(connection, email=email, is_locked=True)
    if user is None:
        user = await create_user(connection, email=email, password_hash=password_hash, now=now)
    elif await repository.list_memberships(connection, user.id):
        raise Invalid({"email": ["user_already_exists"]})
    elif password_hash is not None:
        await repository.set_password(connection, user.id, password_hash, now=now)
        await repository.delete_sessions(connection, user.id)
    await _found(connection, user, organization_name, now=now)
    return user


async def found(
    connection: AsyncConnection, user: User, *, organization_name: str, device: Device, now: datetime
) -> Membership:
    """Make one more organization of which a user is the admin."""
    organization_id = await _found(connection, user, organization_name, now=now)
    await tell_joined(connection, user, organization_id, [ADMIN], device=device, now=now)
    (made,) = await repository.list_memberships(connection, user.id, organization_id=organization_id)
    return made


async def _found(connection: AsyncConnection, user: User, name: str, *, now: datetime) -> UUID:
    made = await organizations.create_organization(
        connection, name=name, email=None, now=now, document_numbering="per_billing_entity"
    )
    await join(connection, user.id, made.organization_id, [ADMIN], now=now)
    return made.organization_id


async def open_welcome(connection: AsyncConnection) -> str:
    """Make the token with which the first user of the first organization comes in; it is kept as a hash."""
    token = new_token()
    await organizations.get_or_make_secret(connection, WELCOME, lambda: hash_token(token))
    return token


async def is_welcome(connection: AsyncConnection, token: str) -> bool:
    """Whether a token is the first user's, and nobody has come yet."""
    kept = await organizations.find_secret(connection, WELCOME)
    is_known = kept is not None and hmac.compare_digest(kept, hash_token(token))
    return is_known and not await repository.has_users(connection)


async def welcome(
    connection: AsyncConnection, *, token: str, email: str, password_hash: str, now: datetime
) -> User:
    """Make the first user, the admin of the oldest organization. Raises `NotFound("welcome")` for another token, or later."""
    if not await is_welcome(connection, token) or not await organizations.drop_secret(connection, WELCOME):
        raise NotFound("welcome")
    (oldest, *_) = await census.list_organizations(connection)
    user = await create_user(connection, email=email, password_hash=password_hash, now=now)
    await join(connection, user.id, oldest.id, [ADMIN], now=oldest.frozen_time or now)
    return user


async def log_in(
    connection: AsyncConnection,
    user: User,
    *,
    method: LoginMethod,
    device: Device,
    now: datetime,
    organization_id: UUID | None = None,
) -> str:
    """Begin a session and return its token. Raises `Invalid` for somebody who belongs nowhere, may not come in so, or is suspended.

    Whom an organization's provider lets in may enter that one alone. A device that is new is told to each of the user's organizations.
    """
    belongs = await repository.list_memberships(connection, user.id)
    if not belongs:
        raise wrong_login()
    if not any(one.is_open_to(method, organization_id) for one in belongs):
        raise Invalid({method.value: ["login_method_not_authorized"]})
    if await repository.note_device(connection, user.id, device.fingerprint, now=now):
        await _tell(connection, user, belongs, "user.new_device_logged_in", device=device, now=now)
    return await _begin(connection, user, method=method, organization_id=organization_id, now=now)


async def first_log_in(
    connection: AsyncConnection, user: User, *, method: LoginMethod, device: Device, now: datetime
) -> str:
    """Begin the session of somebody who has just come to be. Their device is no news, that they signed up is."""
    belongs = await repository.list_memberships(connection, user.id)
    await repository.note_device(connection, user.id, device.fingerprint, now=now)
    await _tell(connection, user, belongs, "user.signed_up", device=device, now=now)
    return await _begin(connection, user, method=method, now=now)


async def find_session(connection: AsyncConnection, token: str, *, now: datetime) -> Session | None:
    """A session by its token; one that is used in its last hour is prolonged, a visit of staff is not."""
    found = await repository.find_session(connection, hash_token(token), now=now)
    if found is not None and found.visit is None and found.expires_at - now < RENEWED_WITHIN:
        found = replace(found, expires_at=now + SESSION_LASTS)
        await repository.prolong_session(connection, found.id, until=found.expires_at)
    return found


async def log_out(connection: AsyncConnection, token: str, *, now: datetime) -> None:
    """End a session."""
    await repository.delete_session(connection, hash_token(token), now=now)


async def begin_visit(
    connection: AsyncConnection,
    user_id: UUID,
    visit_id: UUID,
    organization_id: UUID,
    *,
    now: datetime,
    until: datetime,
) -> str:
    """Begin the session in which staff look in as a user, into one organization and no other; returns its token."""
    token = new_token()
    await repository.insert_session(
        connection,
        {
            "id": new_id(),
            "user_id": user_id,
            "token_hash": hash_token(token),
            "login_method": STAFF_VISIT,
            "provider_organization_id": organization_id,
            "visit_id": visit_id,
            "created_at": now,
            "expires_at": until,
        },
    )
    return token


async def end_visit(connection: AsyncConnection, visit_id: UUID) -> None:
    """End the session of a visit, where it has begun."""
    await repository.delete_visit(connection, visit_id)


async def change_password(
    connection: AsyncConnection,
    user: User,
    password_hash: str,
    *,
    device: Device,
    now: datetime,
    session_id: UUID | None = None,
) -> None:
    """Set another password; the user's sessions end, but the one in which it was asked for, and so does a link that was sent."""
    await repository.set_password(connection, user.id, password_hash, now=now)
    await repository.delete_sessions(connection, user.id, keep=session_id)
    await repository.drop_reset(connection, user.id)
    belongs = await repository.list_memberships(connection, user.id)
    await _tell(connection, user, belongs, "user.password_edited", device=device, now=now)


async def strengthen_password(
    connection: AsyncConnection, user: User, password_hash: str, *, now: datetime
) -> None:
    """Keep the same password by a stronger hash."""
    await repository.set_password(connection, user.id, password_hash, now=now)


async def suspend(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> int:
    """Keep somebody out until they are reinstated; returns how many of their sessions that ended."""
    await repository.set_suspended(connection, user_id, now, now=now)
    return await repository.delete_sessions(connection, user_id)


async def reinstate(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    """Let somebody in again."""
    await repository.set_suspended(connection, user_id, None, now=now)


async def end_sessions(connection: AsyncConnection, user_id: UUID) -> int:
    """Sign somebody out everywhere; returns how many sessions that ended."""
    return await repository.delete_sessions(connection, user_id)


async def open_reset(connection: AsyncConnection, email: str, *, device: Device, now: datetime) -> str | None:
    """Make a link's token for somebody who may come in with a password, in place of earlier ones; None for anybody else."""
    user = await repository.find_user(connection, email=email)
    belongs = await repository.list_memberships(connection, user.id) if user else []
    if user is None or not belongs:
        return None
    token = new_token()
    await repository.keep_reset(connection, user.id, hash_token(token), until=now + RESET_LASTS)
    await _tell(connection, user, belongs, "user.password_reset_requested", device=device, now=now)
    return token


async def check_reset(connection: AsyncConnection, token: str, *, now: datetime) -> None:
    """Raises `NotFound("password_reset")` for a link that sets no password, or does no more."""
    if await repository.find_reset(connection, hash_token(token), now=now) is None:
        raise NotFound("password_reset")


async def take_reset(connection: AsyncConnection, token: str, *, now: datetime) -> User:
    """Use a link up: whose password it sets. Raises `NotFound("password_reset")`."""
    user_id = await repository.take_reset(connection, hash_token(token), now=now)
    if user_id is None:
        raise NotFound("password_reset")
    return await get_user(connection, user_id)


async def tell_joined(
    connection: AsyncConnection,
    user: User,
    organization_id: UUID,
    roles: Sequence[str],
    *,
    device: Device,
    now: datetime,
) -> None:
    """Note in an organization's security log that somebody has joined; `now` is the organization's."""
    told = {"email": user.email, "roles": list(roles)}
    actor = _actor(user, device)
    await security.record_in_each(connection, {organization_id: now}, "user.signed_up", told, actor=actor)


async def _begin(
    connection: AsyncConnection,
    user: User,
    *,
    method: LoginMethod,
    now: datetime,
    organization_id: UUID | None = None,
) -> str:
    if user.suspended_at is not None:
        raise Invalid({"base": ["user_is_suspended"]})
    token = new_token()
    await repository.insert_session(
        connection,
        {
            "id": new_id(),
            "user_id": user.id,
            "token_hash": hash_token(token),
            "login_method": method.value,
            "provider_organization_id": organization_id,
            "created_at": now,
            "expires_at": now + SESSION_LASTS,
        },
    )
    return token


async def _tell(
    connection: AsyncConnection,
    user: User,
    belongs: Sequence[Membership],
    event: str,
    *,
    device: Device,
    now: datetime,
) -> None:
    """Note something about a user in the security log of each of their organizations."""
    whose = {one.organization_id: one.clock or now for one in belongs}
    await security.record_in_each(connection, whose, event, {"email": user.email}, actor=_actor(user, device))


def _actor(user: User, device: Device) -> Actor:
    return Actor(
        user_agent=device.user_agent, ip_address=device.ip_address, user_id=user.id, user_email=user.email
    )
