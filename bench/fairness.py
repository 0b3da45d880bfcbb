"""What one tenant's queue costs another: `python -m bench.fairness [--jobs 100000]`.

One organization leaves so many jobs, another one a single job. Measured is how many jobs a worker takes before that one, and
how long leaving and taking take, once in turns (as they are left) and once in the order in which they came, on the same server.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.machine import machine
from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.migrate import migrate

LEAVING = {
    "in turns": "SELECT tallymark_enqueue('bench', %(arguments)s, NULL, NULL) FROM generate_series(1, %(count)s)",
    "as they came": "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'bench', 0, NULL, NULL, %(arguments)s, NULL)"
    "::procrastinate_job_to_defer_v1]) FROM generate_series(1, %(count)s)",
}
TAKE = "SELECT id, args ->> 'organization_id' FROM procrastinate_fetch_job_v2(NULL, NULL)"
TAKEN_AT_MOST = 2_000


def main() -> None:
    """Measure both, and print them beside each other."""
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="how many jobs the one organization leaves")
    parser.add_argument("--json", type=Path, help="where figures go")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tm-") as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres_server(Path(folder)) as url:
            migrate(url)
            figures = {order: _measure(url, order, asked.jobs) for order in LEAVING}
    table = Table("figure", *figures, title=f"Tallymark on {machine()}", title_justify="left")
    for name in figures["in turns"]:
        table.add_row(name, *(f"{found[name]:,}" for found in figures.values()))
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps({"machine": machine(), "figures": figures}, indent=2) + "\n")


def _measure(url: str, order: str, jobs: int) -> dict[str, Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        began = time.perf_counter()
        _leave(connection, order, "many", jobs)
        left = time.perf_counter() - began
        connection.execute("ANALYZE procrastinate_jobs")
        began = time.perf_counter()
        _leave(connection, order, "one", 1)
        one = time.perf_counter() - began
        waited_for, took = _take(connection, TAKEN_AT_MOST)
        return {
            "jobs left a second": round(jobs / left),
            "milliseconds to leave one more": round(one * 1000, 2),
            "jobs taken before the other's": waited_for,
            "jobs taken a second": round(TAKEN_AT_MOST / took),
        }


def _leave(connection: psycopg.Connection[Any], order: str, organization: str, count: int) -> None:
    values = {"arguments": json.dumps({"organization_id": organization}), "count": count}
    connection.execute(LEAVING[order].replace("%(arguments)s", "%(arguments)s::jsonb"), values)


def _take(connection: psycopg.Connection[Any], count: int) -> tuple[int, float]:
    """Take so many, each done before the next; where in them the other's was (all of them where it was not), and the seconds."""
    waited_for = count
    began = time.perf_counter()
    for position in range(count):
        row = connection.execute(TAKE).fetchone()
        assert row is not None, "there are more than are taken"
        if row[1] == "one":
            waited_for = position
        connection.execute("DELETE FROM procrastinate_jobs WHERE id = %s", (row[0],))
    return waited_for, time.perf_counter() - began


if __name__ == "__main__":
    main()
