"""`tallymark doctor` as people and programs read it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from tallymark.cli.terminal import DatabaseUrl, DataDir, Host, make_console, read_settings


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    host: Host = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Look at settings, database, clock, files, mail server and webhooks, and say what to mend; 1 is returned where something fails."""
    settings = read_settings(host=host, data_dir=data_dir, database_url=database_url)
    from tallymark.doctor import Verdict, examine

    styles = {
        Verdict.WELL: "green",
        Verdict.UNUSED: "dim",
        Verdict.WARNING: "bold yellow",
        Verdict.FAILING: "bold red",
    }
    console, found = make_console(), []
    for finding in examine(settings, os.environ):
        found.append(finding)
        if as_json:
            continue
        line = Text.assemble(
            (f"{finding.verdict.value:<9}", styles[finding.verdict]),
            (f"{finding.about:<11}", "bold"),
            finding.says,
        )
        console.print(line, soft_wrap=True)
        if finding.remedy is not None:
            console.print(Text.assemble(" " * 20, (finding.remedy, "cyan")), soft_wrap=True)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2, ensure_ascii=False))
    if any(finding.verdict is Verdict.FAILING for finding in found):
        raise typer.Exit(1)
