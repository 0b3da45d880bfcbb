"""Links to portals: signed and sealed, so that they tell nothing and can't be made up, kept nowhere (platform §8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken

from tallymark.api.context import Principal
from tallymark.db.engine import Database
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.portal import repository
from tallymark.rooms.portal.model import LASTS, Visit

SECRET = "portal"
"""Under what name the installation keeps the key of its links."""


class PortalLinks:
    """Makes the tokens of links and reads them.

    >>> from datetime import UTC, datetime
    >>> links, visit = PortalLinks(Fernet.generate_key()), Visit(organization_id=UUID(int=1), customer_id=UUID(int=2))
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> token = links.token(visit, at=at)
    >>> links.read(token, now=at + LASTS) == visit, links.read(token[:-4] + "AAAA", now=at)
    (True, None)
    """

    def __init__(self, key: bytes) -> None:
        self._seal = Fernet(key)

    def token(self, visit: Visit, *, at: datetime) -> str:
        """The token of a link that is made at an instant: for so long it opens the portal."""
        content = visit.organization_id.bytes + visit.customer_id.bytes
        return self._seal.encrypt_at_time(content, int(at.timestamp())).decode()

    def read(self, token: str, *, now: datetime) -> Visit | None:
        """Whom a token is for; None for one that was not made here, or is over."""
        try:
            content = self._seal.decrypt_at_time(
                token.encode(), ttl=int(LASTS.total_seconds()), current_time=int(now.timestamp())
            )
        except InvalidToken:
            return None
        return Visit(organization_id=UUID(bytes=content[:16]), customer_id=UUID(bytes=content[16:]))


class PortalDoor:
    """Implements `api.context.Portal`. Links live by the system's time: a test clock makes none older."""

    def __init__(self, database: Database, links: PortalLinks) -> None:
        self.links = links
        self._database = database

    async def admit(self, token: str) -> Principal | None:
        """Whose portal a link opens, as long as there is that customer. It gives no right over the API."""
        visit = self.links.read(token, now=system_now())
        if visit is None:
            return None
        async with self._database.system() as connection:
            is_simulated = await repository.find_visited(connection, visit)
        if is_simulated is None:
            return None
        return Principal(
            organization_id=visit.organization_id,
            is_simulated=is_simulated,
            rights=frozenset(),
            customer_id=visit.customer_id,
        )
