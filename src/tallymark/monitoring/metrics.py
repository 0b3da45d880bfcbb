"""What a process counts about itself, in the form that Prometheus reads.

Only a process that is asked for metrics makes any; then a request costs it two increments. The processes of one `tallymark api
--workers N` write to files in one folder, so that whichever of them is asked tells of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_SECONDS = (0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800)


class Pool(Protocol):
    """The connections that a process keeps to its database."""

    def size(self) -> int: ...
    def checkedout(self) -> int: ...


class Metrics:
    """The metrics of this process, and how they are told."""

    def __init__(self, folder: Path | None = None) -> None:
        self.own = own = CollectorRegistry()
        self._told: dict[tuple[Counter, str], int] = {}
        self._requests: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._request_count = Counter(
            "tallymark_http_requests",
            "Requests answered, by route template and class of the status.",
            ("method", "route", "status"),
            registry=own,
        )
        self._request_seconds = Histogram(
            "tallymark_http_request_duration_seconds",
            "From the request's head to the end of its answer.",
            ("method", "route"),
            registry=own,
            buckets=REQUEST_SECONDS,
        )
        self._events = Counter(
            "tallymark_events",
            "Events sent to this process: stored, known before, or turned away because too many waited.",
            ("outcome",),
            registry=own,
        )
        self._waiting = _gauge(own, "tallymark_events_waiting", "Events in memory that wait to be stored.")
        self._connections = _gauge(
            own, "tallymark_database_connections", "Connections of the pool that are in use."
        )
        self._most_connections = _gauge(
            own, "tallymark_database_connections_limit", "Connections that the pool may open."
        )
        self._jobs = Counter("tallymark_jobs", "Jobs that ended.", ("task", "outcome"), registry=own)
        self._job_seconds = Histogram(
            "tallymark_job_duration_seconds",
            "How long jobs took.",
            ("task",),
            registry=own,
            buckets=JOB_SECONDS,
        )
        self._job_success = Gauge(
            "tallymark_task_last_success_timestamp_seconds",
            "When a worker of this process last ended a job of the task without an error (Unix time).",
            ("task",),
            registry=own,
            multiprocess_mode="livemax",
        )
        self._webhooks = Counter(
            "tallymark_webhook_attempts",
            "Attempts to deliver webhooks: accepted, refused by the receiver, or without an answer.",
            ("outcome",),
            registry=own,
        )
        self._given_up = Counter(
            "tallymark_webhooks_given_up", "Webhooks whose last attempt failed.", registry=own
        )
        if folder is None:
            self._shown = own
            ProcessCollector(registry=own)
            PlatformCollector(registry=own)
        else:
            self._shown = CollectorRegistry()
            MultiProcessCollector(self._shown, path=str(folder))  # type: ignore[no-untyped-call]  # the library has no types here

    def add(self, collector: Collector) -> None:
        """Tell of something else, which every process of a crew would tell alike."""
        self._shown.register(collector)

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        key = (method, route, status // 100)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = self._request_counters(*key)
        found[0]()
        found[1](seconds)

    def _request_counters(
        self, method: str, route: str, status_class: int
    ) -> tuple[Callable[[], None], Callable[[float], None]]:
        count = self._request_count.labels(method, route, f"{status_class}xx")
        return count.inc, self._request_seconds.labels(method, route).observe

    def note_job(self, task: str, outcome: str, seconds: float, *, ended_at: float) -> None:
        """Count a job that ended; `ended_at` is Unix time."""
        self._jobs.labels(task, outcome).inc()
        self._job_seconds.labels(task).observe(seconds)
        if outcome == "succeeded":
            self._job_success.labels(task).set(ended_at)

    def note_events(self, tally: Mapping[str, int], *, waiting: int) -> None:
        """Take over what the intake has counted since it began."""
        self._raise_to(self._events, tally)
        self._waiting.set(waiting)

    def note_webhooks(self, tally: Mapping[str, int], *, given_up: int) -> None:
        """Take over what the courier has counted since it began."""
        self._raise_to(self._webhooks, tally)
        before = self._told.get((self._given_up, ""), 0)
        self._told[self._given_up, ""] = given_up
        self._given_up.inc(given_up - before)

    def note_pool(self, pool: Pool) -> None:
        """Look at the connections."""
        self._connections.set(pool.checkedout())
        self._most_connections.set(pool.size())

    def _raise_to(self, counter: Counter, totals: Mapping[str, int]) -> None:
        for outcome, total in totals.items():
            before = self._told.get((counter, outcome), 0)
            self._told[counter, outcome] = total
            counter.labels(outcome).inc(total - before)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._shown)


def _gauge(registry: CollectorRegistry, name: str, meaning: str, **more: Any) -> Gauge:
    """What the processes of a crew have in sum, as long as they live."""
    return Gauge(name, meaning, registry=registry, multiprocess_mode="livesum", **more)
