"""Run every measurement: `python -m bench [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import billing, ingest, usage
from bench.machine import machine
from bench.server import running_server


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: does it still run?")
    parser.add_argument(
        "--json", type=Path, default=Path("bench/results/latest.json"), help="where figures go"
    )
    asked = parser.parse_args()
    console = Console()
    with running_server() as server, console.status("measuring ...") as status:
        time.sleep(3)
        figures: dict[str, Any] = {"idle_memory_mb": round(server.resident_megabytes())}
        status.update("ingest: single events, batches, a bare COPY")
        figures |= ingest.measure(server, seconds=2 if asked.quick else 15)
        status.update("current usage at 10 thousand and a million events")
        figures |= usage.measure(server, quick=asked.quick)
        status.update("a billing run and its documents")
        figures |= billing.measure(server, customers=50 if asked.quick else 1000)
        figures["busy_memory_mb"] = round(server.resident_megabytes())
    on = machine()
    table = Table("figure", "value", title=f"Tallymark on {on}", title_justify="left")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    console.print(table)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps({"machine": on, "figures": figures}, indent=2) + "\n")
    console.print(f"Written to {asked.json}")


if __name__ == "__main__":
    main()
