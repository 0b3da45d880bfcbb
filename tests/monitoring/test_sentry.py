"""Errors at Sentry: each once, from wherever it comes, with what it was and nothing of what was in it."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import httpx
import pytest
import structlog
from sqlalchemy import text

from tallymark.jobs.queue import Job, enqueue
from tallymark.logs import configure_logs
from tallymark.monitoring.reports import reporting
from tallymark.monitoring.watching import Watch
from tallymark.settings import Settings
from tallymark.worker import run_worker

SECRET = "hunter2-and-ada@acme.test"
"""Put wherever it could get into an event from."""


class Project:
    """A project at a Sentry of this machine: what it was sent."""

    def __init__(self) -> None:
        self.envelopes: list[bytes] = []
        taken = self.envelopes

        class Ingest(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                taken.append(
                    gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                )
                self.send_response(200)
                self.send_header("access-control-allow-origin", "*")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Ingest)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.dsn = f"http://public@127.0.0.1:{self._server.server_port}/1"

    def items(self, kind: str) -> list[dict]:
        """The items of a kind in the order in which they came."""
        found = []
        for envelope in self.envelopes:
            lines = envelope.split(b"\n")[1:]
            for head, payload in zip(lines[::2], lines[1::2], strict=False):
                if head and json.loads(head)["type"] == kind:
                    found.append(json.loads(payload))
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def project():
    made = Project()
    yield made
    made.close()


@pytest.fixture
def logs():
    """The log as production has it; the loggers of modules keep nothing of it."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), root.handlers[:], root.level
    root.handlers = []
    configure_logs(level="info", style="json")
    structlog.configure(cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)
    root.handlers, root.level = handlers, level


@pytest.fixture
def sentry(project, logs):
    """Reports, all of which have been sent when `sentry.sent()` returns."""
    settings = Settings(sentry_dsn=project.dsn, sentry_environment="test")
    with reporting(settings, "up") as made:
        assert made is not None
        yield SimpleNamespace(
            sentry=made, sent=lambda: made._client.flush(timeout=5), events=lambda: project.items("event")
        )


