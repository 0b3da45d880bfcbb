"""Traces, metrics and logs told by OTLP over HTTP, as OpenTelemetry has it; New Relic and every collector take them.

Spans name routes, tasks, hosts and statements with their parameters left out: never addresses that were asked, bodies, or values.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from time import monotonic
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tallymark.jobs import tracing
from tallymark.metering.intake import Intake, Row
from tallymark.metering.rules import UNKNOWN
from tallymark.metering.senders import Sender

CLOSING_SECONDS = 3.0
"""How long the end of a process waits at most until the last of it is sent."""

LONGEST_STATEMENT = 2_000
"""Characters of a statement that a span shows."""

_SPAN = "tallymark span"
_CARRIER = TraceContextTextMapPropagator()

Samples = Callable[[], Mapping[str, Iterable[tuple[Mapping[str, str], float]]]]
"""The samples of every metric that is counted elsewhere, by name."""


class Telemetry:
    """Where a process sends what it observes about itself."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: str | None,
        version: str,
        process: str,
        buckets: tuple[Sequence[float], Sequence[float]],
    ) -> None:
        """`buckets` are the bounds, in seconds, of the histograms of requests and of jobs."""
        own = {
            "service.name": "tallymark",
            "service.version": version,
            "service.instance.id": str(uuid4()),
            "tallymark.process": process,
        }
        # What the environment says of the service wins.
        resource = Resource.create(
            {name: value for name, value in own.items() if name not in _named_outside()}
        )
        given = _read_headers(headers)

        def options(signal: str) -> dict[str, Any]:
            if os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"):
                return {"headers": given}
            return {"endpoint": f"{endpoint.rstrip('/')}/v1/{signal}", "headers": given}

        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        readers = []
        if _is_wanted("traces"):
            self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options("traces"))))
        if _is_wanted("metrics"):
            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(**options("metrics"))))
        if _is_wanted("logs"):
            self._logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options("logs"))))
        self._metrics = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
        self._tracer = self._traces.get_tracer("tallymark", version)
        self.handler = _Handler(self._logs, version)
        meter = self._metrics.get_meter("tallymark", version)
        self._meter = meter
        self._request_seconds = meter.create_histogram(
            "tallymark_http_request_duration_seconds",
            unit="s",
            description="How long requests take.",
            explicit_bucket_boundaries_advisory=list(buckets[0]),
        )
        self._job_seconds = meter.create_histogram(
            "tallymark_job_duration_seconds",
            unit="s",
            description="How long jobs take.",
            explicit_bucket_boundaries_advisory=list(buckets[1]),
        )

    def flush(self) -> None:
        """Send what there is."""
        self._traces.force_flush()
        self._metrics.force_flush()
        self._logs.force_flush()

    def close(self) -> None:
        """Send what is still to be sent; where nobody takes it, the end does not wait for long."""
        ends = [
            Thread(target=provider.shutdown, daemon=True)
            for provider in (self._traces, self._metrics, self._logs)
        ]
        for end in ends:
            end.start()
        until = monotonic() + CLOSING_SECONDS
        for end in ends:
            end.join(max(0.0, until - monotonic()))

    @contextmanager
    def span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str], *, parent: str | None = None
    ) -> Iterator[Span]:
        """A span that what happens inside belongs to; `parent` is a `traceparent`. An exception makes it an error."""
        context = _CARRIER.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as error:
                mark_failed(span, type(error).__name__)
                raise

    def note_request(self, method: str, route: str, seconds: float) -> None:
        """Add a request to the histogram."""
        self._request_seconds.record(seconds, {"method": method, "route": route})

    def note_job(self, task: str, seconds: float) -> None:
        """Add a job to the histogram."""
        self._job_seconds.record(seconds, {"task": task})

    def mirror(self, counters: Mapping[str, str], gauges: Mapping[str, str], samples: Samples) -> None:
        """Tell of metrics that are counted elsewhere: meanings by name, and where their samples are."""

        def observed(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
            def observe(_: CallbackOptions) -> Iterable[Observation]:
                return [Observation(value, dict(labels)) for labels, value in samples().get(name, ())]

            return observe

        for name, meaning in counters.items():
            self._meter.create_observable_counter(name, [observed(name)], description=meaning)
        for name, meaning in gauges.items():
            self._meter.create_observable_gauge(name, [observed(name)], description=meaning)

    @contextmanager
    def tracing_statements(self, engine: Engine) -> Iterator[None]:
        """Make a span of each statement that an engine runs for a request or a job that is traced."""

        def begin(
            connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: Any
        ) -> None:
            del connection, cursor, parameters, many
            if context is not None and trace.get_current_span().is_recording():
                attributes = {"db.system.name": "postgresql", "db.query.text": statement[:LONGEST_STATEMENT]}
                name = statement.split(None, 1)[0].upper() if statement.strip() else "statement"
                span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
                setattr(context, _SPAN, span)

        def end(
            connection: Any, cursor: Any, statement: Any, parameters: Any, context: Any, many: Any
        ) -> None:
            del connection, cursor, statement, parameters, many
            span: Span | None = getattr(context, _SPAN, None)
            if span is not None:
                span.end()

        def fail(failure: Any) -> None:
            span: Span | None = getattr(failure.execution_context, _SPAN, None)
            if span is not None:
                mark_failed(span, type(failure.original_exception).__name__)
                span.end()

        hooks: dict[str, Callable[..., Any]] = {
            "before_cursor_execute": begin,
            "after_cursor_execute": end,
            "handle_error": fail,
        }
        for name, hook in hooks.items():
            event.listen(engine, name, hook)
        try:
            yield
        finally:
            for name, hook in hooks.items():
                event.remove(engine, name, hook)

    @contextmanager
    def tracing_intake(self, intake: Intake) -> Iterator[None]:
        """Make a span of each wait of a request until its events are stored, on connections that no engine knows of."""
        plain = intake.store

        async def traced(
            rows: Sequence[Row], *, rules_version: int = UNKNOWN, sender: Sender | None = None
        ) -> frozenset[UUID]:
            attributes = {"db.system.name": "postgresql", "tallymark.events": str(len(rows))}
            with self.span("store events", SpanKind.CLIENT, attributes):
                return await plain(rows, rules_version=rules_version, sender=sender)

        intake.store = traced  # type: ignore[method-assign]  # stands in for as long as it is traced
        try:
            yield
        finally:
            intake.store = plain  # type: ignore[method-assign]  # stands in for as long as it is traced

    @contextmanager
    def tracing_calls(self) -> Iterator[None]:
        """Make a span of each call to the outside, and tell its receiver which trace it belongs to."""
        plain = httpx.AsyncHTTPTransport.handle_async_request

        async def traced(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            host = request.headers.get("host") or request.url.host
            attributes = {"http.request.method": request.method, "server.address": host.partition(":")[0]}
            # What is delivered for somebody else belongs to the trace that it came with.
            parent = None if trace.get_current_span().is_recording() else tracing.current.get()
            with self.span(request.method, SpanKind.CLIENT, attributes, parent=parent) as span:
                _CARRIER.inject(request.headers)
                response = await plain(transport, request)
                span.set_attribute("http.response.status_code", response.status_code)
                if response.status_code >= 400:
                    mark_failed(span, str(response.status_code))
                return response

        httpx.AsyncHTTPTransport.handle_async_request = traced  # type: ignore[method-assign, assignment]  # stands in for as long as it is traced
        try:
            yield
        finally:
            httpx.AsyncHTTPTransport.handle_async_request = plain  # type: ignore[method-assign]  # stands in for as long as it is traced


def traceparent_of(span: Span) -> str | None:
    """The span as others are told of it."""
    carrier: dict[str, str] = {}
    _CARRIER.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent")


def mark_failed(span: Span, kind: str) -> None:
    """Note that what a span is of has failed, and with what kind of error: not its text, which may name somebody."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


def is_disabled() -> bool:
    """Whether the environment switches OpenTelemetry off."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _is_wanted(signal: str) -> bool:
    """Whether the environment lets a signal be told: `OTEL_TRACES_EXPORTER=none` keeps traces back."""
    return os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip().lower() != "none"


def _named_outside() -> set[str]:
    """What the environment says about the service by itself."""
    pairs = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")
    named = {pair.partition("=")[0].strip() for pair in pairs}
    return named | ({"service.name"} if os.environ.get("OTEL_SERVICE_NAME") else set())


def _read_headers(text: str | None) -> dict[str, str] | None:
    """Headers as `OTEL_EXPORTER_OTLP_HEADERS` has them; None where there are none.

    >>> _read_headers("api-key=abc, x-team = billing")
    {'api-key': 'abc', 'x-team': 'billing'}
    """
    if not text:
        return None
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs if name.strip()}


class _Handler(logging.Handler):
    """Hands the log on as it is: the event is the body, what it is about are attributes."""

    def __init__(self, provider: LoggerProvider, version: str) -> None:
        super().__init__(level=logging.INFO)
        self._logger = provider.get_logger("tallymark", version)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("opentelemetry", "urllib3", "requests")):
            return  # what tells of its own sending would tell for ever
        ours: Mapping[str, Any] = record.msg if isinstance(record.msg, dict) else {}
        attributes: dict[str, Any] = {
            name: value if isinstance(value, bool | int | float) else str(value)
            for name, value in ours.items()
            if name not in ("event", "exc_info", "level", "timestamp", "logger") and value is not None
        }
        attributes["logger"] = record.name
        error = _error_of(ours.get("exc_info") or record.exc_info)
        if error is not None:
            attributes["exception.type"] = type(error).__name__
            attributes["exception.message"] = str(error)
            attributes["exception.stacktrace"] = "".join(traceback.format_exception(error))
        self._logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_number=_severity(record.levelno),
                severity_text={"WARNING": "WARN", "CRITICAL": "FATAL"}.get(
                    record.levelname, record.levelname
                ),
                body=str(ours["event"]) if "event" in ours else record.getMessage(),
                attributes=attributes,
                context=trace.set_span_in_context(trace.get_current_span()),
            )
        )


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _severity(level: int) -> SeverityNumber:
    steps = (
        (logging.CRITICAL, SeverityNumber.FATAL),
        (logging.ERROR, SeverityNumber.ERROR),
        (logging.WARNING, SeverityNumber.WARN),
    )
    return next((number for least, number in steps if level >= least), SeverityNumber.INFO)
