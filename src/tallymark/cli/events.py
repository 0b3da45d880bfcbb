"""`tallymark events`: the months of events that leave the database, and come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from tallymark.cli.terminal import DatabaseUrl, DataDir, make_console, migrated_database, read_settings

if TYPE_CHECKING:
    from tallymark.rooms.event_archives.model import Archive

commands = typer.Typer(
    help="Archive the events of months that nobody bills from any more, and put them back.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command("archive")
def archive_events(
    before: Annotated[str, typer.Option(help="The first month that stays, as 2026-01.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Move events of months before one from the database to Parquet files, beside the documents.

    Only what is on final invoices leaves, and nothing that counts in later periods. A run that was cut off is gone on with.
    """
    from tallymark import archives as work

    month = work.read_month(before)
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    with migrated_database(data_dir, database_url) as (url, _), _progress("Archiving") as tell:
        done = asyncio.run(work.archive(settings, url, month, tell, now=datetime.now(UTC)))
    _show(
        done,
        as_json=as_json,
        nothing="Nothing can be archived: what there is of these months is still needed.",
    )


@commands.command("restore")
def restore_events(
    month: Annotated[str, typer.Argument(help="The month, as 2025-12.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Put the archived events of a month back into the database, all of them or none; the files stay."""
    from tallymark import archives as work

    first = work.read_month(month)
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    with migrated_database(data_dir, database_url) as (url, _), _progress("Restoring") as tell:
        done = asyncio.run(work.restore(settings, url, first, tell, now=datetime.now(UTC)))
    _show(done, as_json=as_json, nothing="")


@commands.command("archives")
def list_archives(
    as_json: AsJson = False, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """List the archives there are, and their files."""
    from tallymark import archives as work

    with migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(work.list_archives(url))
    _show(found, as_json=as_json, nothing="There are no archives.")


@contextmanager
def _progress(verb: str) -> Iterator[Callable[[Archive, int], None]]:
    """A bar for each month, at a terminal."""
    console = make_console()
    bars: dict[UUID, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:

        def tell(archive: Archive, done: int) -> None:
            if archive.id not in bars:
                title = f"{verb} {archive.month:%Y-%m}"
                bars[archive.id] = progress.add_task(title, total=archive.events_count)
            progress.update(bars[archive.id], completed=done)

        yield tell


def _show(archives: Sequence[Archive], *, as_json: bool, nothing: str) -> None:
    if as_json:
        typer.echo(json.dumps([_as_json(archive) for archive in archives], indent=2))
        return
    if not archives:
        typer.echo(nothing)
        return
    table = Table(
        "Month", "Status", "Events", "Files", "Size", "Made", box=None, pad_edge=False, header_style="bold"
    )
    for archive in archives:
        size = sum(file.bytes for file in archive.files)
        table.add_row(
            f"{archive.month:%Y-%m}",
            archive.status,
            f"{archive.events_count:,}",
            f"{len(archive.files):,}",
            f"{size / 2**20:,.1f} MB",
            f"{archive.created_at:%Y-%m-%d %H:%M} UTC",
        )
    make_console().print(table)


def _as_json(archive: Archive) -> dict[str, object]:
    return {
        "lago_id": str(archive.id),
        "month": f"{archive.month:%Y-%m}",
        "status": archive.status.value,
        "events_count": archive.events_count,
        "files": [
            {
                "lago_organization_id": str(file.organization_id),
                "key": file.key,
                "events_count": file.events,
                "bytes": file.bytes,
                "sha256": file.sha256,
            }
            for file in archive.files
        ],
    }
