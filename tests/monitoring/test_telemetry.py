"""Traces, metrics and logs, as a receiver of OTLP understands them."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests import kit

from tallymark.db.errors import StartupError
from tallymark.integrations.telemetry import Telemetry
from tallymark.integrations.webhooks import WebhookPost
from tallymark.jobs.queue import Job, enqueue
from tallymark.monitoring.metrics import JOB_SECONDS, REQUEST_SECONDS
from tallymark.monitoring.watching import Watch, watching
from tallymark.rooms.webhooks.jobs import Courier, Terms
from tallymark.settings import Settings
from tallymark.worker import run_worker

MESSAGES: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class Receiver:
    """Takes OTLP over HTTP, and keeps what it understood."""

    def __init__(self) -> None:
        self.taken: list = []
        self.headers: list = []
        own = self

        class Collector(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                own.headers.append(dict(self.headers))
                if self.headers["content-type"] == "application/x-protobuf":
                    own.taken.append(MESSAGES[self.path].FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list:
        requests = [one for one in self.taken if isinstance(one, ExportTraceServiceRequest)]
        return [
            span
            for one in requests
            for of in one.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> dict:
        requests = [one for one in self.taken if isinstance(one, ExportMetricsServiceRequest)]
        return {
            metric.name: metric
            for one in requests
            for of in one.resource_metrics
            for scope in of.scope_metrics
            for metric in scope.metrics
        }

    @property
    def logs(self) -> list:
        requests = [one for one in self.taken if isinstance(one, ExportLogsServiceRequest)]
        return [
            record
            for one in requests
            for of in one.resource_logs
            for scope in of.scope_logs
            for record in scope.log_records
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def telemetry(receiver, application):
    made = Telemetry(
        receiver.url,
        headers="api-key=secret",
        version="9.9.9",
        process="up",
        buckets=(REQUEST_SECONDS, JOB_SECONDS),
    )
    engine = application.database.engine.sync_engine
    with made.tracing_statements(engine), made.tracing_intake(application.intake), made.tracing_calls():
        yield made
    made.close()


@pytest.fixture
def watch(application, telemetry):
    return Watch(application, telemetry=telemetry)


@pytest.fixture
def outside(application, watch):
    asgi = watch.measured(application.asgi)
    transport = httpx.ASGITransport(asgi, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1")


def attributes_of(one):
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in one.attributes}


class TestTraces:
    async def test_a_request_its_statements_and_the_job_that_it_leaves_are_one(
        self, outside, application, database, make_organization, receiver, telemetry
    ):
        organization = await make_organization()
        caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        answer = await outside.post(
            "/customers",
            json={"customer": {"external_id": "zarathustra", "email": "zarathustra@acme.test"}},
            headers={"Authorization": f"Bearer {organization.api_key}", "traceparent": caller},
        )
        assert answer.status_code == 200
        telemetry.flush()
        (request,) = [span for span in receiver.spans if span.kind == span.SPAN_KIND_SERVER]
        assert request.name == "POST /api/v1/customers"
        assert request.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
        assert request.parent_span_id.hex() == "b7ad6b7169203331"
        assert attributes_of(request) == {
            "http.request.method": "POST",
            "http.route": "/api/v1/customers",
            "http.response.status_code": 200,
            "tallymark.organization_id": str(organization.id),
        }
        statements = [span for span in receiver.spans if span.name == "INSERT"]
        assert any("INSERT INTO customers" in attributes_of(span)["db.query.text"] for span in statements)
        assert {span.trace_id for span in receiver.spans} == {request.trace_id}
        assert b"zarathustra" not in b"".join(one.SerializeToString() for one in receiver.taken), "no values"

    async def test_events_are_stored_within_the_trace_of_their_request(
        self, outside, make_organization, receiver, telemetry
    ):
        organization = await make_organization()
        event = {"transaction_id": "zarathustra", "code": "calls", "external_subscription_id": "s"}
        answer = await outside.post(
            "/events", json={"event": event}, headers={"Authorization": f"Bearer {organization.api_key}"}
        )
        assert answer.status_code == 200
        telemetry.flush()
        (request,) = [span for span in receiver.spans if span.kind == span.SPAN_KIND_SERVER]
        (stored,) = [span for span in receiver.spans if span.name == "store events"]
        assert request.name == "POST /api/v1/events"
        assert (stored.trace_id, stored.parent_span_id) == (request.trace_id, request.span_id)
        assert attributes_of(stored)["tallymark.events"] == "1"

    async def test_a_job_goes_on_with_the_trace_of_the_request(
        self, application, database, make_organization, receiver, telemetry
    ):
        organization = await make_organization()
        done = asyncio.Event()

        async def export(**arguments):
            assert arguments.keys() == {"organization_id", "export_id"}, "a task knows nothing of traces"
            async with httpx.AsyncClient() as client:
                await client.post(f"{receiver.url}/v1/traces", content=b"")
            done.set()

        async def nothing(**_):
            pass

        tasks: Any = SimpleNamespace(**dict.fromkeys(application.tasks.__dataclass_fields__, nothing))
        tasks.export_data = export

        async def leave_a_job(scope: Any, receive: Any, send: Any) -> None:
            async with database.system() as connection:
                arguments = {"organization_id": str(organization.id), "export_id": str(uuid4())}
                await enqueue(connection, Job(task="export_data", arguments=arguments))
            await send({"type": "http.response.start", "status": 202, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        leave_a_job.state = application.asgi.state  # type: ignore[attr-defined]
        watch, stop = Watch(application, telemetry=telemetry), asyncio.Event()
        transport = httpx.ASGITransport(watch.measured(leave_a_job))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.post("/exports")
        working = asyncio.create_task(
            run_worker(database, tasks=tasks, concurrency=1, stop=stop, around=(watch.around_job,))
        )
        await asyncio.wait_for(done.wait(), 20)
        stop.set()
        await working
        telemetry.flush()
        (request,) = [span for span in receiver.spans if span.kind == span.SPAN_KIND_SERVER]
        (job,) = [span for span in receiver.spans if span.name == "job export_data"]
        (call,) = [
            span for span in receiver.spans if span.name == "POST" and span.kind == span.SPAN_KIND_CLIENT
        ]
        assert (job.trace_id, job.parent_span_id) == (request.trace_id, request.span_id)
        assert (call.trace_id, call.parent_span_id) == (job.trace_id, job.span_id)
        sent = [head["traceparent"] for head in receiver.headers if "traceparent" in head]
        assert sent == [f"00-{job.trace_id.hex()}-{call.span_id.hex()}-03"], "the receiver is told"

    async def test_a_webhook_belongs_to_the_trace_of_what_it_tells_of(
        self, outside, application, database, make_organization, receiver, telemetry
    ):
        organization = await make_organization()
        endpoint = {"webhook_url": f"{receiver.url}/v1/logs", "signature_algo": "hmac"}
        await kit.post(organization.client, "/webhook_endpoints", {"webhook_endpoint": endpoint})
        await outside.post(
            "/customers",
            json={"customer": {"external_id": "zarathustra"}},
            headers={"Authorization": f"Bearer {organization.api_key}"},
        )
        own = application.courier
        terms = Terms(attempts=1, lost_after=timedelta(minutes=1), clock=lambda: datetime.now(UTC))
        post = WebhookPost(timeout_seconds=5, allows_private=True)
        courier = Courier(database, post=post, signer=own._signer, site=own._site, terms=terms)
        await asyncio.create_task(courier.deliver(organization.id))
        telemetry.flush()
        (request,) = [span for span in receiver.spans if span.kind == span.SPAN_KIND_SERVER]
        (call,) = [
            span for span in receiver.spans if span.name == "POST" and span.kind == span.SPAN_KIND_CLIENT
        ]
        assert (call.trace_id, call.parent_span_id) == (request.trace_id, request.span_id)
        (sent,) = [head for head in receiver.headers if "X-Lago-Signature" in head]
        assert sent["traceparent"].split("-")[1:3] == [call.trace_id.hex(), call.span_id.hex()]

    async def test_an_error_of_ours_is_marked_without_its_text(self, application, receiver, telemetry):
        async def broken(scope, receive, send):
            raise ValueError("ada@acme.test")

        broken.state = application.asgi.state  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(
            Watch(application, telemetry=telemetry).measured(broken), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/x")
        telemetry.flush()
        (span,) = receiver.spans
        assert span.status.code == span.status.STATUS_CODE_ERROR
        assert b"ada@acme.test" not in span.SerializeToString()


class TestMetrics:
    async def test_are_those_of_prometheus(self, outside, watch, make_organization, receiver, telemetry):
        organization = await make_organization()
        await outside.get("/customers", headers={"Authorization": f"Bearer {organization.api_key}"})
        watch.look()
        telemetry.flush()
        told = receiver.metrics
        (requests,) = told["tallymark_http_requests_total"].sum.data_points
        assert attributes_of(requests) == {"method": "GET", "route": "/api/v1/customers", "status": "2xx"}
        assert requests.as_double == 1
        (seconds,) = told["tallymark_http_request_duration_seconds"].histogram.data_points
        assert (seconds.count, list(seconds.explicit_bounds)) == (1, list(REQUEST_SECONDS))

    async def test_what_waits_is_told_too(self, watch, receiver, telemetry):
        await watch.backlog.refresh()
        telemetry.flush()
        (up,) = receiver.metrics["tallymark_database_up"].gauge.data_points
        assert up.as_int == 1
        kinds = {
            attributes_of(one)["kind"] for one in receiver.metrics["tallymark_due_work"].gauge.data_points
        }
        assert "bill_period" in kinds


class TestLogs:
    def test_tell_what_the_log_tells_with_its_trace(self, receiver, telemetry):
        from opentelemetry.trace import SpanKind

        record = logging.LogRecord(
            "tallymark.worker", logging.WARNING, "", 0, {"event": "job failed", "attempt": 2}, (), None
        )
        with telemetry.span("job x", SpanKind.CONSUMER, {}) as span:
            telemetry.handler.handle(record)
        telemetry.flush()
        (log,) = receiver.logs
        assert (log.body.string_value, log.severity_text) == ("job failed", "WARN")
        assert attributes_of(log) == {"attempt": 2, "logger": "tallymark.worker"}
        assert log.trace_id == span.get_span_context().trace_id.to_bytes(16)


class TestSettings:
    async def test_an_endpoint_is_enough(self, application, receiver, monkeypatch):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=licence")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
        with watching(Settings(), application, process="api") as watch:
            await watch.backlog.refresh()
        assert {head.get("Api-Key") or head.get("api-key") for head in receiver.headers} == {"licence"}
        (resource,) = [
            of.resource
            for one in receiver.taken
            if isinstance(one, ExportMetricsServiceRequest)
            for of in one.resource_metrics
        ][:1]
        named = attributes_of(resource)
        assert named["service.name"] == "tallymark"
        assert named["tallymark.process"] == "api"
        assert named["deployment.environment.name"] == "staging"

    async def test_without_one_nothing_is_sent_and_nothing_is_in_the_way(self, application, monkeypatch):
        monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
        plain = httpx.AsyncHTTPTransport.handle_async_request
        with watching(Settings(), application, process="api") as watch:
            assert httpx.AsyncHTTPTransport.handle_async_request is plain
            assert watch._telemetry is None

    async def test_a_signal_can_be_kept_back(self, application, receiver, monkeypatch):
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        logger = logging.getLogger("tallymark.test")
        with watching(Settings(otlp_endpoint=receiver.url), application, process="api"):
            logger.warning("something")
        assert (receiver.metrics, [log.body.string_value for log in receiver.logs]) == ({}, ["something"])

    async def test_a_protocol_that_is_not_spoken_is_told(self, application, monkeypatch):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        with (
            pytest.raises(StartupError, match="http/protobuf"),
            watching(Settings(otlp_endpoint="http://collector:4317"), application, process="api"),
        ):
            pass

    async def test_the_environment_can_switch_it_off(self, application, receiver, monkeypatch):
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        with watching(Settings(otlp_endpoint=receiver.url), application, process="api") as watch:
            assert watch._telemetry is None
        assert receiver.taken == []


async def test_work_outside_of_a_request_makes_no_spans(database, receiver, telemetry, make_organization):
    organization = await make_organization()
    await kit.get(organization.client, "/customers")
    telemetry.flush()
    assert receiver.spans == []
