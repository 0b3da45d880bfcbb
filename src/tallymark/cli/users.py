"""`tallymark users`: people who sign in."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from tallymark.cli.terminal import (
    DatabaseUrl,
    DataDir,
    Organization,
    make_console,
    migrated_database,
    read_password,
    show,
)

commands = typer.Typer(
    help="Make and list people who sign in, and give them another password.", no_args_is_help=True
)

Email = Annotated[str, typer.Option(help="The user's e-mail address.")]
Password = Annotated[
    bool,
    typer.Option("--password", help="Read the password from the standard input, in place of making one up."),
]


@commands.command("create")
def create_user(
    email: Email,
    organization: Organization,
    role: Annotated[
        list[str] | None, typer.Option(help="What they are there; many times.", show_default="admin")
    ] = None,
    password: Password = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a user, or let one that there is belong to one more organization; a new one's password is printed."""
    from tallymark import people

    given = read_password(password)
    with migrated_database(data_dir, database_url) as (url, _):
        made = asyncio.run(people.create_user(url, email, organization, role or ["admin"], password=given))
    rows = {"Id": str(made.user.id), "E-mail": made.user.email}
    show({**rows, **({"Password": f"{made.password}  (shown this once)"} if made.password else {})})


@commands.command("list")
def list_users(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List everybody, with the organizations that they belong to and what they are there."""
    from tallymark import people

    with migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(people.list_users(url))
    table = Table("id", "e-mail", "created", "belongs to", box=None, header_style="bold")
    for user, belongs in found:
        told = " ".join(f"{one.organization_slug}:{','.join(one.roles)}" for one in belongs)
        table.add_row(str(user.id), user.email, f"{user.created_at:%Y-%m-%d %H:%M:%S}", told)
    make_console().print(table)


@commands.command("reset-password")
def reset_password(
    email: Email, password: Password = False, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Give a user another password and print it; whatever they are signed in with is signed out."""
    from tallymark import people

    given = read_password(password)
    with migrated_database(data_dir, database_url) as (url, _):
        new = asyncio.run(people.reset_password(url, email, password=given))
    if given is None:
        show({"Password": f"{new}  (shown this once)"})
    else:
        typer.echo("Done.")
