"""What waits in the database: due work, jobs, webhooks, events to be read. Any process can tell, also where no worker runs.

It is read when somebody asks, at most every 15 seconds by a process, in one transaction that may take two. Every count is by an
index and ends at `MOST`: beyond it the number says "at least so many", and the age of the oldest says the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark import __version__
from tallymark.db.engine import Database
from tallymark.jobs.agenda import Kind

FRESH_SECONDS = 15
PATIENCE_SECONDS = 5
"""How long a reading may take, the wait for a connection included; then it failed."""

MOST = 50_000
LATE_AFTER = timedelta(minutes=5)
"""Due work that has waited for so long is late."""

NEWEST_STREAMS = 1_000

_TIMEOUT = text("SET LOCAL statement_timeout = '2s'")

_DUE = text("""
    SELECT kind, count(*) AS count, count(*) FILTER (WHERE run_at < :late) AS late, min(run_at) AS oldest
    FROM (
        SELECT kind, run_at FROM agenda
        WHERE run_at <= :now AND NOT is_simulated AND parked_at IS NULL ORDER BY run_at LIMIT :most
    ) due GROUP BY kind
""")
_PARKED = text("""
    SELECT kind, count(*) AS count, min(parked_at) AS oldest, array_agg(DISTINCT owner_id) AS owners
    FROM (SELECT kind, parked_at, owner_id FROM agenda WHERE parked_at IS NOT NULL AND NOT is_simulated LIMIT :most) parked
    GROUP BY kind
""")
_TO_PRICE = text("""
    SELECT count(*) FILTER (WHERE parked_at IS NULL) AS waiting, count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked
    FROM (SELECT parked_at FROM events_to_price ORDER BY id LIMIT :most) events
""")
_FOLLOWERS = text("SELECT name, read_until FROM followers")
_LATE_EVENTS = text("SELECT count(*) FROM (SELECT FROM late_events WHERE is_waiting LIMIT :most) late")
_ROLLUPS = text(
    "SELECT count(*) FROM (SELECT FROM rollups"
    " WHERE built_at IS NULL AND declined_at IS NULL AND retired_at IS NULL LIMIT :most) wanted"
)
_STREAMS = text("""
    SELECT count(*) FROM (SELECT organization_id, external_subscription_id FROM event_streams ORDER BY id DESC LIMIT :streams) e
    WHERE NOT EXISTS (
        SELECT FROM subscriptions s
        WHERE s.organization_id = e.organization_id AND s.external_id = e.external_subscription_id
    )
""")
_UNTOLD = text("""
    SELECT count(*) FILTER (WHERE error IS NULL) AS waiting, count(*) FILTER (WHERE error IS NOT NULL) AS aside,
           (SELECT o.created_at FROM untold_messages u JOIN outbox o ON o.id = u.message_id
            WHERE u.error IS NULL ORDER BY u.message_id LIMIT 1) AS oldest
    FROM (SELECT error FROM untold_messages ORDER BY message_id LIMIT :most) untold
""")
_WEBHOOKS = text("""
    SELECT status, count(*) AS count, min(next_attempt_at) AS oldest
    FROM (SELECT status, next_attempt_at FROM webhooks WHERE status IN ('pending', 'retrying') LIMIT :most) open
    GROUP BY status
""")
_JOBS = text("""
    SELECT task_name, CAST(status AS text) AS status, count(*) AS count
    FROM (SELECT task_name, status FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') LIMIT :most) jobs
    GROUP BY task_name, status
""")
_OLDEST_JOB = text("""
    SELECT min(coalesce(j.scheduled_at, e.at)) FROM (
        SELECT id, scheduled_at FROM procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= :now) ORDER BY id LIMIT 100
    ) j CROSS JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events WHERE job_id = j.id) e
