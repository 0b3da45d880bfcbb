"""What `/metrics` tells: requests by what they asked for, events by what became of them, and what waits in the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from tests import kit

from tallymark.jobs.agenda import Item, Kind, put
from tallymark.monitoring import backlog
from tallymark.monitoring.backlog import GAUGES, Backlog

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bearer(organization):
    return {"Authorization": f"Bearer {organization.api_key}"}


class TestRequests:
    async def test_are_counted_by_route_and_class_of_status(self, watched, make_organization):
        organization = await make_organization()
        for path in ("acme", "hooli", "a%2Fb"):
            await watched.outside.get(f"/api/v1/customers/{path}", headers=bearer(organization))
        form = {"customer[external_id]": "acme"}
        made = await watched.outside.post("/api/v1/customers", data=form, headers=bearer(organization))
        assert made.status_code == 200
        await watched.outside.get("/wp-login.php", headers={"accept": "application/json"})
        told = await watched.read()
        count = "tallymark_http_requests_total"
        customer = "/api/v1/customers/{external_id}"
        assert told(count, method="GET", route=customer, status="4xx") == 3
        assert told("tallymark_http_request_duration_seconds_count", method="GET", route=customer) == 3
        assert told(count, method="POST", route="/api/v1/customers", status="2xx") == 1
        assert told(count, route="none", status="4xx") == 1
        assert told(count) == 5, "each once, under no other name"

    async def test_no_label_has_what_a_caller_made_up(self, watched):
        for number in range(20):
            await watched.outside.request(f"BREW{number}", f"/coffee/{number}", headers={"accept": "x/y"})
        told = await watched.read()
        assert told("tallymark_http_requests_total", method="other", route="none") == 20


class TestEvents:
    async def test_are_counted_by_what_became_of_them(self, watched, make_organization):
        organization = await make_organization()
        before = await watched.read()
        event = {"code": "calls", "external_subscription_id": "s", "timestamp": 1_700_000_000}
        batch = {"events": [{**event, "transaction_id": f"t{number}"} for number in range(3)]}
        for status in (200, 422):
            answer = await watched.outside.post(
                "/api/v1/events/batch", json=batch, headers=bearer(organization)
            )
            assert answer.status_code == status
        told = await watched.read()

        def grown(outcome):
            name = "tallymark_events_total"
            return told(name, outcome=outcome) - before(name, outcome=outcome)

        assert (grown("stored"), grown("known"), grown("turned_away")) == (3, 3, 0)
        assert told("tallymark_http_requests_total", route="/api/v1/events/batch") == 2
        assert told("tallymark_unmatched_streams") >= 1, "nobody has the subscription"


class TestBacklog:
    async def test_due_late_and_parked_work(self, watched, database, make_organization):
        organization = await make_organization()
        simulated = await make_organization("2026-01-01T00:00:00Z")
        before = await read(database)
        owner, minute = uuid4(), timedelta(minutes=1)
        async with database.tenant(organization.id) as tx:
            await put(
                tx, item(Kind.BILL_PERIOD, owner, NOW - 10 * minute), item(Kind.BILL_PERIOD, uuid4(), NOW)
            )
            await put(tx, item(Kind.BILL_PERIOD, uuid4(), NOW + minute))
            await put(tx, parked := item(Kind.FINALIZE_INVOICE, owner, NOW - minute))
            await tx.execute(
                text("UPDATE agenda SET parked_at = :at WHERE subject_id = :id"),
                {"at": NOW - 30 * minute, "id": parked.subject_id},
            )
        async with database.tenant(simulated.id, is_simulated=True) as tx:
            await put(tx, item(Kind.BILL_PERIOD, uuid4(), NOW - timedelta(days=1)))
        after = await read(database)

        def grown(name, *labels):
            return after.values[name][labels] - before.values[name].get(labels, 0)

        assert grown("tallymark_due_work", "bill_period") == 2
        assert grown("tallymark_late_work", "bill_period") == 1
        assert grown("tallymark_due_work_oldest_seconds", "bill_period") == 600
        assert grown("tallymark_parked_work", "finalize_invoice") == 1
        assert grown("tallymark_parked_customers") == 1
        assert grown("tallymark_parked_work_oldest_seconds") == 1800
        async with database.tenant(organization.id) as tx:
            await tx.execute(text("DELETE FROM agenda"))

    async def test_jobs_by_task_and_the_age_of_the_oldest(self, database):
        async with database.system() as connection:
            await connection.execute(
                text("SELECT tallymark_enqueue('send_email', '{}', NULL, :at)"),
                {"at": NOW - timedelta(minutes=7)},
            )
        told = await read(database)
        assert told.values["tallymark_queue_jobs"]["send_email", "todo"] == 1
        assert told.values["tallymark_queue_oldest_seconds"][()] == 420

    async def test_webhooks_that_wait(self, database, make_organization):
        organization = await make_organization()
        await kit.post(
            organization.client,
            "/webhook_endpoints",
            {"webhook_endpoint": {"webhook_url": "https://acme.test/hook", "signature_algo": "hmac"}},
        )
        await kit.customer(organization.client)
        told = await read(database)
        assert told.values["tallymark_outbox_messages"][()] >= 1
        assert told.values["tallymark_outbox_put_aside"][()] == 0

    async def test_every_gauge_has_its_meaning_and_is_told_where_nothing_waits(self, watched):
        told = await watched.read()
        needs_rows = {"tallymark_queue_jobs", "tallymark_scheduled_task_last_run_timestamp_seconds"}
        assert GAUGES.keys() - needs_rows <= told.names
        assert told("tallymark_database_up") == 1

    async def test_is_read_once_for_all_who_ask_within_a_while(self, application, monkeypatch):
        clock = [100.0]
        monkeypatch.setattr(backlog, "monotonic", lambda: clock[0])
        readings = []

        async def counted(connection, *, now):
            readings.append(now)
            return backlog.Reading(is_complete=True)

        monkeypatch.setattr(backlog, "read_backlog", counted)
        asked = Backlog(application.database)
        await asyncio.gather(*(asked.refresh() for _ in range(5)))
        clock[0] += 14
        await asked.refresh()
        assert len(readings) == 1
        clock[0] += 1
        await asked.refresh()
        assert len(readings) == 2

    async def test_without_a_database_the_rest_is_told(self, watched, monkeypatch):
        await watched.outside.get("/ready")

        def away():
            raise ConnectionRefusedError

        monkeypatch.setattr(watched.watch.backlog._database, "system", away)
        told = await watched.read()
        assert told("tallymark_database_up") == 0
        assert "tallymark_due_work" not in told.names
        assert told("tallymark_http_requests_total", route="/ready") == 1
        assert (await watched.inside.get("/health")).status_code == 500

    @pytest.mark.parametrize(
        "statement", ["_DUE", "_PARKED", "_LATE_EVENTS", "_ROLLUPS", "_STREAMS", "_UNTOLD", "_WEBHOOKS"]
    )
    async def test_is_found_by_index(self, database, statement):
        """Where there is any way around it, no table that grows with customers or time is read as a whole."""
        values = {"now": NOW, "late": NOW, "most": 10, "streams": 10}
        asked = getattr(backlog, statement)
        async with database.system() as connection:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            explained = text(f"EXPLAIN {asked.text}")
            used = {name: values[name] for name in values if f":{name}" in asked.text}
            plan = "\n".join((await connection.execute(explained, used)).scalars())
        assert "Seq Scan" not in plan, plan


def item(kind, owner, due_at):
    return Item(kind=kind, subject_id=uuid4(), owner_id=owner, due_at=due_at)


async def read(database):
    async with database.system() as connection:
        return await backlog.read_backlog(connection, now=NOW)


class TestInternalListener:
    async def test_tells_whether_the_process_is_well(self, watched):
        assert (await watched.inside.get("/health")).json()["message"] == "Success"
        assert (await watched.inside.get("/ready")).json() == {"status": "ok"}
        assert "/metrics" in (await watched.inside.get("/")).text

    @pytest.mark.parametrize(
        "path", ["/api/v1/customers", "/app/v1/session", "/admin/organizations", "/files/x", "/mcp"]
    )
    async def test_has_nothing_of_the_api(self, watched, path):
        assert (await watched.inside.get(path)).status_code == 404

    async def test_is_no_part_of_the_public_one(self, watched, application):
        assert (await watched.outside.get("/metrics")).status_code == 404
        paths = {getattr(route, "path", "") for route in watched.watch.internal_app().routes}
        assert paths == {"/", "/metrics", "/health", "/ready"}
