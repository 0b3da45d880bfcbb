"""The office as a part of the internal listener: its views, its look, and what stands before it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2.ext import Extension
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette_admin.base import BaseAdmin
from starlette_admin.i18n import TimezoneConfig
from starlette_admin.theme import DefaultTheme, TablerSettings

from tallymark import __version__
from tallymark.db.engine import Database
from tallymark.office.deeds import DeedsView
from tallymark.office.guard import Guard, without_inline_code
from tallymark.office.jobs import DeadJobsView, JobsView, ParkedView
from tallymark.office.limits import LimitsView
from tallymark.office.organizations import InvoicesView, OrganizationsView
from tallymark.office.people import PeopleView
from tallymark.office.signing_in import StaffDoor
from tallymark.office.start import make_start
from tallymark.office.switches import SwitchesView
from tallymark.office.tables import TableView
from tallymark.office.visits import MembersView, VisitDesk, VisitsView
from tallymark.office.webhooks import DeliveriesView, EndpointsView
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.staff.model import StaffList
from tallymark.settings import Settings
from tallymark.web.serving import DIST

PATH = "/office"
NAME = "office"
SECRET = "office"
"""Under what name the installation keeps the key that signs the office's forms."""


def make_views(settings: Settings, database: Database) -> Sequence[TableView]:
    """The office's lists, in the order of its navigation."""
    return (
        OrganizationsView(database),
        PeopleView(database),
        MembersView(database),
        InvoicesView(database),
        JobsView(database),
        DeadJobsView(database),
        ParkedView(database),
        EndpointsView(database),
        DeliveriesView(database),
        SwitchesView(database),
        LimitsView(database, settings.limits),
        VisitsView(database),
        DeedsView(database),
    )


class Look(DefaultTheme):
    """Tallymark's colours, name and letters over the library's own pages."""

    name = "tallymark"
    package = "tallymark.office"

    def __init__(self) -> None:
        super().__init__(TablerSettings(base="gray", primary=None, radius=0.5))

    def template_globals(self) -> dict[str, Any]:
        """What our templates name."""
        return {"version": __version__}


class NoInlineCode(Extension):
    """Reads templates so that their scripts run under the pages' policy."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """A template's source as it is compiled."""
        return without_inline_code(source)


async def make_office(settings: Settings, database: Database) -> Mount:
    """The office below `/office`; it needs the internal listener."""
    logging.getLogger("starlette_admin").setLevel(
        logging.ERROR
    )  # it tells of every page; who is refused is told by the guard
    async with database.system() as connection:
        secret = await organizations.get_or_make_secret(connection, SECRET)
    admin = BaseAdmin(
        title="Tallymark back office",
        base_url=PATH,
        route_name=NAME,
        templates_dir=str(Path(__file__).with_name("templates")),
        index_view=make_start(database),
        theme=Look(),
        auth_provider=StaffDoor(database, system_now),
        secret_key=secret.hex(),
        timezone_config=TimezoneConfig(use_user_locale_timezone=False, timezone_cookie_name=None),
    )
    admin.templates.env.add_extension(NoInlineCode)
    for view in make_views(settings, database):
        admin.add_view(view)
    admin.add_view(VisitDesk(database, MembersView(database), settings.app_url))
    admin.routes.insert(0, Route("/letters.woff2", _tell_letters, name="letters"))
    admin.mount_to(Starlette())
    guard = Middleware(Guard, staff=StaffList(settings.staff), app_url=settings.app_url)
    return Mount(PATH, app=admin.app, name=NAME, middleware=[guard])


async def _tell_letters(_: Request) -> Response:
    """The web app's typeface, where the web app is built; without it pages have the system's."""
    found = next(iter(DIST.glob("assets/inter-variable*.woff2")), None)
    return Response(status_code=404) if found is None else FileResponse(found, media_type="font/woff2")
