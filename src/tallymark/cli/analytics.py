"""`tallymark analytics`: roles that read what is earned, billed, owed and used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tallymark.cli.terminal import DatabaseUrl, DataDir, make_console, migrated_database, read_password, show
from tallymark.db.errors import StartupError

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from tallymark.db.readers import View
    from tallymark.jobs.deeds import Verb

commands = typer.Typer(
    help="Let roles of the database read the analytics views, as Metabase does.", no_args_is_help=True
)

Role = Annotated[str, typer.Argument(help="The role's name in PostgreSQL.")]


@commands.command("grant")
def grant_role(  # noqa: PLR0913 - a command's options
    role: Role,
    organization: Annotated[
        str | None, typer.Option(help="Slug or id of the one organization that it sees.")
    ] = None,
    all_organizations: Annotated[
        bool, typer.Option("--all-organizations", help="Let it see all of them.")
    ] = False,
    rotate_password: Annotated[
        bool, typer.Option("--rotate-password", help="Give a role that there is another password.")
    ] = False,
    password: Annotated[
        bool,
        typer.Option(
            "--password", help="Read its password from the standard input, in place of making one up."
        ),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a role that may read the views of one organization, or of all, and nothing else; a new one's password is printed."""
    from tallymark.commands import find_organization_id
    from tallymark.db import readers
    from tallymark.jobs.deeds import Verb

    if all_organizations == bool(organization):
        raise StartupError("say either which organization it sees (--organization), or --all-organizations")
    given = read_password(password)
    with migrated_database(data_dir, database_url) as (url, _):
        seen = asyncio.run(find_organization_id(url, organization)) if organization else None
        asked = readers.Grant(role=role, organization_id=seen, password=given, rotates=rotate_password)
        now = datetime.now(UTC)
        note = partial(_note, verb=Verb.GRANTED, role=role, seen=seen, now=now)
        done = readers.grant(url, asked, note=note, now=now)
    rows = {"Role": role, "Sees": organization or "all organizations"}
    made = done.password if given is None else None
    show({**rows, **({"Password": f"{made}  (shown this once)"} if made else {})})
    for statement in done.left_to_do:
        typer.echo(f"Have whoever made the role run: {statement};", err=True)


def _note(connection: Connection, *, verb: Verb, role: str, seen: UUID | None, now: datetime) -> None:
    from tallymark.jobs.deeds import AT_THE_SHELL, Deed, note_beside

    deed = Deed(verb=verb, subject_type="database_role", subject_id=role, subject=role, organization_id=seen)
    note_beside(connection, AT_THE_SHELL, deed, now=now)


@commands.command("list")
def list_roles(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the roles that read the views, with the organization that each sees."""
    from tallymark.db.readers import list_readers

    with migrated_database(data_dir, database_url) as (url, _):
        found = list_readers(url)
    table = Table("role", "sees", "granted", "", box=None, header_style="bold")
    for reader in found:
        sees = str(reader.organization_id) if reader.organization_id else "all organizations"
        missing = "" if reader.is_there else "not on this server: grant it again"
        table.add_row(reader.role, sees, f"{reader.granted_at:%Y-%m-%d %H:%M:%S}", missing)
    make_console().print(table)


@commands.command("revoke")
def revoke_role(role: Role, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Let a role see nothing any more, and drop it where nothing else leans on it."""
    from tallymark.db.readers import revoke
    from tallymark.jobs.deeds import Verb

    note = partial(_note, verb=Verb.REVOKED, role=role, seen=None, now=datetime.now(UTC))
    with migrated_database(data_dir, database_url) as (url, _):
        is_dropped = revoke(url, role, note=note)
    typer.echo("Revoked." if is_dropped else "Revoked; the role itself is left, for others lean on it.")


@commands.command("describe")
def describe_views(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Print what the views and their columns are, as Markdown."""
    from tallymark.db.readers import describe

    with migrated_database(data_dir, database_url) as (url, _):
        typer.echo(as_markdown(describe(url)))


def as_markdown(views: Iterable[View]) -> str:
    """A heading and a table for each view."""
    parts = []
    for view in views:
        rows = (f"| `{name}` | {kind} | {says} |" for name, (kind, says) in view.columns.items())
        parts.append(
            "\n".join([f"### {view.name}", "", view.says, "", "| column | type | |", "|---|---|---|", *rows])
        )
    return "\n\n".join(parts)
