"""The sessions of people, as the API asks for them."""

from __future__ import annotations

from tallymark.api.sessions import SignedIn
from tallymark.db.engine import Database
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users import service


class UserSessions:
    """Implements `api.sessions.Sessions`; nothing is cached, so that whoever is put out is out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, token: str) -> SignedIn | None:
        """Whose session a token opens."""
        async with self._database.system() as connection:
            found = await service.find_session(connection, token, now=system_now())
        if found is None:
            return None
        return SignedIn(
            session_id=found.id, user_id=found.user_id, email=found.email, login_method=found.login_method
        )
