"""Limits: for each tenant, how much it may have of what costs the installation, and how much it has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, case, column, func, select, true, values
from starlette.requests import Request
from starlette_admin import IntegerField, StringField, row_action
from starlette_admin.exceptions import ActionFailed
from starlette_admin.flash import flash

from tallymark.api.tenant_limits import Limit
from tallymark.db.engine import Database
from tallymark.db.tables import organization_limits, organizations, test_clocks
from tallymark.domain.errors import Invalid
from tallymark.office.acting import acting, reason_form
from tallymark.office.tables import TableView, instant, words
from tallymark.rooms.limits import service
from tallymark.rooms.limits.counts import COUNTED, count
from tallymark.rooms.limits.model import Allowed, read_number
from tallymark.rooms.limits.service import Defaults, Setter

_known = values(column("code", Text), name="known").data([(limit.value,) for limit in Limit])
_now = func.coalesce(test_clocks.c.frozen_time, func.now())
_own = case(*((_known.c.code == limit.value, organization_limits.c[limit.value]) for limit in Limit))
_used = case(*((_known.c.code == limit.value, count(limit, organizations.c.id, _now)) for limit in COUNTED))


def _as_told(most: int | None) -> str:
    return "any number" if most is None else f"{most:,}"


def _form(_: Request, row: Any) -> str:
    """What is asked for before a limit is changed, with what it is."""
    own = "" if row.own is None else str(row.own)
    return reason_form(f"""
    <label class="form-label" for="most">At the most</label>
    <input class="form-control" id="most" name="most" inputmode="numeric" maxlength="16" autocomplete="off" value="{own}">
    <div class="form-hint mt-2 mb-3">A whole number; 0 is any number. Nothing is what the settings say.</div>
    """)


class LimitsView(TableView):
    """Each limit of each tenant; those of which something is said come first."""

    key = "limits"
    display_name = "Limit"
    menu_label = "Limits"
    icon = "fa-solid fa-gauge-high"
    newest_first = "since"
    searched = ("organization", "code", "organization_id")
    row_actions = ("change",)
    statement = (
        select(
            func.concat(organizations.c.id, ":", _known.c.code).cast(Text).label("id"),
            organizations.c.id.label("organization_id"),
            organizations.c.name.label("organization"),
            _known.c.code,
            _own.label("own"),
            _used.label("used"),
            case((_own.is_(None), "settings"), else_="its own").label("said_by"),
            case((_own.is_not(None), organization_limits.c.updated_at)).label("since"),
        )
        .join_from(organizations, _known, true())
        .join(test_clocks, test_clocks.c.organization_id == organizations.c.id, isouter=True)
        .join(organization_limits, organization_limits.c.organization_id == organizations.c.id, isouter=True)
    )

    def __init__(self, database: Database, defaults: Defaults) -> None:
        self.defaults = defaults

        def most(_: Request, row: Any) -> str:
            return _as_told(self._allowed(row).most)

        self.fields = (
            words("organization"),
            words("code", "Limit"),
            IntegerField("used", label="Used", filters=[]),
            StringField("own", label="At the most", filters=[], getter=most),
            words("said_by", "By"),
            instant("since", "Changed"),
            words("organization_id", "Organization's id", exclude_from_list=True),
            words("id", "Id", exclude_from_list=True),
        )
        super().__init__(database)

    def _allowed(self, row: Any) -> Allowed:
        limit = Limit(row.code)
        return Allowed(limit=limit, own=row.own, default=self.defaults[limit])

    @row_action(
        name="change",
        text="Change",
        confirmation="It counts for this organization within half a minute. What it has beyond it stays.",
        header="Change this limit",
        form=_form,
        submit_btn_text="Change it",
        icon_class="fa-solid fa-gauge-high",
        modal_size="md",
    )
    async def change(self, request: Request, pk: str) -> None:
        """Say something else of one limit of one organization."""
        row = await self.find_by_pk(request, pk)
        if row is None:
            raise ActionFailed("Nothing was done: there is no such limit.")
        written = str((await request.form()).get("most") or "").strip()
        try:
            own = read_number(written) if written else None
        except Invalid:
            raise ActionFailed("Nothing was done: a limit is a whole number, or nothing at all.") from None
        limit = Limit(row.code)
        async with acting(self.database, request) as act:
            by = Setter(staff=act.staff, reason=act.reason)
            before = await service.set_own(
                act.connection, row.organization_id, {limit: own}, by=by, now=act.now
            )
            if before[limit] == own:
                raise ActionFailed("Nothing was done: it is so already.")
        most = Allowed(limit=limit, own=own, default=self.defaults[limit]).most
        flash(request, f"{row.organization} may have {_as_told(most)} of {row.code}.", "success")
