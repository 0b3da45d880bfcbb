"""What happens later: links are made and sent, and what is over is forgotten. Safe to run twice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Database
from tallymark.jobs.notices import NoticeKind
from tallymark.rooms.users import repository, service
from tallymark.rooms.users.model import Device
from tallymark.rooms.users.ports import Messenger


async def send_password_reset(
    database: Database,
    messenger: Messenger | None,
    front_url: str,
    *,
    email: str,
    device: Device,
    now: datetime,
) -> None:
    """Make a link and send it. It is nowhere but in the e-mail; one that could not be sent is followed by another."""
    if messenger is None:
        return
    async with database.system() as connection:
        token = await service.open_reset(connection, email, device=device, now=now)
    if token is not None:
        await messenger.bring_reset(email=email, url=f"{front_url}/reset-password/{token}")


async def send_sign_up(
    database: Database, messenger: Messenger | None, front_url: str, *, email: str, now: datetime
) -> None:
    """Send the link by which somebody signs up, or tell whoever belongs here already how they come in."""
    if messenger is None:
        return
    async with database.system() as connection:
        token = await service.open_sign_up(connection, email, now=now)
    if token is not None:
        await messenger.bring_sign_up(email=email, url=f"{front_url}/sign-up/{token}")
    else:
        await messenger.bring_welcome_back(
            email=email, sign_in_url=f"{front_url}/sign-in", reset_url=f"{front_url}/forgot-password"
        )


async def send_notice(
    database: Database, messenger: Messenger | None, organization_id: UUID, *, kind: NoticeKind, about: str
) -> None:
    """Tell the admins of an organization that what lets somebody in was changed."""
    if messenger is None:
        return
    async with database.system() as connection:
        admins = await service.list_admins(connection, organization_id)
    if admins:
        name = admins[0][1]
        await messenger.tell([email for email, _ in admins], kind, about=about, organization=name)


async def forget_ended(database: Database, *, now: datetime) -> None:
    """Delete sessions, links and counts of guesses that are over."""
    async with database.system() as connection:
        await repository.delete_ended(connection, now=now)
