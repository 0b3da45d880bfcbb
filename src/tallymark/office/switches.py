"""Feature flags: for each tenant, what the installation can hold back, and whether it does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, and_, column, func, select, true, values
from starlette.requests import Request
from starlette_admin.exceptions import ActionFailed
from starlette_admin.flash import flash

from tallymark.db.tables import organization_switches, organizations
from tallymark.jobs.deeds import Verb
from tallymark.office.acting import acting, row_deed
from tallymark.office.tables import TableView, instant, words
from tallymark.rooms.organizations.switches import MEANINGS, Switch, turn

_known = values(column("switch", Text), column("meaning", Text), name="known").data(
    [(switch.value, meaning) for switch, meaning in MEANINGS.items()]
)


class SwitchesView(TableView):
    """Each switch of each tenant; those that are on come first."""

    key = "switches"
    display_name = "Switch"
    menu_label = "Switches"
    icon = "fa-solid fa-toggle-on"
    newest_first = "since"
    searched = ("organization", "switch", "organization_id")
    row_actions = ("turn_on", "turn_off")
    statement = (
        select(
            func.concat(organizations.c.id, ":", _known.c.switch).cast(Text).label("id"),
            organizations.c.id.label("organization_id"),
            organizations.c.name.label("organization"),
            _known.c.switch,
            _known.c.meaning,
            organization_switches.c.since,
        )
        .join_from(organizations, _known, true())
        .join(
            organization_switches,
            and_(
                organization_switches.c.organization_id == organizations.c.id,
                organization_switches.c.switch == _known.c.switch,
            ),
            isouter=True,
        )
    )
    fields = (
        words("organization"),
        words("switch"),
        words("meaning", "While it is on"),
        instant("since", "On since"),
        words("organization_id", "Organization's id", exclude_from_list=True),
        words("id", "Id", exclude_from_list=True),
    )

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """On or off, whichever it is not."""
        if name in ("turn_on", "turn_off"):
            return (obj.since is None) == (name == "turn_on")
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @row_deed(
        name="turn_on",
        text="Turn on",
        confirmation="It works for this organization within half a minute, until it is turned off.",
        header="Turn this switch on",
        submit_btn_text="Turn on",
        icon_class="fa-solid fa-toggle-on",
    )
    async def turn_on(self, request: Request, pk: str) -> None:
        """Hold something back."""
        await self._turn(request, pk, is_on=True)

    @row_deed(
        name="turn_off",
        text="Turn off",
        confirmation="Things go on for this organization within half a minute.",
        header="Turn this switch off",
        submit_btn_text="Turn off",
        icon_class="fa-solid fa-toggle-off",
    )
    async def turn_off(self, request: Request, pk: str) -> None:
        """Let it go on."""
        await self._turn(request, pk, is_on=False)

    async def _turn(self, request: Request, pk: str, *, is_on: bool) -> None:
        row = await self.find_by_pk(request, pk)
        if row is None:
            raise ActionFailed("Nothing was done: there is no such switch.")
        async with acting(self.database, request) as act:
            switch = Switch(row.switch)
            if not await turn(act.connection, row.organization_id, switch, is_on=is_on, now=act.now):
                raise ActionFailed("Nothing was done: it is so already.")
            await act.note(
                Verb.TURNED_ON if is_on else Verb.TURNED_OFF,
                ("switch", row.id, row.switch),
                organization_id=row.organization_id,
                before={"is_on": not is_on},
                after={"is_on": is_on},
            )
        flash(request, f"{row.switch} of {row.organization} is {'on' if is_on else 'off'}.", "success")
