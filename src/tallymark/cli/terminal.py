"""What commands share: their options, the settings and database behind them, and how they show what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from tallymark.db.errors import StartupError

if TYPE_CHECKING:
    from tallymark.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8787")]
InternalPort = Annotated[
    int | None,
    typer.Option(
        help="Port for those who run Tallymark: metrics, health and the back office.", show_default="none"
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the embedded database lives.", show_default="~/.local/share/tallymark"),
]
Organization = Annotated[str, typer.Option(help="Slug or id of the organization.")]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="An existing PostgreSQL >= 15 to use instead of the embedded one.")
]


def read_settings(**flags: Any) -> Settings:
    """The settings under the flags that were given. Raises `StartupError` naming every value that is wrong."""
    from pydantic import ValidationError

    from tallymark.logs import configure_logs
    from tallymark.settings import Settings
    from tallymark.variables import variables_of

    names = {
        place: (name, variables_of(name, field))
        for name, field in Settings.model_fields.items()
        for place in (name, *variables_of(name, field))
    }

    def name_of(place: tuple[int | str, ...]) -> str:
        """What was written: a flag, else the variable that is set."""
        written = ".".join(map(str, place))
        if written not in names:
            return written
        flag, variables = names[written]
        was_set = [one for one in variables if one in os.environ or f"{one}_FILE" in os.environ]
        return flag if flags.get(flag) is not None else [*was_set, *variables][0]

    try:
        found = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = [
            ": ".join(filter(None, (name_of(e["loc"]), e["msg"].removeprefix("Value error, "))))
            for e in error.errors()
        ]
        raise StartupError("; ".join(wrong)) from None
    configure_logs(level=found.log_level, style=found.log_format)
    return found


@contextmanager
def migrated_database(data_dir: Path | None, database_url: str | None) -> Iterator[tuple[str, str]]:
    """The database's URL and its schema's revision."""
    settings = read_settings(data_dir=data_dir, database_url=database_url)
    from tallymark.db.migrate import migrate
    from tallymark.which_database import any_database

    with any_database(settings) as url:
        yield url, migrate(url)


def show(rows: dict[str, str], title: str | None = None) -> None:
    """A panel for people at a terminal, plain lines for everything else."""
    console = make_console()
    if not console.is_terminal:
        lines = [f"{title}."] if title else []
        typer.echo("\n".join([*lines, *(f"{name}: {value}" for name, value in rows.items())]))
        sys.stdout.flush()
        return
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(f"[dim]{name}[/dim]", f"[bold]{value}[/bold]")
    console.print(Panel(table, title=title, title_align="left", border_style="green", expand=False))


def make_console() -> Console:
    # A pipe has no width; lines of tables must not be folded there.
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def read_password(is_given: bool) -> str | None:
    """A password from the standard input, where it is not in a list of processes or a history of commands."""
    if not is_given:
        return None
    return (
        typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )


def utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant else None
