"""`tallymark import lago` and `tallymark shadow`: come from another server, and see that both bill the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tallymark.cli.terminal import DatabaseUrl, DataDir, Organization, make_console, read_settings

if TYPE_CHECKING:
    from tallymark.moving.report import Report
    from tallymark.moving.shadow import Comparison
    from tallymark.settings import Settings

imports = typer.Typer(help="Move an organization here from another system.", no_args_is_help=True)

Url = Annotated[str, typer.Option(help="The server that it comes from, as https://api.getlago.com.")]
ApiKey = Annotated[
    str,
    typer.Option(
        help="A key of the organization there; it is asked for where neither names it.",
        envvar="LAGO_API_KEY",
        prompt="API key of the organization there",
        hide_input=True,
        show_envvar=True,
    ),
]
AllowHttp = Annotated[
    bool,
    typer.Option("--allow-http", help="Send the key over a connection that everybody on the way can read."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@imports.command("lago")
def import_lago(  # noqa: PLR0913 - a command's options
    url: Url,
    api_key: ApiKey,
    into: Annotated[str, typer.Option(help="Slug or id of the organization here that it becomes.")],
    live: Annotated[
        bool,
        typer.Option("--live", help="Copy webhook endpoints and switch e-mails on: from now on it bills."),
    ] = False,
    events: Annotated[bool, typer.Option(help="Copy events.")] = True,
    concurrency: Annotated[
        int,
        typer.Option(min=1, max=32, help="How many things the other server is asked for at once."),
    ] = 4,
    allow_http: AllowHttp = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Copy an organization over the REST API v1; run again, it goes on, and copies what is new.

    1 is returned where something could not be copied, is different here, or was held back.
    """
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    from tallymark.integrations.lago import open_client

    client = open_client(url, api_key, allows_http=allow_http)

    async def work(database: str, tell: Callable[[str, int, int], None]) -> Report:
        from tallymark.jobs.deeds import Verb
        from tallymark.moving.opening import open_source, open_target
        from tallymark.moving.run import Import

        async with (
            open_source(client, concurrency=concurrency) as source,
            open_target(settings, database, into, doing=Verb.IMPORTED) as target,
        ):
            asked = Import(source=source, target=target, tell=tell, is_live=live, copies_events=events)
            return await asked.run()

    with _database(settings) as database, _progress() as tell:
        report = asyncio.run(work(database, tell))
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False, default=str))
    else:
        report.show(make_console())
    if not report.is_clean:
        raise typer.Exit(1)


def shadow(  # noqa: PLR0913 - a command's options
    url: Url,
    api_key: ApiKey,
    organization: Organization,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="Issued on this day or later.", show_default="the move"
        ),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Issued on this day or earlier.")
    ] = None,
    allow_http: AllowHttp = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Compare the invoices of both systems since the import, line by line; 1 is returned where a cent differs."""
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    from tallymark.integrations.lago import open_client

    client = open_client(url, api_key, allows_http=allow_http)

    async def work(database: str, tell: Callable[[str, int, int], None]) -> Comparison:
        from tallymark.jobs.deeds import Verb
        from tallymark.moving.opening import open_source, open_target
        from tallymark.moving.shadow import Shadow

        async with (
            open_source(client) as source,
            open_target(settings, database, organization, doing=Verb.COMPARED) as target,
        ):
            return await Shadow(
                source=source, target=target, since=_day(since), until=_day(until), tell=tell
            ).run()

    with _database(settings) as database, _progress() as tell:
        found = asyncio.run(work(database, tell))
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False, default=str))
    else:
        found.show(make_console())
    if not found.is_equal:
        raise typer.Exit(1)


def _day(found: datetime | None) -> date | None:
    return found.date() if found else None


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    from tallymark.db.migrate import migrate
    from tallymark.which_database import any_database

    with any_database(settings) as url:
        migrate(url)
        yield url


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each kind, on standard error: a report may be piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = progress.add_task(kind, total=total)
            progress.update(tasks[kind], completed=done, total=total)

        yield tell
