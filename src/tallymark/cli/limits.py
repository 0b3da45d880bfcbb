"""`tallymark limits`: how much an organization may have."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from tallymark.api.tenant_limits import Limit
from tallymark.cli.terminal import (
    DatabaseUrl,
    DataDir,
    Organization,
    make_console,
    migrated_database,
    read_settings,
)
from tallymark.db.errors import StartupError
from tallymark.domain.errors import Invalid
from tallymark.rooms.limits.model import read_number

DEFAULT = "default"


def limits(
    organization: Organization,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="LIMIT=NUMBER, 0 for any number, `default` for what the settings say; many times."
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show how much an organization may have, after saying something else of some limits."""
    from tallymark.commands import change_limits

    defaults = read_settings(data_dir=data_dir, database_url=database_url).limits
    values = dict(read_limit(text, {limit.value: limit for limit in defaults}) for text in set_ or ())
    with migrated_database(data_dir, database_url) as (url, _):
        found = asyncio.run(change_limits(url, organization, values, defaults, now=datetime.now(UTC)))
    table = Table("limit", "at the most", "by", box=None, header_style="bold")
    for one in found:
        most = "any number" if one.most is None else f"{one.most:,}"
        table.add_row(one.limit.value, most, "settings" if one.own is None else "its own")
    make_console().print(table)


def read_limit(text: str, known: dict[str, Limit]) -> tuple[Limit, int | None]:
    """A limit and its number. Raises `StartupError`."""
    name, _, number = text.partition("=")
    if name not in known:
        raise StartupError(f"{name} is no limit; there are {', '.join(known)}")
    try:
        return known[name], None if number == DEFAULT else read_number(number)
    except Invalid:
        raise StartupError(f"{text}: a whole number from 0 on is wanted, or `default`") from None
