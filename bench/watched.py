"""What it costs to be watched: the same events taken in by two servers in turns, one of which counts and is scraped.

`python -m bench.watched`. What is compared is the processor time that each request takes of Tallymark's own process, so that work
of others on the machine matters little.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.request import urlopen

from rich.console import Console

from bench.load import Job, generate
from bench.machine import machine
from bench.processor import spent_so_far
from bench.server import Server, free_port, running_server

ROUNDS = 15
SECONDS = 2.0
SCRAPE_SECONDS = 15.0


def main() -> None:
    """Measure, and print the cost of a request with and without."""
    port = free_port()
    with (
        running_server() as plain,
        running_server(TALLYMARK_INTERNAL_PORT=str(port)) as watched,
        scraped(port),
    ):
        console = Console()
        console.print(f"Tallymark on {machine()}")
        for batch in (1, 100):
            servers = {"plain": plain, "watched": watched}
            keys = {name: server.new_organization() for name, server in servers.items()}
            costs: dict[str, list[float]] = {name: [] for name in servers}
            for _ in range(ROUNDS + 1):
                for name, server in servers.items():
                    costs[name].append(microseconds(server, keys[name], batch))
            rounds = list(zip(costs["plain"], costs["watched"], strict=True))[1:]  # the first warms up
            before, after = (median(of) for of in zip(*rounds, strict=True))
            ratio = median(watched / plain for plain, watched in rounds)
            console.print(
                f"batches of {batch}: {before:.1f} µs a request, watched {after:.1f} µs, ratio {ratio:.3f}"
            )


def microseconds(server: Server, key: str, batch: int) -> float:
    """Processor time of Tallymark's own process for each request."""
    before = spent_so_far(server)
    job = Job(
        host=server.host,
        port=server.port,
        key=key,
        connections=16,
        batch=batch,
        seconds=SECONDS,
        prefix=uuid.uuid4().hex[:8],
    )
    sent = generate(job)
    assert sent.failed == 0, f"{sent.failed} requests failed"
    return (spent_so_far(server) - before).tallymark / sent.requests * 1e6


@contextmanager
def scraped(port: int) -> Iterator[None]:
    """Read the metrics as often as Prometheus does, for as long as the context is open."""
    stop = threading.Event()

    def scrape() -> None:
        while not stop.wait(SCRAPE_SECONDS):
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                answer.read()

    scraping = threading.Thread(target=scrape)
    scraping.start()
    try:
        yield
    finally:
        stop.set()
        scraping.join()


if __name__ == "__main__":
    main()
