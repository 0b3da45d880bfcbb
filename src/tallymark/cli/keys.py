"""`tallymark keys`: the API keys of an organization."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from tallymark.cli.terminal import (
    DatabaseUrl,
    DataDir,
    Organization,
    make_console,
    migrated_database,
    show,
    utc,
)
from tallymark.db.errors import StartupError

commands = typer.Typer(
    help="Make, list, change and end the API keys of an organization.", no_args_is_help=True
)

KeyName = Annotated[str | None, typer.Option(help="What the key is for.")]
KeyId = Annotated[UUID, typer.Argument(help="The key's id, as `keys list` shows it.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        help="What it may do: `RESOURCE:read`, `RESOURCE:write`, or `RESOURCE` for both; many times.",
        show_default="everything",
    ),
]


@commands.command("create")
def create_api_key(
    organization: Organization,
    name: KeyName = None,
    expires_at: Annotated[
        datetime | None, typer.Option(help="When it ends (UTC); never when left out.")
    ] = None,
    allow: Allow = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make one more API key and print it; it is never shown again."""
    from tallymark import commands as work

    with migrated_database(data_dir, database_url) as (url, _):
        made = work.create_api_key(
            url,
            organization,
            name=name,
            expires_at=utc(expires_at),
            permissions=work.read_permissions(allow or ()),
            now=datetime.now(UTC),
        )
        key, value = asyncio.run(made)
    _show_key(key.id, value)


@commands.command("list")
def list_api_keys(
    organization: Organization, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """List an organization's keys that have not ended, without their values."""
    from tallymark.commands import list_api_keys

    with migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(list_api_keys(url, organization, now=datetime.now(UTC)))
    table = Table("id", "name", "created", "last used", "expires", "may", box=None, header_style="bold")
    for key in found:
        instants = (key.created_at, key.last_used_at, key.expires_at)
        told = (f"{instant:%Y-%m-%d %H:%M:%S}" if instant else "never" for instant in instants)
        table.add_row(str(key.id), key.name or "", *told, _told(key.permissions))
    make_console().print(table)


@commands.command("permit")
def permit_api_key(
    organization: Organization,
    key_id: KeyId,
    allow: Allow = None,
    everything: Annotated[bool, typer.Option("--everything", help="Let it do everything.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Say what a key may do, in place of what it could do before."""
    from tallymark import commands as work

    if everything == bool(allow):
        raise StartupError("say either what the key may do (--allow), or --everything")
    permissions = work.read_permissions(allow or ())
    with migrated_database(data_dir, database_url) as (url, _):
        changed = work.permit_api_key(url, organization, key_id, permissions, now=datetime.now(UTC))
        key = asyncio.run(changed)
    typer.echo(f"It may: {_told(key.permissions)}")


@commands.command("rotate")
def rotate_api_key(
    organization: Organization,
    key_id: KeyId,
    name: KeyName = None,
    old_ends_at: Annotated[
        datetime | None, typer.Option(help="When the old one ends (UTC); now when left out.")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key that may do what another may, print it, and let the other one end."""
    from tallymark.commands import rotate_api_key

    with migrated_database(data_dir, database_url) as (url, _):
        made = rotate_api_key(
            url, organization, key_id, name=name, old_ends_at=utc(old_ends_at), now=datetime.now(UTC)
        )
        key, value = asyncio.run(made)
    _show_key(key.id, value)


@commands.command("delete")
def delete_api_key(
    organization: Organization, key_id: KeyId, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """End a key now. The last key that never expires can't be deleted."""
    from tallymark.commands import delete_api_key

    with migrated_database(data_dir, database_url) as (url, _):
        asyncio.run(delete_api_key(url, organization, key_id, now=datetime.now(UTC)))
    typer.echo("Deleted.")


def _show_key(key_id: UUID, value: str) -> None:
    show({"Id": str(key_id), "API key": f"{value}  (shown this once)"})


def _told(permissions: Mapping[str, Sequence[str]] | None) -> str:
    """Permissions as `--allow` takes them."""
    if permissions is None:
        return "everything"
    return " ".join(f"{resource}:{','.join(modes)}" for resource, modes in sorted(permissions.items()))
