"""The command line: reads flags and settings, calls what does the work, and shows what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from tallymark import __version__
from tallymark.db.errors import StartupError

if TYPE_CHECKING:
    from tallymark.server import Ready
    from tallymark.settings import Settings

# What a command needs is imported when it runs, so that `--help` and `openapi` answer at once.

app = typer.Typer(
    help="Metering and usage-based billing that speaks the Lago REST API v1.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
orgs = typer.Typer(help="Make and list organizations (tenants).", no_args_is_help=True)
app.add_typer(orgs, name="orgs")
keys = typer.Typer(help="Make, list, change and end the API keys of an organization.", no_args_is_help=True)
app.add_typer(keys, name="keys")
users = typer.Typer(
    help="Make and list people who sign in, and give them another password.", no_args_is_help=True
)
app.add_typer(users, name="users")
explanations = typer.Typer(help="Show how an amount came to be.", no_args_is_help=True)
app.add_typer(explanations, name="explain")

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8787")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the embedded database lives.", show_default="~/.local/share/tallymark"),
]
Organization = Annotated[str, typer.Option(help="Slug or id of the organization.")]
KeyName = Annotated[str | None, typer.Option(help="What the key is for.")]
KeyId = Annotated[UUID, typer.Argument(help="The key's id, as `keys list` shows it.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        help="What it may do: `RESOURCE:read`, `RESOURCE:write`, or `RESOURCE` for both; many times.",
        show_default="everything",
    ),
]
Email = Annotated[str, typer.Option(help="The user's e-mail address.")]
Password = Annotated[
    bool,
    typer.Option("--password", help="Read the password from the standard input, in place of making one up."),
]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="An existing PostgreSQL >= 15 to use instead of the embedded one.")
]


def main() -> None:
    """Run a command; what keeps Tallymark from starting is told in one line."""
    try:
        app()
    except StartupError as error:
        print(f"tallymark: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


@app.command()
def up(
    host: Host = None, port: Port = None, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Run everything in one process: api, worker, scheduler and, unless a URL is given, the database."""
    settings = _settings(host=host, port=port, data_dir=data_dir, database_url=database_url)
    from tallymark import server

    with suppress(KeyboardInterrupt):
        server.up(settings, _announce)


@app.command()
def api(
    host: Host = None,
    port: Port = None,
    database_url: DatabaseUrl = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that answer requests.", show_default="1")
    ] = None,
) -> None:
    """Run the api alone, on a migrated database."""
    settings = _settings(host=host, port=port, database_url=database_url, api_workers=workers)
    from tallymark import server

    with suppress(KeyboardInterrupt):
        server.serve_api(settings, _announce, processes=settings.api_workers)


@app.command()
def worker(database_url: DatabaseUrl = None) -> None:
    """Run the worker and the scheduler alone, on a migrated database."""
    settings = _settings(database_url=database_url)
    from tallymark import server

    with suppress(KeyboardInterrupt):
        server.serve_worker(settings)


@app.command()
def migrate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Bring the database to this release's schema."""
    with _migrated_database(data_dir, database_url) as (_, revision):
        typer.echo(f"The database is at schema {revision}.")


