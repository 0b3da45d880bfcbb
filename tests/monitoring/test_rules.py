"""Dashboards, alert rules and runbooks: they speak of metrics that there are, and fire where something is broken."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from sqlalchemy import text
from tests import kit

from tallymark.integrations.webhooks import WebhookPost
from tallymark.jobs.queue import Job, enqueue
from tallymark.monitoring.backlog import GAUGES
from tallymark.rooms.webhooks.jobs import Courier, Terms

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/monitoring/prometheus/alerts.yaml"
DRILL = ROOT / "deploy/monitoring/prometheus/drill"
RUNBOOKS = ROOT / "docs/runbooks"
DASHBOARDS = sorted((ROOT / "deploy/monitoring").glob("*/*.json"))

ELSEWHERE = {"up"}
"""Metrics that Prometheus makes by itself."""

ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def grafana_expressions():
    for path in DASHBOARDS:
        if path.parent.name == "grafana":
            board = json.loads(path.read_text())
            yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
            yield from (one["expr"] for one in board["annotations"]["list"])


def named_in(written):
    return set(re.findall(r"\b(?:tallymark|process)_[a-z_]+\b", written))


@pytest.fixture
async def told_names(watched):
    """Every name that is told, also of what nothing has happened to yet."""
    metrics = watched.watch.metrics
    metrics.note_request("GET", "/x", 200, 0.1)
    metrics.note_job("x", "succeeded", 0.1, ended_at=1)
    return (await watched.read()).names | GAUGES.keys()


class TestNames:
    async def test_of_rules_and_dashboards_are_told(self, told_names):
        for rule in ALERTS:
            assert named_in(rule["expr"]) | ELSEWHERE <= told_names | ELSEWHERE, rule["alert"]
        for path in DASHBOARDS:
            found = named_in(" ".join(json.dumps(json.loads(path.read_text())).split("\\n")))
            queried = {name for name in found if name not in {"tallymark_service", "tallymark_billing"}}
            # OTLP tells a histogram under one name, Prometheus its parts.
            whole = {name.removesuffix("_bucket") for name in told_names}
            assert queried <= told_names | whole, path.name

    def test_of_alerts_are_of_one_kind(self):
        names = [rule["alert"] for rule in ALERTS]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"Tallymark[A-Z][A-Za-z]+", name) for name in names)


class TestRunbooks:
    def test_there_is_one_for_each_alert_and_no_other(self):
        assert {path.stem for path in RUNBOOKS.glob("Tallymark*.md")} == {rule["alert"] for rule in ALERTS}
        listed = set(re.findall(r"\(([A-Za-z]+)\.md\)", (RUNBOOKS / "README.md").read_text()))
        assert listed >= {rule["alert"] for rule in ALERTS}

    @pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
    def test_an_alert_leads_to_it(self, rule):
        link = rule["annotations"]["runbook_url"]
        assert link.endswith(f"/docs/runbooks/{rule['alert']}.md")
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        written = (RUNBOOKS / f"{rule['alert']}.md").read_text()
        for part in ("**Fires when**", "**What it means.**", "## What to look at", "## What to do"):
            assert part in written

    async def test_what_it_has_one_ask_the_database_can_be_asked(self, database):
        """Statements that read are run as they stand; those that change are looked at by the planner."""
        asked = 0
        for path in RUNBOOKS.glob("Tallymark*.md"):
            for statement in re.findall(r"`((?:SELECT|UPDATE|DELETE) [^`]*);", path.read_text()):
                whole = (
                    statement.replace("pg_cancel_backend(pid)", "1")
                    .replace("'…'", "NULL")
                    .replace("…", "NULL")
                )
                async with database.system() as connection:
                    await connection.execute(text(f"EXPLAIN {whole}".replace(":", r"\:")))
                asked += 1
        assert asked > 10

    async def test_metrics_that_it_names_are_told(self, told_names):
        for path in RUNBOOKS.glob("*.md"):
            named = {name for name in named_in(path.read_text()) if name != "tallymark_webhooks"}
            assert named <= told_names | {name.removesuffix("_bucket") for name in told_names}, path.name


@pytest.fixture(scope="session")
def drill(tmp_path_factory):
    """Holds rules against what was scraped, by Prometheus' own engine."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed: nothing here evaluates PromQL")
    fetched = subprocess.run(
        ["go", "mod", "download"], cwd=DRILL, capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        pytest.skip(f"Prometheus' engine can't be had here: {fetched.stderr[-200:]}")
    built = tmp_path_factory.mktemp("drill") / "drill"
    subprocess.run(["go", "build", "-o", built, "."], cwd=DRILL, check=True)

    def run(scrapes, expressions=()):
        recording = json.dumps({"scrapes": scrapes, "expressions": list(expressions)})
        done = subprocess.run([built, RULES], input=recording, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class Receiver:
    """A receiver of webhooks that can go away."""

    def __init__(self):
        class Accepting(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def go_away(self):
        self._server.shutdown()
        self._server.server_close()


class Installation:
    """A Tallymark under a clock that we move, scraped every minute."""

    def __init__(self, application, organization, watched_of):
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.organization, self.database = organization, application.database
        own = application.courier
        terms = Terms(attempts=1, lost_after=timedelta(minutes=1), clock=lambda: self.now)
        post = WebhookPost(timeout_seconds=5, allows_private=True)
        self.courier = Courier(
            application.database, post=post, signer=own._signer, site=own._site, terms=terms
        )
        self.watched = watched_of(replace(application, courier=self.courier))
        self.watched.watch.backlog._clock = lambda: self.now
        self.works = True
        self.scrapes = []

    async def live(self, *, minutes):
        """Let minutes pass in which customers come, requests are answered, and workers work unless they were stopped."""
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            await self.watched.outside.get("/ready")
            await kit.customer(self.organization.client)
            if self.works:
                await self._work()
            told = await self.watched.inside.get("/metrics")
            self.watched.watch.backlog._read_at = None
            target = {"job": "tallymark", "instance": "one"}
            self.scrapes.append({"at": int(self.now.timestamp()), "labels": target, "text": told.text})

    async def _work(self):
        await self.courier.deliver(self.organization.id)
        async with self.database.system() as connection:
            await connection.execute(text("DELETE FROM procrastinate_periodic_defers"))
            for task in ("retry_stalled_jobs", "follow_events", "forget_logs"):
                await connection.execute(
                    text(
                        "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp) VALUES (:task, :at)"
                    ),
                    {"task": task, "at": int(self.now.timestamp())},
                )
            await connection.execute(text("UPDATE followers SET read_until = :at"), {"at": self.now})


@pytest.mark.timeout(600)
async def test_the_drill(application, make_organization, watched_of, drill):
    """Nothing fires while all is well. A receiver that dies is told of, and so is a worker that stops."""
    organization, receiver = await make_organization(), Receiver()
    endpoint = {"webhook_url": receiver.url, "signature_algo": "hmac"}
    await kit.post(organization.client, "/webhook_endpoints", {"webhook_endpoint": endpoint})
    installation = Installation(application, organization, watched_of)
    await installation.live(minutes=16)
    receiver_died = int(installation.now.timestamp())
    receiver.go_away()
    await installation.live(minutes=20)
    worker_stopped = int(installation.now.timestamp())
    installation.works = False
    async with application.database.system() as connection:
        await enqueue(connection, Job(task="send_email", arguments={}, run_at=installation.now))
    await installation.live(minutes=23)
    killed = int(installation.now.timestamp())
    gone = {"at": killed + 60, "labels": {"job": "tallymark", "instance": "one"}, "text": None}
    scrapes = [*installation.scrapes, gone, {**gone, "at": killed + 300}]
    report = await asyncio.to_thread(
        drill, scrapes, [one.replace("$__rate_interval", "5m") for one in grafana_expressions()]
    )
    assert report["invalid"] == {}

    def fired(since, until):
        return {one["alert"] for one in report["fired"] if since < one["at"] <= until}

    assert fired(0, receiver_died) == set()
    assert fired(receiver_died, worker_stopped) == {"TallymarkWebhooksFail", "TallymarkWebhooksGivenUp"}
    assert fired(worker_stopped, killed) == {
        "TallymarkWorkerStopped",
        "TallymarkQueueBehind",
        "TallymarkEventsNotFollowed",
        "TallymarkWebhooksBehind",
    }
    assert fired(killed, killed + 300) == {"TallymarkDown"}
