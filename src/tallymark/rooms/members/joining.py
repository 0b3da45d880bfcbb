"""How somebody who is invited joins, step by step: by a session of theirs, by their password, or by setting one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.api.context import SignedIn
from tallymark.db.engine import Database
from tallymark.domain.errors import Invalid
from tallymark.rooms.members.model import Invitation
from tallymark.rooms.members.service import invites
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users import service as users
from tallymark.rooms.users.entering import PASSWORD, Door
from tallymark.rooms.users.model import Device, check_password


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Lets those in who are invited."""

    database: Database
    door: Door

    async def join(self, token: str, password: str, device: Device, session: SignedIn | None) -> str | None:
        """Accept an invitation, and return the token of the session that begins; None where somebody has one.

        Whoever belongs somewhere already shows that they are who is invited: by their session, or their password. Anybody else sets
        a password. Raises `NotFound("invite")`; `Invalid`: `login_method_not_authorized` by method, `incorrect_login_or_password`,
        or for a password that is none; `TooMany`.
        """
        async with self.database.system() as connection:
            invitation = await invites.get_invitation(connection, token)
            user = await users.find_user(connection, invitation.invite.email)
            is_known = user is not None and bool(await users.list_memberships(connection, user.id))
        if session is not None and session.email == invitation.invite.email:
            _check_method(invitation, session.login_method, session.organization_id)
            await self._join_signed_in(token, device, session)
            return None
        _check_method(invitation, PASSWORD.value)
        if is_known:
            await self.door.compare(invitation.invite.email, password, device)
            return await self._enter(token, None, device)
        check_password(password)
        return await self._enter(token, await self.door.passwords.hash(password), device)

    async def _join_signed_in(self, token: str, device: Device, session: SignedIn) -> None:
        async with self.database.system() as connection:
            invitation = await invites.get_invitation(connection, token)
            user = await users.get_user(connection, session.user_id)
            await invites.accept(connection, invitation, user, device=device, now=_now(invitation))

    async def _enter(self, token: str, password_hash: str | None, device: Device) -> str:
        """Join and begin a session; a hash is of the password of somebody who belongs nowhere yet."""
        async with self.database.system() as connection:
            now = system_now()
            invitation = await invites.get_invitation(connection, token)
            email = invitation.invite.email
            user = await users.lock_user(connection, email)
            if user is None:
                assert password_hash is not None, "who belongs somewhere is there"
                user = await users.create_user(connection, email=email, password_hash=password_hash, now=now)
            elif password_hash is not None:
                if await users.list_memberships(connection, user.id):
                    raise users.wrong_login()  # who has joined elsewhere meanwhile has a password by now
                await users.change_password(connection, user, password_hash, device=device, now=now)
            await invites.accept(connection, invitation, user, device=device, now=_now(invitation))
            return await users.log_in(connection, user, method=PASSWORD, device=device, now=now)


def _now(invitation: Invitation) -> datetime:
    return invitation.clock or system_now()


def _check_method(invitation: Invitation, method: str, organization_id: UUID | None = None) -> None:
    """Nobody's provider lets anybody join another organization."""
    is_own = organization_id in (None, invitation.invite.organization_id)
    if method not in invitation.authentication_methods or not is_own:
        raise Invalid({method: ["login_method_not_authorized"]})
