"""The organization that the settings ask for: made once, with its first user, before anything is served (platform §17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.role_permissions import ADMIN
from tallymark.db.engine import Database
from tallymark.db.errors import StartupError
from tallymark.domain.errors import Invalid
from tallymark.jobs.deeds import AT_THE_SHELL
from tallymark.rooms.organizations import census
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.service import NewOrganization
from tallymark.rooms.users import service as users
from tallymark.rooms.users.model import check_password, read_address
from tallymark.rooms.users.passwords import Passwords
from tallymark.settings import Settings

LONGEST_NAME = 255
SHORTEST_KEY = 20
"""Keys are kept as plain hashes, so that a short one could be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """An organization that there shall be, and who comes in first. Without a key one is made up."""

    name: str
    email: str
    password: str = field(repr=False)
    api_key: str | None = field(repr=False)


def read_first_run(settings: Settings) -> FirstRun | None:
    """What the settings ask for; None where they ask for nothing. Raises `StartupError` naming the settings that are wrong."""
    if not settings.create_org:
        return None
    given = {
        "org_name": (settings.org_name or "").strip(),
        "org_user_email": settings.org_user_email or "",
        "org_user_password": settings.org_user_password or "",
    }
    if missing := [name for name, value in given.items() if not value]:
        raise StartupError(f"create_org needs {', '.join(missing)}")
    if len(given["org_name"]) > LONGEST_NAME:
        raise StartupError(f"org_name: at most {LONGEST_NAME} characters")
    key = settings.org_api_key or None
    if key is not None and (len(key) < SHORTEST_KEY or not key.isascii() or key.split() != [key]):
        raise StartupError(f"org_api_key: at least {SHORTEST_KEY} characters of ASCII, without spaces")
    try:
        check_password(given["org_user_password"])
        address = read_address(given["org_user_email"])
    except Invalid as error:
        raise _refused(error, prefix="org_user_") from None
    return FirstRun(name=given["org_name"], email=address, password=given["org_user_password"], api_key=key)


async def make_organization(database: Database, asked: FirstRun, *, now: datetime) -> str | None:
    """Make the organization, and its user as admin, unless there is one of that name: then nothing changes.

    A user who is known keeps their password. Returns the key that was made up, which is shown this once; None where there is none.
    Raises `StartupError` for a key that is another organization's.
    """
    passwords = Passwords()
    try:
        async with database.system() as connection:
            if await census.is_named(connection, asked.name):
                return None
            made = await _make(connection, asked, now=now)
            await organizations.note_created(
                connection, made, name=asked.name, email=asked.email, by=AT_THE_SHELL, now=now
            )
            user = await users.lock_user(connection, asked.email)
            if user is None:
                password_hash = await passwords.hash(asked.password)
                user = await users.create_user(
                    connection, email=asked.email, password_hash=password_hash, now=now
                )
            await users.join(connection, user.id, made.organization_id, [ADMIN], now=now)
    except Invalid as error:
        raise _refused(error, prefix="org_") from None
    finally:
        passwords.close()
    return made.api_key if asked.api_key is None else None


async def _make(connection: AsyncConnection, asked: FirstRun, *, now: datetime) -> NewOrganization:
    if asked.api_key is None:
        return await organizations.create_organization(connection, name=asked.name, email=None, now=now)
    return await organizations.create_organization_with_key(
        connection, name=asked.name, api_key=asked.api_key, now=now
    )


def _refused(error: Invalid, *, prefix: str) -> StartupError:
    """What is wrong, by the names of the settings; the values stay untold."""
    told = (f"{prefix}{name}: {', '.join(codes)}" for name, codes in error.details.items())
    return StartupError("; ".join(told))
