"""Members of tenants, and visits: staff look into the web app as one of them, which its pages say as long as it lasts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin import BooleanField, CustomView, link_row_action
from starlette_admin.exceptions import ActionFailed
from starlette_admin.flash import flash
from starlette_admin.routing import route

from tallymark.db.engine import Database
from tallymark.db.tables import memberships, organizations, staff_visits, users
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.deeds import Verb
from tallymark.office.acting import acting, row_deed
from tallymark.office.signing_in import staff_of
from tallymark.office.tables import TableView, instant, words
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.staff import visits
from tallymark.rooms.staff.model import VISIT_MINUTES, read_reason


class MembersView(TableView):
    """Who belongs to which tenant, as what."""

    key = "members"
    display_name = "Member"
    menu_label = "Members"
    icon = "fa-solid fa-users"
    newest_first = "created_at"
    searched = ("id", "email", "organization", "roles")
    row_actions = ("visit",)
    statement = (
        select(
            memberships.c.id,
            users.c.email,
            organizations.c.name.label("organization"),
            func.array_to_string(memberships.c.roles, ", ").label("roles"),
            users.c.suspended_at,
            memberships.c.created_at,
        )
        .join_from(memberships, users, users.c.id == memberships.c.user_id)
        .join(organizations, organizations.c.id == memberships.c.organization_id)
        .where(memberships.c.status == "active")
    )
    fields = (
        words("email", "E-mail"),
        words("organization"),
        words("roles"),
        instant("suspended_at", "Suspended"),
        instant("created_at", "Joined"),
        words("id", "Id", exclude_from_list=True),
    )

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """Nobody looks in as somebody who is kept out."""
        if name == "visit" and obj.suspended_at is not None:
            return False
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @link_row_action(name="visit", text="Look in as", icon_class="fa-solid fa-eye")
    def visit(self, request: Request, pk: Any) -> str:
        """Where a visit is asked for."""
        return str(request.url_for("office:visit").include_query_params(member=pk))


class VisitDesk(CustomView):
    """Asks how and why somebody wants to look in, and sends them on to the web app."""

    def __init__(self, database: Database, members: MembersView, app_url: str) -> None:
        super().__init__(menu_label="Look in", path="/visit", add_to_menu=False)
        self._database, self._members, self._app_url = database, members, app_url

    @route("", methods=["GET", "POST"], name="visit")
    async def index(self, request: Request) -> Response:
        """The form, and what becomes of it."""
        member = await self._members.find_by_pk(request, request.query_params.get("member", ""))
        if member is None or member.suspended_at is not None:
            return self._show(request, None, status=404)
        if request.method == "GET":
            return self._show(request, member)
        form = await request.form()
        try:
            wanted = visits.Wanted(
                membership_id=member.id,
                minutes=_minutes(str(form.get("minutes") or "")),
                is_read_only=form.get("mode") != "act",
                reason=read_reason(str(form.get("reason") or "")),
            )
        except Invalid as error:
            return self._show(request, member, wrong=error.details, status=422)
        try:
            async with self._database.system() as connection:
                token = await visits.open_visit(connection, staff_of(request), wanted, now=system_now())
        except NotFound:
            return self._show(request, None, status=404)
        return RedirectResponse(f"{self._app_url}/visit/{token}", 303)

    def _show(self, request: Request, member: Any, *, wrong: Any = None, status: int = 200) -> Response:
        assert self.templates is not None, "the view was added to the office"
        shown = {"title": "Look in", "member": member, "wrong": wrong or {}, "choices": VISIT_MINUTES}
        return self.templates.TemplateResponse(request, "visit.html", shown, status_code=status)


def _minutes(text: str) -> int:
    """One of the times that can be chosen. Raises `Invalid` on `minutes`."""
    found = {str(minutes): minutes for minutes in VISIT_MINUTES}.get(text)
    if found is None:
        raise Invalid({"minutes": ["value_is_invalid"]})
    return found


class VisitsView(TableView):
    """Who looked in as whom, until when."""

    key = "visits"
    display_name = "Visit"
    menu_label = "Visits"
    icon = "fa-solid fa-eye"
    searched = ("id", "login", "email", "organization", "reason", "state")
    row_actions = ("end",)
    statement = (
        select(
            staff_visits.c.id,
            staff_visits.c.login,
            users.c.email,
            organizations.c.name.label("organization"),
            staff_visits.c.is_read_only,
            staff_visits.c.reason,
            case(
                (staff_visits.c.ended_at.is_not(None), "ended"),
                (staff_visits.c.expires_at <= func.now(), "over"),
                (staff_visits.c.link_hash.is_not(None), "not begun"),
                else_="under way",
            ).label("state"),
            staff_visits.c.created_at,
            staff_visits.c.expires_at,
            staff_visits.c.ended_at,
        )
        .join_from(staff_visits, users, users.c.id == staff_visits.c.user_id)
        .join(organizations, organizations.c.id == staff_visits.c.visited_organization_id)
    )
    fields = (
        words("login", "Who"),
        words("email", "As"),
        words("organization"),
        BooleanField("is_read_only", label="Looks only", filters=[]),
        words("state"),
        words("reason"),
        instant("expires_at", "Until"),
        instant("created_at", "Asked for", exclude_from_list=True),
        instant("ended_at", "Ended", exclude_from_list=True),
        words("id", "Id", exclude_from_list=True),
    )

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """What is over does not end again."""
        if name == "end" and obj.state in ("ended", "over"):
            return False
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @row_deed(
        name="end",
        text="End",
        confirmation="Whoever looks in is signed out of the web app at once.",
        header="End this visit",
        submit_btn_text="End it",
        icon_class="fa-solid fa-door-closed",
    )
    async def end(self, request: Request, pk: str) -> None:
        """End a visit before its time."""
        try:
            async with acting(self.database, request) as act:
                visit = await visits.end_visit(act.connection, UUID(pk), now=act.now)
                await act.note(
                    Verb.ENDED_VISIT,
                    ("visit", visit.id, visit.login),
                    organization_id=visit.organization_id,
                    before={"until": visit.expires_at.isoformat()},
                )
        except NotFound:
            raise ActionFailed("Nothing was done: it is over.") from None
        flash(request, "The visit is ended.", "success")
