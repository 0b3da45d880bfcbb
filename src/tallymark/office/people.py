"""Who signs in to the web app, where they belong, and how they are kept out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette_admin import BooleanField, IntegerField
from starlette_admin.flash import flash

from tallymark.db.tables import memberships, organizations, user_sessions, users
from tallymark.jobs.deeds import Verb
from tallymark.office.acting import acting, row_deed
from tallymark.office.tables import TableView, instant, words
from tallymark.rooms.users import service


class PeopleView(TableView):
    """Everybody with an address, whatever they belong to."""

    key = "people"
    display_name = "Person"
    menu_label = "People"
    icon = "fa-solid fa-user"
    newest_first = "created_at"
    searched = ("id", "email", "organizations")
    row_actions = ("suspend", "reinstate", "end_sessions")
    statement = select(
        users.c.id,
        users.c.email,
        select(func.string_agg(organizations.c.name, ", "))
        .join_from(memberships, organizations, organizations.c.id == memberships.c.organization_id)
        .where(memberships.c.user_id == users.c.id, memberships.c.status == "active")
        .correlate(users)
        .scalar_subquery()
        .label("organizations"),
        select(func.count())
        .select_from(user_sessions)
        .where(user_sessions.c.user_id == users.c.id, user_sessions.c.expires_at > func.now())
        .correlate(users)
        .scalar_subquery()
        .label("sessions"),
        users.c.password_hash.is_not(None).label("has_password"),
        users.c.suspended_at,
        users.c.created_at,
    )
    fields = (
        words("email", "E-mail"),
        words("organizations", "Belongs to"),
        IntegerField("sessions", label="Signed in", filters=[]),
        BooleanField("has_password", label="Has a password", filters=[]),
        instant("suspended_at", "Suspended"),
        instant("created_at", "Made"),
        words("id", "Id", exclude_from_list=True),
    )

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """What can be done to somebody as they are."""
        match name:
            case "suspend":
                return obj.suspended_at is None
            case "reinstate":
                return obj.suspended_at is not None
            case "end_sessions":
                return bool(obj.sessions)
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @row_deed(
        name="suspend",
        text="Suspend",
        confirmation="They are signed out, and can't sign in until they are reinstated. What they belong to stays.",
        header="Suspend this person",
        submit_btn_text="Suspend",
        submit_btn_class="btn btn-danger",
        icon_class="fa-solid fa-lock",
    )
    async def suspend(self, request: Request, pk: str) -> None:
        """Keep somebody out."""
        await self._do(request, UUID(pk), Verb.SUSPENDED)

    @row_deed(
        name="reinstate",
        text="Reinstate",
        confirmation="They can sign in again, as before.",
        header="Reinstate this person",
        submit_btn_text="Reinstate",
        icon_class="fa-solid fa-lock-open",
    )
    async def reinstate(self, request: Request, pk: str) -> None:
        """Let somebody in again."""
        await self._do(request, UUID(pk), Verb.REINSTATED)

    @row_deed(
        name="end_sessions",
        text="Sign out",
        confirmation="They are signed out everywhere, and can sign in again.",
        header="Sign this person out",
        submit_btn_text="Sign them out",
        icon_class="fa-solid fa-right-from-bracket",
    )
    async def end_sessions(self, request: Request, pk: str) -> None:
        """End all that somebody is signed in with."""
        await self._do(request, UUID(pk), Verb.ENDED_SESSIONS)

    async def _do(self, request: Request, user_id: UUID, verb: Verb) -> None:
        async with acting(self.database, request) as act:
            email, before, after = await _change(act.connection, user_id, verb, now=act.now)
            await act.note(verb, ("user", user_id, email), before=before, after=after)
        flash(request, f"{email}: {verb.value.replace('_', ' ')}.", "success")


async def _change(
    connection: AsyncConnection, user_id: UUID, verb: Verb, *, now: datetime
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Do it; whom it befell, and what it was before and after."""
    user = await service.get_user(connection, user_id)
    before = {"is_suspended": user.suspended_at is not None}
    match verb:
        case Verb.SUSPENDED:
            ended = await service.suspend(connection, user_id, now=now)
            return user.email, {**before, "sessions": ended}, {"is_suspended": True, "sessions": 0}
        case Verb.REINSTATED:
            await service.reinstate(connection, user_id, now=now)
            return user.email, before, {"is_suspended": False}
        case Verb.ENDED_SESSIONS:
            ended = await service.end_sessions(connection, user_id)
            return user.email, {"sessions": ended}, {"sessions": 0}
    raise AssertionError(f"{verb} befalls no person")
