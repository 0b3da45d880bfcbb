"""`tallymark backup`, `restore` and `resume`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from tallymark.cli.terminal import DatabaseUrl, DataDir, make_console, migrated_database, read_settings

if TYPE_CHECKING:
    from tallymark.backups import Manifest, Restored
    from tallymark.backups.manifest import Tell


def backup(
    to: Annotated[Path, typer.Argument(help="A folder of backups: this one gets a name of its own in it.")],
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete the oldest backups there beyond so many.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Copy the database, as it is at this instant, and its documents into a folder, while everything runs."""
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    import msgspec

    from tallymark.backups import back_up
    from tallymark.backups.manifest import read_manifest

    with _progress() as tell:
        place = back_up(settings, to, keep=keep, tell=tell, now=datetime.now(UTC))
    manifest = read_manifest(place)
    if as_json:
        typer.echo(json.dumps({"backup": str(place), **msgspec.to_builtins(manifest)}, indent=2))
        return
    typer.echo(f"{place} has {_said(manifest)}.")
    if manifest.files_elsewhere is not None:
        typer.echo(f"Documents stay in {manifest.files_elsewhere}: have the bucket keep versions.")
    if manifest.secrets:
        typer.echo(f"Not in it: {', '.join(manifest.secrets)}. Keep what they are set to elsewhere.")
    if manifest.missing:
        typer.echo(
            f"{len(manifest.missing)} documents that rows name are not there; {place / 'manifest.json'} names them."
        )


def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="The backup's folder.")],
    check_only: Annotated[
        bool,
        typer.Option("--check", help="Read all of the backup, say whether it is whole, and restore nothing."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Delete what is in the database, and put the backup in its place."),
    ] = False,
    hold: Annotated[
        bool,
        typer.Option(help="Have workers wait, so that nothing is billed or sent, until `tallymark resume`."),
    ] = True,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Put a backup back, into an empty database or with --replace, all of it or nothing; 1 is returned for a breach of the audit."""
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    from tallymark.backups import check
    from tallymark.backups import restore as put_back

    if check_only:
        with _progress() as tell:
            manifest = check(source, tell)
        typer.echo(f"The backup is whole: {_said(manifest)}.")
        return
    with _progress() as tell:
        restored = put_back(settings, source, replaces=replace, holds=hold, tell=tell, now=datetime.now(UTC))
    _tell_restored(restored)
    _note(restored, data_dir, database_url)
    _audit(data_dir, database_url)


def resume(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Let the workers of an installation that was restored bill and send again."""
    from tallymark.commands import let_go

    with migrated_database(data_dir, database_url) as (url, _):
        held = asyncio.run(let_go(url, now=datetime.now(UTC)))
    typer.echo("Workers go on." if held else "Nothing holds the workers back.")


def _note(restored: Restored, data_dir: Path | None, database_url: str | None) -> None:
    """Only what is there in the end has an audit of staff, of this release."""
    from tallymark.commands import note_deed
    from tallymark.jobs.deeds import Verb, of_installation

    manifest = restored.manifest
    after = {
        "made_at": manifest.made_at.isoformat(),
        "release": manifest.release,
        "schema": manifest.revision,
    }
    with migrated_database(data_dir, database_url) as (url, _):
        deed = of_installation(Verb.RESTORED, "backup", after=after)
        asyncio.run(note_deed(url, deed, now=datetime.now(UTC)))


def _audit(data_dir: Path | None, database_url: str | None) -> None:
    from tallymark import commands
    from tallymark.audit_report import AuditReport

    report = AuditReport(make_console())
    with migrated_database(data_dir, database_url) as (url, _):
        asyncio.run(commands.audit(url, None, report.tell))
    report.close()
    if not report.holds:
        raise typer.Exit(1)


def _said(manifest: Manifest) -> str:
    rows = f"{sum(manifest.rows.values()):,} rows of {len(manifest.rows)} tables"
    return (
        f"{rows} and {manifest.files:,} documents as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC,"
        f" release {manifest.release}, schema {manifest.revision}"
    )


def _tell_restored(restored: Restored) -> None:
    manifest, waiting = restored.manifest, restored.waiting
    typer.echo(f"Restored {_said(manifest)}.")
    if restored.revision != manifest.revision:
        typer.echo(f"Migrated it to schema {restored.revision}.")
    for warning in restored.warnings:
        typer.echo(f"Look at this: {warning}.")
    told = waiting["messages"] + waiting["webhooks"]
    typer.echo(
        f"Since then {told:,} webhooks and {waiting['emails']:,} e-mails wait to be sent, and {waiting['due']:,} pieces of work are due."
    )
    if restored.is_held:
        typer.echo(
            "Workers wait. Start Tallymark, send again the events that came after the backup, and then: tallymark resume"
        )


@contextmanager
def _progress() -> Iterator[Tell]:
    """What is being done, at a terminal."""
    console = make_console()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=None)

        def tell(doing: str, done: int, total: int | None) -> None:
            size = f" ({done / 2**20:,.1f} MB)" if total is None and done else ""
            progress.update(bar, description=doing + size, completed=done if total else 0, total=total)

        yield tell
