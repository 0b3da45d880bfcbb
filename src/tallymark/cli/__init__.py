"""The command line: reads flags and settings, calls what does the work, and shows what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from tallymark import __version__
from tallymark.cli import analytics, backups, doctor, events, keys, limits, metabase, moving, staff, users
from tallymark.cli.terminal import (
    DatabaseUrl,
    DataDir,
    Host,
    InternalPort,
    Organization,
    Port,
    make_console,
    migrated_database,
    read_settings,
    show,
)
from tallymark.collector import call_the_collector_less_often
from tallymark.db.errors import StartupError

if TYPE_CHECKING:
    from tallymark.server import Ready

# What a command needs is imported when it runs, so that `--help` and `openapi` answer at once.

app = typer.Typer(
    help="Metering and usage-based billing that speaks the Lago REST API v1.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
orgs = typer.Typer(help="Make and list organizations (tenants).", no_args_is_help=True)
app.add_typer(orgs, name="orgs")
app.add_typer(keys.commands, name="keys")
app.add_typer(events.commands, name="events")
app.add_typer(users.commands, name="users")
app.add_typer(staff.commands, name="staff")
app.add_typer(analytics.commands, name="analytics")
app.add_typer(metabase.commands, name="metabase")
app.command("limits")(limits.limits)
app.add_typer(moving.imports, name="import")
app.command("shadow")(moving.shadow)
app.command("doctor")(doctor.doctor)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.command("resume")(backups.resume)
explanations = typer.Typer(help="Show how an amount came to be.", no_args_is_help=True)
app.add_typer(explanations, name="explain")

DEFAULT_URL = "http://127.0.0.1:8787"


def main() -> None:
    """Run a command; what keeps Tallymark from starting is told in one line."""
    call_the_collector_less_often()
    # Its connections are told apart in `pg_stat_activity`, those of its helpers and of pg_dump with them.
    os.environ.setdefault("PGAPPNAME", " ".join(["tallymark", *sys.argv[1:2]]))
    try:
        app()
    except StartupError as error:
        print(f"tallymark: {error}", file=sys.stderr)  # noqa: T201 - whoever ran it reads the terminal
        sys.exit(1)


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    internal_port: InternalPort = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Run everything in one process: api, worker, scheduler and, unless a URL is given, the database."""
    settings = read_settings(
        host=host, port=port, internal_port=internal_port, data_dir=data_dir, database_url=database_url
    )
    from tallymark import server

    with suppress(KeyboardInterrupt):
        server.up(settings, _announce)


@app.command()
def api(
    host: Host = None,
    port: Port = None,
    internal_port: InternalPort = None,
    database_url: DatabaseUrl = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that answer requests.", show_default="1")
    ] = None,
) -> None:
    """Run the api alone, on a migrated database."""
    settings = read_settings(
        host=host, port=port, internal_port=internal_port, database_url=database_url, api_workers=workers
    )
    from tallymark import server

    with suppress(KeyboardInterrupt):
        server.serve_api(settings, _announce, processes=settings.api_workers)


@app.command()
def mcp(
    url: Annotated[str, typer.Option(help="The server's address.", envvar="TALLYMARK_URL")] = DEFAULT_URL,
    api_key: Annotated[
        str, typer.Option(help="The key whose rights the assistant has.", envvar="TALLYMARK_API_KEY")
    ] = "",
) -> None:
    """Let an assistant on this machine use a server: the Model Context Protocol on standard input and output."""
    import httpx

    from tallymark.integrations.assistants.bridge import TIMEOUT_SECONDS, bridge

    if not api_key:
        raise StartupError("give a key by --api-key or TALLYMARK_API_KEY")
    headers = {"Authorization": f"Bearer {api_key}", "User-Agent": "tallymark mcp"}
    with (
        suppress(KeyboardInterrupt),
        httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS) as client,
    ):
        for answer in bridge(client, sys.stdin):
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()


@app.command()
def worker(internal_port: InternalPort = None, database_url: DatabaseUrl = None) -> None:
    """Run the worker and the scheduler alone, on a migrated database."""
    settings = read_settings(internal_port=internal_port, database_url=database_url)
    from tallymark import server

    with suppress(KeyboardInterrupt):
        server.serve_worker(settings)


@app.command()
def health(
    host: Host = None,
    port: Port = None,
    worker: Annotated[
        bool, typer.Option("--worker", help="Look at the worker's heartbeat (TALLYMARK_WORKER_HEARTBEAT).")
    ] = False,
) -> None:
    """Tell whether the api, or with --worker the worker, on this machine is well; 1 is returned if not."""
    settings = read_settings(host=host, port=port)
    from tallymark.health import check_api, check_worker

    if not worker:
        check_api(settings.host, settings.port)
    elif settings.worker_heartbeat is None:
        raise StartupError("TALLYMARK_WORKER_HEARTBEAT does not say where the worker's heartbeat is")
    else:
        check_worker(settings.worker_heartbeat, now=time.time())
    typer.echo("ok")