""")
_SCHEDULED = text(
    "SELECT task_name, max(defer_timestamp) AS started FROM procrastinate_periodic_defers GROUP BY task_name"
)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reading:
    """Gauges by name and labels. `is_complete` is False where the database did not answer."""

    is_complete: bool = False
    values: dict[str, dict[tuple[str, ...], float]] = field(default_factory=dict)

    def put(self, name: str, value: float, *labels: str) -> None:
        """Note a value."""
        self.values.setdefault(name, {})[labels] = value


GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tallymark_due_work": ("Pieces of work that are due, by kind.", ("kind",)),
    "tallymark_late_work": ("Pieces of work that have been due for more than 5 minutes.", ("kind",)),
    "tallymark_due_work_oldest_seconds": ("For how long the oldest piece of work has been due.", ("kind",)),
    "tallymark_parked_work": (
        "Pieces of work that failed for the last time, and wait for somebody.",
        ("kind",),
    ),
    "tallymark_parked_customers": ("Customers of whom some work is parked.", ()),
    "tallymark_parked_work_oldest_seconds": ("For how long the oldest parked work has waited.", ()),
    "tallymark_events_to_price": ("Events of charges in advance that wait for their fees.", ()),
    "tallymark_events_to_price_parked": ("Events that failed to be priced, and wait for somebody.", ()),
    "tallymark_follower_lag_seconds": ("How far behind those who read what came in are.", ("follower",)),
    "tallymark_late_events_waiting": ("Events that came late and are not judged yet.", ()),
    "tallymark_rollups_wanted": ("Roll-ups that reads have asked for and nobody has built.", ()),
    "tallymark_unmatched_streams": (
        "Of the newest 1000 pairs of subscription and code that events named, those without a subscription.",
        (),
    ),
    "tallymark_outbox_messages": ("Messages of which no webhooks were made yet.", ()),
    "tallymark_outbox_oldest_seconds": ("How long the oldest of them has waited.", ()),
    "tallymark_outbox_put_aside": ("Messages that could not be told, and wait for somebody.", ()),
    "tallymark_webhooks_open": ("Webhooks that were not delivered yet, by status.", ("status",)),
    "tallymark_webhooks_overdue_seconds": (
        "For how long the next attempt of the most overdue one has been due.",
        (),
    ),
    "tallymark_queue_jobs": (
        "Jobs in the queue: todo, doing, or failed for the last time.",
        ("task", "status"),
    ),
    "tallymark_queue_oldest_seconds": ("How long the next jobs have waited at the most.", ()),
    "tallymark_scheduled_task_last_run_timestamp_seconds": (
        "When a scheduled task was last put into the queue (Unix time).",
        ("task",),
    ),
}
"""Every gauge of the backlog: what it means, and its labels."""


class Backlog(Collector):
    """Reads what waits, not more often than it has to, and shows the last reading as metrics."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database, self._clock = database, clock
        self._reading = Reading()
        self._read_at: float | None = None
        self._turn = asyncio.Lock()

    async def refresh(self) -> Reading:
        """Read anew what is older than 15 seconds."""
        async with self._turn:
            if self._read_at is None or monotonic() - self._read_at >= FRESH_SECONDS:
                self._reading = await self._read()
                self._read_at = monotonic()
            return self._reading

    async def _read(self) -> Reading:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._database.system() as connection:
                await connection.execute(_TIMEOUT)
                reading = await read_backlog(connection, now=self._clock())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the database is what the metrics tell
            log.warning("backlog is not read", error=f"{type(error).__name__}: {error}")
            return Reading()
        return reading

    def collect(self) -> Iterator[Metric]:
        """The last reading, as the library asks for it."""
        reading = self._reading
        build = GaugeMetricFamily("tallymark_build_info", "The release that runs.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build
        yield GaugeMetricFamily(
            "tallymark_database_up", "Whether the database told what waits in it.", int(reading.is_complete)
        )
        for name, of_labels in reading.values.items():
            meaning, labels = GAUGES[name]
            family = GaugeMetricFamily(name, meaning, labels=labels)
            for values, number in of_labels.items():
                family.add_metric(values, number)
            yield family


async def read_backlog(connection: AsyncConnection, *, now: datetime) -> Reading:
    """Everything that waits at an instant; needs a system transaction."""
    reading = Reading()
    await _read_agenda(connection, reading, now=now)
    await _read_events(connection, reading, now=now)
    await _read_webhooks(connection, reading, now=now)
    await _read_queue(connection, reading, now=now)
    reading.is_complete = True
    return reading


async def _read_agenda(connection: AsyncConnection, reading: Reading, *, now: datetime) -> None:
    due = await _rows(connection, _DUE, now=now, late=now - LATE_AFTER, most=MOST)
    parked = await _rows(connection, _PARKED, most=MOST)
    for kind in Kind:
        reading.put("tallymark_due_work", 0, kind.name.lower())
        reading.put("tallymark_late_work", 0, kind.name.lower())
        reading.put("tallymark_due_work_oldest_seconds", 0, kind.name.lower())
        reading.put("tallymark_parked_work", 0, kind.name.lower())
    for row in due:
        name = Kind(row["kind"]).name.lower()
        reading.put("tallymark_due_work", row["count"], name)
        reading.put("tallymark_late_work", row["late"], name)
        reading.put("tallymark_due_work_oldest_seconds", _age(row["oldest"], now), name)
    for row in parked:
        reading.put("tallymark_parked_work", row["count"], Kind(row["kind"]).name.lower())
    owners = {owner for row in parked for owner in row["owners"]}
    reading.put("tallymark_parked_customers", len(owners))
    oldest = max((_age(row["oldest"], now) for row in parked), default=0.0)
    reading.put("tallymark_parked_work_oldest_seconds", oldest)


async def _read_events(connection: AsyncConnection, reading: Reading, *, now: datetime) -> None:
    (to_price,) = await _rows(connection, _TO_PRICE, most=MOST)
    reading.put("tallymark_events_to_price", to_price["waiting"])
    reading.put("tallymark_events_to_price_parked", to_price["parked"])
    for row in await _rows(connection, _FOLLOWERS):
        reading.put("tallymark_follower_lag_seconds", _age(row["read_until"], now), row["name"])
    reading.put("tallymark_late_events_waiting", await _count(connection, _LATE_EVENTS, most=MOST))
    reading.put("tallymark_rollups_wanted", await _count(connection, _ROLLUPS, most=MOST))
    reading.put("tallymark_unmatched_streams", await _count(connection, _STREAMS, streams=NEWEST_STREAMS))


async def _read_webhooks(connection: AsyncConnection, reading: Reading, *, now: datetime) -> None:
    (untold,) = await _rows(connection, _UNTOLD, most=MOST)
    reading.put("tallymark_outbox_messages", untold["waiting"])
    reading.put("tallymark_outbox_oldest_seconds", _age(untold["oldest"], now))
    reading.put("tallymark_outbox_put_aside", untold["aside"])
    overdue = 0.0
    for status in ("pending", "retrying"):
        reading.put("tallymark_webhooks_open", 0, status)
    for row in await _rows(connection, _WEBHOOKS, most=MOST):
        reading.put("tallymark_webhooks_open", row["count"], row["status"])
        overdue = max(overdue, _age(row["oldest"], now))
    reading.put("tallymark_webhooks_overdue_seconds", overdue)


async def _read_queue(connection: AsyncConnection, reading: Reading, *, now: datetime) -> None:
    for row in await _rows(connection, _JOBS, most=MOST):
        reading.put("tallymark_queue_jobs", row["count"], row["task_name"], row["status"])
    (oldest,) = (await connection.execute(_OLDEST_JOB, {"now": now})).scalars()
    reading.put("tallymark_queue_oldest_seconds", _age(oldest, now))
    for row in await _rows(connection, _SCHEDULED):
        reading.put("tallymark_scheduled_task_last_run_timestamp_seconds", row["started"], row["task_name"])


async def _rows(connection: AsyncConnection, statement: Any, **values: Any) -> list[Mapping[str, Any]]:
    found: Iterable[Any] = (await connection.execute(statement, values)).mappings()
    return list(found)


async def _count(connection: AsyncConnection, statement: Any, **values: Any) -> int:
    return int((await connection.execute(statement, values)).scalar_one())


def _age(instant: datetime | None, now: datetime) -> float:
    """Seconds since an instant; 0 for none, and for one that is still to come."""
    return 0.0 if instant is None else max(0.0, (now - instant).total_seconds())
