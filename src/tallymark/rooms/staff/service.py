"""Let staff in, and note what they do; all of it needs system transactions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.domain.errors import NotFound
from tallymark.jobs.deeds import Deed, Staff, Verb, Via, note
from tallymark.rooms.staff import repository
from tallymark.rooms.staff.model import LINK_LASTS, SESSION_LASTS
from tallymark.rooms.users.model import hash_token, new_token


async def open_link(connection: AsyncConnection, login: str, *, now: datetime) -> str:
    """Make the token of a link with which somebody comes in once, soon; it is kept as a hash."""
    token = new_token()
    await repository.delete_ended(connection, now=now)
    await repository.insert_link(connection, hash_token(token), login, until=now + LINK_LASTS)
    await note(connection, Staff(login=login, via=Via.SHELL), _about(Verb.MADE_LINK, login), now=now)
    return token


async def check_link(connection: AsyncConnection, token: str, *, now: datetime) -> str:
    """Whose link it is. Raises `NotFound("staff_link")` for one that was used, or is over."""
    login = await repository.find_link(connection, hash_token(token), now=now)
    if login is None:
        raise NotFound("staff_link")
    return login


async def take_link(connection: AsyncConnection, token: str, *, ip_address: str | None, now: datetime) -> str:
    """Use a link up, and begin a session: returns its token. Raises `NotFound("staff_link")`."""
    login = await repository.take_link(connection, hash_token(token), now=now)
    if login is None:
        raise NotFound("staff_link")
    begun = new_token()
    await repository.insert_session(connection, hash_token(begun), login, now=now, until=now + SESSION_LASTS)
    staff = Staff(login=login, via=Via.LINK, ip_address=ip_address)
    await note(connection, staff, _about(Verb.SIGNED_IN, login), now=now)
    return begun


async def find_session(connection: AsyncConnection, token: str, *, now: datetime) -> str | None:
    """Whose session a token opens; it is not prolonged."""
    return await repository.find_session(connection, hash_token(token), now=now)


async def end_session(
    connection: AsyncConnection, token: str, *, ip_address: str | None, now: datetime
) -> None:
    """End a session, if there is one."""
    login = await repository.delete_session(connection, hash_token(token))
    if login is not None:
        staff = Staff(login=login, via=Via.LINK, ip_address=ip_address)
        await note(connection, staff, _about(Verb.SIGNED_OUT, login), now=now)


def _about(verb: Verb, login: str) -> Deed:
    return Deed(verb=verb, subject_type="staff", subject_id=login, subject=login)