@app.command()
def demo(
    trace: Annotated[
        Path | None,
        typer.Option(help="A folder with conversation.csv and code.csv to meter instead of a made-up trace."),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Sell two AI products under a test clock, meter a usage trace, and show the invoices that come of it."""
    settings = _settings(data_dir=data_dir, database_url=database_url)
    from tallymark.demo import run_demo

    run_demo(settings, trace=trace, console=Console())


@app.command()
def openapi() -> None:
    """Print the description of the HTTP API (OpenAPI 3.1, JSON)."""
    from tallymark.app import create_api

    typer.echo(json.dumps(create_api().openapi(), indent=2, ensure_ascii=False))


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/settings.md.")] = False,
) -> None:
    """List every setting: its variable, default and meaning."""
    from tallymark.manual import describe, describe_as_markdown

    if markdown:
        typer.echo(describe_as_markdown(), nl=False)
        return
    table = Table("variable", "default", "meaning", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for setting in describe():
        table.add_row("\n".join(setting.variables), setting.default, setting.meaning)
    Console().print(table)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@explanations.command("fee")
def explain_fee(
    fee_id: Annotated[UUID, typer.Argument(help="The fee's id (`lago_id`).")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show how a fee's amount came to be, step by step."""
    from tallymark.commands import find_fee
    from tallymark.explain import render

    with _migrated_database(data_dir, database_url) as (url, _):
        fee = asyncio.run(find_fee(url, fee_id))
    _console().print(render(fee.invoice_display_name or fee.item_name, fee.currency, fee.explanation))


@explanations.command("invoice")
def explain_invoice(
    invoice_id: Annotated[UUID, typer.Argument(help="The invoice's id (`lago_id`).")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show how an invoice's total came to be: fees, credits, coupons, taxes, credit notes, wallets."""
    from tallymark.commands import find_invoice
    from tallymark.explain import render_invoice

    with _migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(find_invoice(url, invoice_id))
    _console().print(render_invoice(f"Invoice {found.number}", found.currency, found.steps, found.fee_names))


@app.command()
def audit(
    organization: Annotated[
        str | None, typer.Option(help="Slug or id of one organization.", show_default="all of them")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print laws and breaches as JSON.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Hold every invoice, fee, note and journal entry against the laws of money; 1 is returned for a breach."""
    from tallymark import commands
    from tallymark.audit_report import AuditReport

    report = AuditReport(None if as_json else _console())
    with _migrated_database(data_dir, database_url) as (url, _):
        asyncio.run(commands.audit(url, organization, report.tell))
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    report.close()
    if not report.holds:
        raise typer.Exit(1)


@orgs.command("create")
def create_organization(
    name: Annotated[str, typer.Option(help="What it is called.")],
    email: Annotated[str | None, typer.Option(help="Where it is reached.")] = None,
    test_clock: Annotated[
        str | None, typer.Option(help="Give it a test clock that stands at this instant (ISO 8601, UTC).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what the admin API would answer.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make an organization and print its API key, which is never shown again."""
    from tallymark.commands import create_organization, read_request

    request = read_request(name=name, email=email, test_clock=test_clock)
    with _migrated_database(data_dir, database_url) as (url, _):
        made = asyncio.run(create_organization(url, request, now=datetime.now(UTC)))
    if as_json:
        typer.echo(made.model_dump_json(indent=2))
        return
    rows = {"Organization": made.organization.name, "Id": str(made.organization.lago_id)}
    clock = made.organization.test_clock
    _show({**rows, **({"Test clock": clock["frozen_time"]} if clock else {}), "API key": made.api_key})


@orgs.command("list")
def list_organizations(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the organizations."""
    from tallymark.commands import list_organizations

    with _migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(list_organizations(url))
    table = Table("id", "name", "slug", "created", "test clock", box=None, header_style="bold")
    for entry in found:
        clock = f"{entry.frozen_time:%Y-%m-%d %H:%M:%S}" if entry.frozen_time else ""
        table.add_row(str(entry.id), entry.name, entry.slug, f"{entry.created_at:%Y-%m-%d %H:%M:%S}", clock)
    _console().print(table)


@keys.command("create")
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
    from tallymark import commands

    with _migrated_database(data_dir, database_url) as (url, _):
        made = commands.create_api_key(
            url,
            organization,
            name=name,
            expires_at=_utc(expires_at),
            permissions=commands.read_permissions(allow or ()),
            now=datetime.now(UTC),
        )
        key, value = asyncio.run(made)
    _show_key(key.id, value)


@keys.command("list")
def list_api_keys(
    organization: Organization, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """List an organization's keys that have not ended, without their values."""
    from tallymark.commands import list_api_keys

    with _migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(list_api_keys(url, organization, now=datetime.now(UTC)))
    table = Table("id", "name", "created", "last used", "expires", "may", box=None, header_style="bold")
    for key in found:
        instants = (key.created_at, key.last_used_at, key.expires_at)
        told = (f"{instant:%Y-%m-%d %H:%M:%S}" if instant else "never" for instant in instants)
        table.add_row(str(key.id), key.name or "", *told, _told(key.permissions))
    _console().print(table)


@keys.command("permit")
def permit_api_key(
    organization: Organization,
    key_id: KeyId,
    allow: Allow = None,
    everything: Annotated[bool, typer.Option("--everything", help="Let it do everything.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Say what a key may do, in place of what it could do before."""
    from tallymark import commands

    if everything == bool(allow):
        raise StartupError("say either what the key may do (--allow), or --everything")
    permissions = commands.read_permissions(allow or ())
    with _migrated_database(data_dir, database_url) as (url, _):
        changed = commands.permit_api_key(url, organization, key_id, permissions, now=datetime.now(UTC))
        key = asyncio.run(changed)
    typer.echo(f"It may: {_told(key.permissions)}")


@keys.command("rotate")
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

    with _migrated_database(data_dir, database_url) as (url, _):
        made = rotate_api_key(
            url, organization, key_id, name=name, old_ends_at=_utc(old_ends_at), now=datetime.now(UTC)
        )
        key, value = asyncio.run(made)
    _show_key(key.id, value)


@keys.command("delete")
def delete_api_key(
    organization: Organization, key_id: KeyId, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """End a key now. The last key that never expires can't be deleted."""
    from tallymark.commands import delete_api_key

    with _migrated_database(data_dir, database_url) as (url, _):
        asyncio.run(delete_api_key(url, organization, key_id, now=datetime.now(UTC)))
    typer.echo("Deleted.")


@users.command("create")
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

    given = _given_password(password)
    with _migrated_database(data_dir, database_url) as (url, _):
        made = asyncio.run(people.create_user(url, email, organization, role or ["admin"], password=given))
    rows = {"Id": str(made.user.id), "E-mail": made.user.email}
    _show({**rows, **({"Password": f"{made.password}  (shown this once)"} if made.password else {})})


@users.command("list")
def list_users(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List everybody, with the organizations that they belong to and what they are there."""
    from tallymark import people

    with _migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(people.list_users(url))
    table = Table("id", "e-mail", "created", "belongs to", box=None, header_style="bold")
    for user, belongs in found:
        told = " ".join(f"{one.organization_slug}:{','.join(one.roles)}" for one in belongs)
        table.add_row(str(user.id), user.email, f"{user.created_at:%Y-%m-%d %H:%M:%S}", told)
    _console().print(table)


@users.command("reset-password")
def reset_password(
    email: Email, password: Password = False, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Give a user another password and print it; whatever they are signed in with is signed out."""
    from tallymark import people

    given = _given_password(password)
    with _migrated_database(data_dir, database_url) as (url, _):
        new = asyncio.run(people.reset_password(url, email, password=given))
    if given is None:
        _show({"Password": f"{new}  (shown this once)"})
    else:
        typer.echo("Done.")


def _given_password(is_given: bool) -> str | None:
    """A password from the standard input, where it is not in a list of processes or a history of commands."""
    if not is_given:
        return None
    return (
        typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant else None


def _show_key(key_id: UUID, value: str) -> None:
    _show({"Id": str(key_id), "API key": f"{value}  (shown this once)"})


def _told(permissions: Mapping[str, Sequence[str]] | None) -> str:
    """Permissions as `--allow` takes them."""
    if permissions is None:
        return "everything"
    return " ".join(f"{resource}:{','.join(modes)}" for resource, modes in sorted(permissions.items()))


def _settings(**flags: Any) -> Settings:
    """The settings under the flags that were given. Raises `StartupError` naming every value that is wrong."""
    from pydantic import ValidationError

    from tallymark.logs import configure_logs
    from tallymark.settings import Settings

    try:
        found = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise StartupError("; ".join(wrong)) from None
    configure_logs(level=found.log_level, style=found.log_format)
    return found


@contextmanager
def _migrated_database(data_dir: Path | None, database_url: str | None) -> Iterator[tuple[str, str]]:
    """The database's URL and its schema's revision."""
    settings = _settings(data_dir=data_dir, database_url=database_url)
    from tallymark import server
    from tallymark.db.migrate import migrate

    with server.any_database(settings) as url:
        yield url, migrate(url)


def _announce(ready: Ready) -> None:
    rows = {"URL": ready.url, "Data": ready.data}
    if ready.api_key is not None:
        rows["API key"] = f"{ready.api_key}  (shown this once)"
    if ready.welcome is not None:
        rows["First user"] = f"{ready.welcome}  (shown this once)"
    _show(rows, title=f"Tallymark {__version__} is ready")


def _show(rows: dict[str, str], title: str | None = None) -> None:
    """A panel for people at a terminal, plain lines for everything else."""
    console = _console()
    if not console.is_terminal:
        lines = [f"{title}."] if title else []
        typer.echo("\n".join([*lines, *(f"{name}: {value}" for name, value in rows.items())]))
        sys.stdout.flush()
        return
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(f"[dim]{name}[/dim]", f"[bold]{value}[/bold]")
    console.print(Panel(table, title=title, title_align="left", border_style="green", expand=False))


def _console() -> Console:
    # A pipe has no width; lines of tables must not be folded there.
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)
