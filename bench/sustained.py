"""Ingest that goes on for long: does the rate hold, do answers stay quick, does memory stay flat?

`python -m bench.sustained` sends batches for ten minutes to an organization whose streams are rolled up; `60` for one.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.progress import track

from bench.ingest import roll_up
from bench.load import Job, generate
from bench.server import Server, running_server

SECONDS = 600.0
WINDOW_SECONDS = 10.0
CONNECTIONS = 16
BATCH = 100
EDGE = 5
"""How many windows the beginning and the end are; the first is left out of them, for it warms up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Ten seconds: when they ended, what came of them, and the memory of the process that takes events in."""

    seconds: float
    events_per_second: int
    p99_ms: float
    failed: int
    api_megabytes: float


def samples(server: Server, *, seconds: float = SECONDS) -> list[Sample]:
    """One sample for each window, in order."""
    key = server.new_organization()
    found: list[Sample] = []
    for number in track(range(max(int(seconds / WINDOW_SECONDS), 1)), "ingest", transient=True):
        outcome = generate(
            Job(
                host=server.host,
                port=server.port,
                key=key,
                connections=CONNECTIONS,
                batch=BATCH,
                seconds=WINDOW_SECONDS,
                prefix=uuid.uuid4().hex[:8],
            )
        )
        if number == 0:
            roll_up(server, key)
        found.append(
            Sample(
                seconds=(number + 1) * WINDOW_SECONDS,
                events_per_second=round(outcome.events / outcome.seconds),
                p99_ms=round(outcome.p99, 1),
                failed=outcome.failed,
                api_megabytes=round(server.api_megabytes(), 1),
            )
        )
    return found


def summary(found: list[Sample]) -> dict[str, Any]:
    """The rate over all, the slowest window, and how the end compares with the beginning."""
    first, last = found[1 : EDGE + 1] or found, found[-EDGE:]
    return {
        "sustained_events": round(sum(one.events_per_second for one in found) * WINDOW_SECONDS),
        "sustained_events_per_second": round(sum(one.events_per_second for one in found) / len(found)),
        "slowest_events_per_second": min(one.events_per_second for one in found),
        "rate_end_to_start": _ratio(
            [one.events_per_second for one in last], [one.events_per_second for one in first]
        ),
        "worst_p99_ms": max(one.p99_ms for one in found),
        "failed": sum(one.failed for one in found),
        "memory_end_to_start": _ratio(
            [one.api_megabytes for one in last], [one.api_megabytes for one in first]
        ),
        "api_megabytes": last[-1].api_megabytes,
    }


def _ratio(end: list[Any], start: list[Any]) -> float:
    return round(float(sum(end) / len(end) / (sum(start) / len(start))), 2)


def main() -> None:
    """Print each window, and what they come to."""
    console = Console()
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with running_server() as server:
        found = samples(server, seconds=seconds)
    for one in found:
        console.print(asdict(one))
    console.print(summary(found))


if __name__ == "__main__":
    main()
