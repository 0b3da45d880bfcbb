"""The sessions of people, as the API asks for them."""

from __future__ import annotations

from tallymark.api.context import Member, Principal, SignedIn
from tallymark.api.role_permissions import permissions_of_visit
from tallymark.db.engine import Database
from tallymark.domain.errors import Forbidden, NotFound
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
            session_id=found.id,
            user_id=found.user_id,
            email=found.email,
            login_method=found.login_method,
            organization_id=found.organization_id,
            visit=found.visit,
        )

    async def enter(self, token: str, organization: str) -> Principal | None:
        """Let somebody enter an organization, by its id or slug, as the member that they are."""
        async with self._database.system() as connection:
            session = await service.find_session(connection, token, now=system_now())
            if session is None:
                return None
            belongs = await service.list_memberships(connection, session.user_id)
        named = organization.lower()
        by_name = {one.organization_slug: one for one in belongs}
        by_id = {str(one.organization_id): one for one in belongs}
        membership = by_id.get(named) or by_name.get(named)
        if membership is None:
            raise NotFound("organization")
        if not membership.is_open_to(session.login_method, session.organization_id):
            raise Forbidden("login_method_not_authorized")
        permissions = membership.permissions
        if session.visit is not None:
            permissions = permissions_of_visit(permissions, is_read_only=session.visit.is_read_only)
        return Principal(
            organization_id=membership.organization_id,
            is_simulated=membership.clock is not None,
            member=Member(
                user_id=session.user_id,
                email=session.email,
                membership_id=membership.id,
                roles=membership.roles,
                permissions=permissions,
                staff=session.visit.staff if session.visit else None,
            ),
        )
