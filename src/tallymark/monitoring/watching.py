"""What watches one process: it measures requests and jobs, looks at what is only looked at, and makes the internal application."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter, time
from typing import TYPE_CHECKING, Any

from procrastinate.job_context import JobContext
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from sqlalchemy import QueuePool
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from tallymark import __version__
from tallymark.app import Running
from tallymark.db.errors import StartupError
from tallymark.monitoring.backlog import GAUGES, Backlog
from tallymark.monitoring.internal import make_internal_app
from tallymark.monitoring.metrics import JOB_SECONDS, REQUEST_SECONDS, Metrics
from tallymark.monitoring.requests import Measured
from tallymark.settings import Settings

if TYPE_CHECKING:
    from tallymark.integrations.sentry import Sentry
    from tallymark.integrations.telemetry import Telemetry

LOOK_SECONDS = 1


class Watch:
    """The metrics of a process that is watched, where they come from, and to whom else it tells what happens."""

    def __init__(
        self,
        parts: Running,
        folder: Path | None = None,
        *,
        sentry: Sentry | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """With a `folder` it is one of a crew, which counts there together."""
        self._parts = parts
        self._sentry, self._telemetry = sentry, telemetry
        self.metrics = Metrics(folder)
        self.backlog = Backlog(parts.database)
        self.metrics.add(self.backlog)
        if telemetry is not None:
            _mirror(telemetry, self.metrics, self.backlog)

    def measured(self, application: ASGIApp) -> ASGIApp:
        """The application, its requests counted, and known when something goes wrong in them."""
        application = Measured(application, self.metrics, self._telemetry)
        if self._telemetry is not None:
            from tallymark.monitoring.tracing import Traced

            application = Traced(application, self._telemetry)
        if self._sentry is not None:
            from tallymark.monitoring.reports import Reported

            application = Reported(application)
        return application

    def internal_app(self, mounts: Sequence[Mount] = ()) -> Starlette:
        """What the internal listener answers."""
        return make_internal_app(self._parts, self.metrics, self.backlog, look=self.look, mounts=mounts)

    def look(self) -> None:
        """Take over what others count for themselves, and how full things are."""
        intake, courier = self._parts.intake, self._parts.courier
        self.metrics.note_events(intake.tally, waiting=intake.waiting)
        self.metrics.note_webhooks(courier.tally, given_up=courier.given_up)
        pool = self._parts.database.engine.sync_engine.pool
        assert isinstance(pool, QueuePool), "the engine was made with a pool"
        self.metrics.note_pool(pool)

    async def keep_looking(self, stop: asyncio.Event) -> None:
        """Look every second until `stop` is set: whoever is asked for a crew's metrics reads what each left."""
        while not stop.is_set():
            self.look()
            if self._telemetry is not None:
                await self.backlog.refresh()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def around_job(self, call_next: AsyncCallNext, context: JobContext, worker: Worker) -> Any:
        """Count a job and how long it took, and know it when something goes wrong in it."""
        if self._telemetry is not None:
            from tallymark.monitoring import tracing

            call_next = partial(tracing.around_job, self._telemetry, call_next, context)
        if self._sentry is not None:
            from tallymark.monitoring import reports

            call_next = partial(reports.around_job, self._sentry, call_next, context, worker)
        began, outcome = perf_counter(), "failed"
        try:
            result = await call_next()
            outcome = "succeeded"
            return result
        finally:
            seconds = perf_counter() - began
            self.metrics.note_job(context.job.task_name, outcome, seconds, ended_at=time())
            if self._telemetry is not None:
                self._telemetry.note_job(context.job.task_name, seconds)


@contextmanager
def watching(
    settings: Settings, parts: Running, *, process: str, folder: Path | None = None
) -> Iterator[Watch]:
    """Watch this process for as long as the context is open; what is told to others is sent before it ends."""
    with ExitStack() as ends:
        sentry, telemetry = None, None
        if settings.sentry_dsn is not None:
            from tallymark.monitoring.reports import reporting

            sentry = ends.enter_context(reporting(settings, process))
        if settings.otlp_endpoint is not None:
            telemetry = ends.enter_context(_telling(settings, parts, process))
        yield Watch(parts, folder, sentry=sentry, telemetry=telemetry)


@contextmanager
def _telling(settings: Settings, parts: Running, process: str) -> Iterator[Telemetry | None]:
    from tallymark.integrations.telemetry import Telemetry, is_disabled

    if settings.otlp_endpoint is None or is_disabled():
        yield None
        return
    if "grpc" in os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", ""):
        raise StartupError(
            "OTLP goes over HTTP here: OTEL_EXPORTER_OTLP_PROTOCOL can be http/protobuf, port 4318"
        )
    telemetry = Telemetry(
        settings.otlp_endpoint,
        headers=settings.otlp_headers,
        version=__version__,
        process=process,
        buckets=(REQUEST_SECONDS, JOB_SECONDS),
    )
    root = logging.getLogger()
    root.addHandler(telemetry.handler)
    try:
        engine = parts.database.engine.sync_engine
        with (
            telemetry.tracing_statements(engine),
            telemetry.tracing_intake(parts.intake),
            telemetry.tracing_calls(),
        ):
            yield telemetry
    finally:
        root.removeHandler(telemetry.handler)
        telemetry.close()


def _mirror(telemetry: Telemetry, metrics: Metrics, backlog: Backlog) -> None:
    """Have what is counted for Prometheus told by OTLP, under the same names."""
    known = list(metrics.own.collect())
    counters = {f"{one.name}_total": one.documentation for one in known if one.type == "counter"}
    gauges = {one.name: one.documentation for one in known if one.type == "gauge"}
    gauges |= {one.name: one.documentation for one in backlog.collect()}
    gauges |= {name: meaning for name, (meaning, _) in GAUGES.items()}
    telemetry.mirror(counters, gauges, _Snapshot(metrics, backlog))


class _Snapshot:
    """The samples of all metrics, taken together once for those who ask at the same time."""

    def __init__(self, metrics: Metrics, backlog: Backlog) -> None:
        self._metrics, self._backlog = metrics, backlog
        self._taken_at: float | None = None
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}

    def __call__(self) -> Mapping[str, Iterable[tuple[Mapping[str, str], float]]]:
        if self._taken_at is None or monotonic() - self._taken_at > LOOK_SECONDS:
            found: dict[str, list[tuple[Mapping[str, str], float]]] = {}
            for family in (*self._metrics.own.collect(), *self._backlog.collect()):
                for sample in family.samples:
                    found.setdefault(sample.name, []).append((sample.labels, sample.value))
            self._samples, self._taken_at = found, monotonic()
        return self._samples
