"""What the operator's commands do with people who sign in, on a database, without a server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.role_permissions import PREDEFINED
from tallymark.db.engine import Database
from tallymark.db.errors import StartupError
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.deeds import AT_THE_SHELL, Deed, Verb, note
from tallymark.rooms.members.model import OrganizationMember
from tallymark.rooms.members.service.members import note_admitted
from tallymark.rooms.organizations import census
from tallymark.rooms.staff import service as staff
from tallymark.rooms.staff.model import read_login
from tallymark.rooms.users import service
from tallymark.rooms.users.model import Device, Membership, User, check_password, read_address
from tallymark.rooms.users.passwords import Passwords

SHELL = Device(user_agent="tallymark (shell)", ip_address=None)
"""Where the operator's changes come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUser:
    """A user and the password that was made up; None where it was given, or the user had one."""

    user: User
    password: str | None


async def create_user(
    url: str, email: str, organization: str, roles: Sequence[str], *, password: str | None
) -> MadeUser:
    """Let somebody belong to an organization (slug or id), who may be new. Raises `StartupError`."""
    async with _system(url) as connection:
        address = read_address(email)
        entry = await census.find_entry(connection, organization)
        _check_roles(roles)
        now = datetime.now(UTC)
        user = await service.find_user(connection, address)
        made_up = None
        if user is None:
            given = password if password is not None else (made_up := secrets.token_urlsafe(15))
            user = await service.create_user(
                connection, email=address, password_hash=await _hash(given), now=now
            )
            await _note(connection, Verb.CREATED, user, now=now)
        elif password is not None:
            raise StartupError(f"{address} has a password already: `tallymark users reset-password`")
        belongs = await service.list_memberships(connection, user.id)
        if any(one.organization_id == entry.id for one in belongs):
            raise StartupError(f"{address} belongs to {organization} already")
        joined_at = entry.frozen_time or now
        membership_id = await service.join(connection, user.id, entry.id, roles, now=joined_at)
        joined = OrganizationMember(
            id=membership_id, user_id=user.id, email=address, roles=tuple(roles), created_at=joined_at
        )
        await note_admitted(connection, entry.id, joined, by=AT_THE_SHELL, now=now)
    return MadeUser(user=user, password=made_up)


async def list_users(url: str) -> list[tuple[User, list[Membership]]]:
    """Everybody, by address, with where they belong."""
    async with _system(url) as connection:
        found = await service.list_users(connection)
        belongs = await service.list_all_memberships(connection)
    return [(user, [one for one in belongs if one.user_id == user.id]) for user in found]


async def reset_password(url: str, email: str, *, password: str | None) -> str:
    """Give somebody another password, the given one or one that is made up, and return it. Raises `StartupError`."""
    new = password if password is not None else secrets.token_urlsafe(15)
    async with _system(url) as connection:
        user = await service.find_user(connection, read_address(email))
        if user is None:
            raise NotFound("user")
        password_hash, now = await _hash(new), datetime.now(UTC)
        await service.change_password(connection, user, password_hash, device=SHELL, now=now)
        await _note(connection, Verb.GAVE_PASSWORD, user, now=now)
    return new


async def make_staff_link(url: str, login: str) -> str:
    """Make the token of a link with which staff come into the back office, once. Raises `StartupError`."""
    async with _system(url) as connection:
        return await staff.open_link(connection, read_login(login), now=datetime.now(UTC))


async def _note(connection: AsyncConnection, verb: Verb, user: User, *, now: datetime) -> None:
    deed = Deed(verb=verb, subject_type="user", subject_id=str(user.id), subject=user.email)
    await note(connection, AT_THE_SHELL, deed, now=now)


def _check_roles(roles: Sequence[str]) -> None:
    if unknown := [role for role in roles if role not in PREDEFINED]:
        raise StartupError(f"there is no role {', '.join(unknown)}: {', '.join(PREDEFINED)}")


async def _hash(password: str) -> str:
    check_password(password)
    passwords = Passwords()
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


@asynccontextmanager
async def _system(url: str) -> AsyncIterator[AsyncConnection]:
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            yield connection
    except NotFound as error:
        raise StartupError(error.code.replace("_", " ")) from None
    except Invalid as error:
        told = "; ".join(f"{field}: {', '.join(codes)}" for field, codes in error.details.items())
        raise StartupError(told) from None
    finally:
        await database.close()