@pytest.fixture
def outside(application, sentry):
    asgi = Watch(application, sentry=sentry.sentry).measured(application.asgi)
    transport = httpx.ASGITransport(asgi, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1")


class Keeping(logging.Handler):
    """A handler that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class TestRequests:
    async def test_an_error_arrives_once_with_what_it_was(
        self, outside, make_organization, sentry, monkeypatch
    ):
        organization = await make_organization()

        async def broken(*_, **__):
            password = SECRET  # noqa: F841 - a local that a traceback could show
            raise ValueError(f"could not charge {SECRET}")

        monkeypatch.setattr("tallymark.rooms.customers.routes.service.get_customer", broken)
        request_id = str(uuid4())
        answer = await outside.get(
            f"/customers/{SECRET}?note={SECRET}",
            headers={
                "Authorization": f"Bearer {organization.api_key}",
                "X-Request-Id": request_id,
                "X-Secret": SECRET,
                "Cookie": f"session={SECRET}",
            },
        )
        assert answer.status_code == 500
        sentry.sent()
        (event,) = sentry.events()
        assert event["tags"] == {
            "process": "up",
            "method": "GET",
            "route": "/api/v1/customers/{external_id}",
            "request_id": request_id,
            "organization_id": str(organization.id),
        }
        assert (event["environment"], event["level"]) == ("test", "error")
        assert event["release"].startswith("tallymark@")
        (value,) = event["exception"]["values"]
        assert (value["type"], value["value"]) == ("ValueError", "(withheld: see the log)")
        assert value["stacktrace"]["frames"][-1]["function"] == "broken"
        assert_nothing_leaked(event, organization)

    async def test_an_error_is_logged_once_with_the_id_that_its_answer_names(
        self, outside, make_organization, sentry, monkeypatch
    ):
        """The server gets it after that, and tells of exceptions in its own way: of others it still does."""
        organization = await make_organization()
        outside.headers["Authorization"] = f"Bearer {organization.api_key}"
        failed = ValueError("of ours")
        monkeypatch.setattr(
            "tallymark.rooms.customers.routes.service.get_customer", AsyncMock(side_effect=failed)
        )
        handler = Keeping()
        logging.getLogger().addHandler(handler)
        try:
            answer = await outside.get("/customers/c")
            for error in (failed, RuntimeError("of the server's")):
                logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
        finally:
            logging.getLogger().removeHandler(handler)
        assert answer.status_code == 500
        ours, servers = [record for record in handler.records if record.levelno == logging.ERROR]
        assert ours.msg["event"] == "request failed"
        assert ours.msg["request_id"] == answer.headers["X-Request-Id"]
        assert str(servers.exc_info[1]) == "of the server's"

    async def test_a_statement_keeps_its_parameters_for_itself(
        self, outside, make_organization, sentry, database
    ):
        organization = await make_organization()
        async with database.system() as connection:
            await connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                    " $$ BEGIN RAISE EXCEPTION 'no %', NEW.name USING ERRCODE = '23514', CONSTRAINT = 'customers_check'; END $$"
                )
            )
            await connection.execute(
                text(
                    "CREATE TRIGGER refuse BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION refuse()"
                )
            )
        try:
            answer = await outside.post(
                "/customers",
                json={"customer": {"external_id": SECRET, "name": SECRET, "email": "ada@acme.test"}},
                headers={"Authorization": f"Bearer {organization.api_key}"},
            )
        finally:
            async with database.system() as connection:
                await connection.execute(text("DROP TRIGGER refuse ON customers"))
        assert answer.status_code == 500
        sentry.sent()
        (event,) = sentry.events()
        assert (event["tags"]["sqlstate"], event["tags"]["constraint"]) == ("23514", "customers_check")
        assert event["tags"]["route"] == "/api/v1/customers"
        assert_nothing_leaked(event, organization)

    async def test_what_a_client_did_wrong_is_none(self, outside, make_organization, sentry):
        organization = await make_organization()
        for path in ("/customers/nobody", "/nowhere"):
            await outside.get(path, headers={"Authorization": f"Bearer {organization.api_key}"})
        assert (await outside.get("/customers")).status_code == 401
        sentry.sent()
        assert sentry.events() == []


def assert_nothing_leaked(event, organization):
    whole = json.dumps(event)
    for secret in (SECRET, "hunter2", "ada@acme.test", organization.api_key):
        assert secret not in whole
    allowed = {
        "event_id",
        "timestamp",
        "level",
        "platform",
        "release",
        "environment",
        "sdk",
        "logger",
        "tags",
        "exception",
    }
    assert event.keys() <= allowed
    frames = [frame for value in event["exception"]["values"] for frame in value["stacktrace"]["frames"]]
    assert all("vars" not in frame and not frame["filename"].startswith("/") for frame in frames)


class TestJobs:
    async def test_a_failed_job_and_a_failed_task_of_the_schedule_arrive_once(
        self, application, database, make_organization, sentry, project
    ):
        organization = await make_organization()

        async def fail_to_render(**_):
            raise LookupError(SECRET)

        async def fail_to_follow():
            assert database is None, "the mark of a follower is where it was"

        async def nothing(**_):
            pass

        names = application.tasks.__dataclass_fields__
        tasks: Any = SimpleNamespace(**dict.fromkeys(names, nothing))
        tasks.render_document, tasks.follow_events = fail_to_render, fail_to_follow
        watch, stop = Watch(application, sentry=sentry.sentry), asyncio.Event()
        async with database.system() as connection:
            arguments = {"organization_id": str(organization.id), "invoice_id": str(uuid4())}
            await enqueue(connection, Job(task="render_document", arguments=arguments))
        working = asyncio.create_task(
            run_worker(database, tasks=tasks, concurrency=2, stop=stop, around=(watch.around_job,))
        )
        ended = {"tallymark-follow-events": "error", "tallymark-retry-stalled-jobs": "ok"}
        for _ in range(200):
            await asyncio.sleep(0.05)
            sentry.sent()
            told = {one["monitor_slug"]: one["status"] for one in project.items("check_in")}
            if ended.items() <= told.items() and len(sentry.events()) >= 2:
                break
        stop.set()
        await working
        sentry.sent()
        by_task = {event["tags"]["task"]: event for event in sentry.events()}
        assert len(sentry.events()) == len(by_task) == 2
        rendered, followed = by_task["render_document"], by_task["follow_events"]
        assert rendered["tags"]["organization_id"] == str(organization.id)
        assert rendered["exception"]["values"][-1]["type"] == "LookupError"
        assert rendered["level"] == "warning", "it is tried again"
        assert SECRET not in json.dumps(rendered)
        assert followed["level"] == "error"
        assert ended.items() <= told.items()
        check_ins = project.items("check_in")
        (begun, failed) = [one for one in check_ins if one["monitor_slug"] == "tallymark-follow-events"][:2]
        assert (begun["status"], failed["status"]) == ("in_progress", "error")
        assert begun["check_in_id"] == failed["check_in_id"]
        assert begun["monitor_config"]["schedule"] == {"type": "crontab", "value": "* * * * *"}


class TestLogs:
    def test_an_error_without_an_exception_is_told_by_our_own_words(self, sentry):
        structlog.get_logger("tallymark.crew").error("a process of the api ended", process=7, password=SECRET)
        logging.getLogger("somebody.elses").error("no luck with %s", SECRET)
        sentry.sent()
        ours, others = sentry.events()
        assert ours["logentry"]["message"] == "a process of the api ended"
        assert ours["tags"] == {"process": "7"}
        assert others["logentry"]["message"] == "a message of somebody.elses"
        assert SECRET not in json.dumps([ours, others])

    def test_an_assertion_of_ours_says_what_must_hold(self, sentry):
        from tallymark.integrations.sentry import slug_of

        namespace: dict[str, Any] = {"__name__": "tallymark.rooms.invoices.model"}
        exec("def check():\n    assert 1 > 2, 'a total is the sum of its parts'", namespace)
        try:
            namespace["check"]()
        except AssertionError:
            structlog.get_logger("tallymark.rooms").exception("wrong")
        sentry.sent()
        (event,) = sentry.events()
        assert event["exception"]["values"][-1]["value"] == "a total is the sum of its parts"
        assert slug_of("keep_months") == "tallymark-keep-months"

    def test_without_a_project_nobody_is_told(self, logs):
        with reporting(Settings(), "up") as none:
            assert none is None