@app.command()
def migrate(
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    wait: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds to wait until the database server answers.")
    ] = 0,
) -> None:
    """Bring the database to this release's schema, and make the organization that the settings ask for."""
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    from tallymark.commands import make_first_organization
    from tallymark.db.waiting import wait_for_server
    from tallymark.first_run import read_first_run

    asked = read_first_run(settings)
    if settings.database_url is not None:
        wait_for_server(settings.database_url, seconds=wait)
    with migrated_database(data_dir, database_url) as (url, revision):
        typer.echo(f"The database is at schema {revision}.")
        made_up = None
        if asked is not None:
            made_up = asyncio.run(make_first_organization(url, asked, now=datetime.now(UTC)))
    if made_up is not None:
        show({"API key": f"{made_up}  (shown this once)"})


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=1, max=500, help="How many customers there are to be.")] = 60,
    months: Annotated[int, typer.Option(min=1, max=24, help="How many months are to pass.")] = 12,
    trace: Annotated[
        Path | None,
        typer.Option(help="A folder with conversation.csv and code.csv: that usage is metered instead."),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Live a year of an invented cloud company under a test clock, over the API alone, and print who signs in to look at it."""
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    from tallymark.demo import Size, run_trace, run_year

    if trace is not None:
        run_trace(settings, trace=trace, console=Console())
    else:
        run_year(settings, size=Size(customers=customers, months=months), console=Console())


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

    with migrated_database(data_dir, database_url) as (url, _):
        fee = asyncio.run(find_fee(url, fee_id))
    make_console().print(render(fee.invoice_display_name or fee.item_name, fee.currency, fee.explanation))


@explanations.command("invoice")
def explain_invoice(
    invoice_id: Annotated[UUID, typer.Argument(help="The invoice's id (`lago_id`).")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show how an invoice's total came to be: fees, credits, coupons, taxes, credit notes, wallets."""
    from tallymark.commands import find_invoice
    from tallymark.explain import render_invoice

    with migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(find_invoice(url, invoice_id))
    make_console().print(
        render_invoice(f"Invoice {found.number}", found.currency, found.steps, found.fee_names)
    )


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

    report = AuditReport(None if as_json else make_console())
    with migrated_database(data_dir, database_url) as (url, _):
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
    app_url = read_settings().app_url
    with migrated_database(data_dir, database_url) as (url, _):
        made = asyncio.run(create_organization(url, request, app_url=app_url, now=datetime.now(UTC)))
    if as_json:
        typer.echo(made.model_dump_json(indent=2))
        return
    rows = {"Organization": made.organization.name, "Id": str(made.organization.lago_id)}
    clock = made.organization.test_clock
    invited = {"First admin": made.invite_url} if made.invite_url else {}
    show(
        {
            **rows,
            **({"Test clock": clock["frozen_time"]} if clock else {}),
            "API key": made.api_key,
            **invited,
        }
    )


@orgs.command("list")
def list_organizations(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the organizations."""
    from tallymark.commands import list_organizations

    with migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(list_organizations(url))
    table = Table("id", "name", "slug", "created", "test clock", box=None, header_style="bold")
    for entry in found:
        clock = f"{entry.frozen_time:%Y-%m-%d %H:%M:%S}" if entry.frozen_time else ""
        table.add_row(str(entry.id), entry.name, entry.slug, f"{entry.created_at:%Y-%m-%d %H:%M:%S}", clock)
    make_console().print(table)


@orgs.command("archive-entity")
def archive_entity(
    organization: Organization,
    code: Annotated[str, typer.Argument(help="The billing entity's code.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take a billing entity that bills nobody any more out of use; its documents stay."""
    from tallymark.commands import archive_entity

    with migrated_database(data_dir, database_url) as (url, _):
        archived = asyncio.run(archive_entity(url, organization, code, now=datetime.now(UTC)))
    typer.echo(f"{archived.name} ({archived.code}) is archived.")


def _announce(ready: Ready) -> None:
    rows = {"URL": ready.url, "Data": ready.data}
    if ready.api_key is not None:
        rows["API key"] = f"{ready.api_key}  (shown this once)"
    if ready.welcome is not None:
        rows["First user"] = f"{ready.welcome}  (shown this once)"
    show(rows, title=f"Tallymark {__version__} is ready")
