"""Visits: staff look into an organization as one of its members, for a while and for a reason. By system transactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.jobs.deeds import Deed, Staff, Verb, note
from tallymark.rooms.staff import repository
from tallymark.rooms.staff.model import VISIT_LINK_LASTS, Visit
from tallymark.rooms.users import service as users
from tallymark.rooms.users.model import hash_token, new_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """As whom somebody wants to look in, for how long, and why."""

    membership_id: UUID
    minutes: int
    is_read_only: bool
    reason: str


async def open_visit(connection: AsyncConnection, staff: Staff, wanted: Wanted, *, now: datetime) -> str:
    """Make the token of a link that begins a visit, once and within a minute. Raises `NotFound("membership")`."""
    host = await repository.find_host(connection, wanted.membership_id)
    if host is None:
        raise NotFound("membership")
    token, visit_id = new_token(), new_id()
    until = now + timedelta(minutes=wanted.minutes)
    await repository.insert_visit(
        connection,
        {
            "id": visit_id,
            "login": staff.login,
            "user_id": host.user_id,
            "visited_organization_id": host.organization_id,
            "is_read_only": wanted.is_read_only,
            "reason": wanted.reason,
            "link_hash": hash_token(token),
            "link_until": now + VISIT_LINK_LASTS,
            "created_at": now,
            "expires_at": until,
        },
    )
    deed = Deed(
        verb=Verb.VISITED,
        subject_type="user",
        subject_id=str(host.user_id),
        subject=host.email,
        organization_id=host.organization_id,
        reason=wanted.reason,
        after={"visit": str(visit_id), "is_read_only": wanted.is_read_only, "until": until.isoformat()},
    )
    await note(connection, staff, deed, now=now)
    return token


async def begin_visit(connection: AsyncConnection, token: str, *, now: datetime) -> str:
    """Use a link up, and begin the visit: the token of its session in the web app. Raises `NotFound("visit")`."""
    visit = await repository.take_visit_link(connection, hash_token(token), now=now)
    if visit is None:
        raise NotFound("visit")
    return await users.begin_visit(
        connection,
        visit.user_id,
        visit.id,
        visit.organization_id,
        now=now,
        until=visit.expires_at,
    )


async def end_visit(connection: AsyncConnection, visit_id: UUID, *, now: datetime) -> Visit:
    """End a visit before its time. Raises `NotFound("visit")` for one that is over."""
    visit = await repository.end_visit(connection, visit_id, now=now)
    if visit is None:
        raise NotFound("visit")
    await users.end_visit(connection, visit_id)
    return visit
