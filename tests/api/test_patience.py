"""What takes the database too long is given up: nothing of it is done, and its connection is free for others."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, text
from tests import kit
from tests.conftest import ADMIN_KEY

from tallymark.app import running
from tallymark.db.engine import Source
from tallymark.db.tables import api_logs, customers
from tallymark.settings import Settings

SLOW = {"status": 503, "error": "Service Unavailable", "code": "statement_timeout"}
LOCKED = {"status": 422, "error": "Unprocessable Entity", "code": "lock_acquisition_failed"}
ADA = {"customer": {"external_id": "ada", "name": "Ada"}}


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory):
    """One that waits for seconds where others wait for many."""
    options = Settings(
        admin_api_key=ADMIN_KEY,
        public_url="http://test",
        data_dir=tmp_path_factory.mktemp("data"),
        database_statement_timeout="2s",
        database_lock_timeout="1s",
        database_job_timeout="90min",
    )
    async with running(options, database_url) as parts:
        yield parts


@asynccontextmanager
async def slow_customers(database):
    """Whoever reads a customer meanwhile waits for a minute, as if there were millions."""
    async with database.system() as connection:
        await connection.execute(
            text(
                "CREATE POLICY slow ON customers AS RESTRICTIVE FOR SELECT TO tallymark_tenant USING (pg_sleep(60) IS NOT NULL)"
            )
        )
    try:
        yield
    finally:
        async with database.system() as connection:
            await connection.execute(text("DROP POLICY slow ON customers"))


@asynccontextmanager
async def changing(database, statement, **bound):
    """Somebody else is in the middle of a change."""
    async with database.system() as connection:
        await connection.execute(text(statement), bound)
        yield


class TestASlowStatement:
    async def test_of_a_read_is_answered_and_holds_nobody_up(self, client, database):
        await kit.post(client, "/customers", ADA)
        async with slow_customers(database):
            answer = await client.get("/customers")
            assert (answer.status_code, answer.json()) == (503, SLOW)
            assert "retry-after" not in answer.headers
            assert database.engine.pool.checkedout() == 0
            await kit.get(client, "/plans")
        assert [one["external_id"] for one in (await kit.get(client, "/customers"))["customers"]] == ["ada"]

    async def test_of_a_write_leaves_nothing_and_is_repeated_with_its_key(
        self, client, database, organization
    ):
        headers = {"Idempotency-Key": "once"}
        await kit.post(client, "/customers", {"customer": {"external_id": "bob"}})
        async with slow_customers(database):
            answer = await client.post("/customers", json=ADA, headers=headers)
            assert (answer.status_code, answer.json()) == (503, SLOW)
        async with database.tenant(organization.id) as tx:
            assert (await tx.execute(select(customers.c.external_id))).scalars().all() == ["bob"]
            noted = select(api_logs.c.http_status).order_by(api_logs.c.id)
            assert (await tx.execute(noted)).scalars().all() == [200, 503]
        again = await client.post("/customers", json=ADA, headers=headers)
        assert again.status_code == 200
        assert "idempotent-replayed" not in again.headers


async def test_what_somebody_else_changes_is_waited_for_a_while(client, database):
    made = (await kit.post(client, "/customers", ADA))["customer"]
    headers = {"Idempotency-Key": "renamed"}
    renamed = {"customer": {"external_id": "ada", "name": "Countess"}}
    held = "UPDATE customers SET name = 'Augusta' WHERE id = :id"
    async with changing(database, held, id=made["lago_id"]):
        answer = await client.post("/customers", json=renamed, headers=headers)
        assert (answer.status_code, answer.json()) == (422, LOCKED)
    assert (await kit.get(client, "/customers/ada"))["customer"]["name"] == "Augusta"
    again = await client.post("/customers", json=renamed, headers=headers)
    assert (again.status_code, again.json()["customer"]["name"]) == (200, "Countess")


async def test_each_transaction_waits_as_it_is_told(database, organization):
    """A job waits for longer, and in line; what the system does is not bounded, and nothing is left on a connection."""
    shown = text("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
    found = []
    for source in (Source.API, Source.FRONT, Source.SYSTEM):
        async with database.tenant(organization.id, source=source) as tx:
            found.append(tuple((await tx.execute(shown)).one()))
    async with database.snapshot(organization.id) as tx:
        found.append(tuple((await tx.execute(shown)).one()))
    async with database.system() as connection:
        found.append(tuple((await connection.execute(shown)).one()))
    assert found == [("2s", "1s"), ("2s", "1s"), ("90min", "0"), ("90min", "0"), ("0", "0")]


def test_times_are_read_as_postgresql_writes_them(monkeypatch):
    monkeypatch.setenv("LAGO_DATABASE_STATEMENT_TIMEOUT", "45000")
    monkeypatch.setenv("LAGO_DATABASE_LOCK_TIMEOUT", "0")
    patience = Settings().patience
    assert [
        patience.request.total_seconds(),
        patience.lock.total_seconds(),
        patience.job.total_seconds(),
    ] == [45, 0, 3600]


@pytest.mark.parametrize("written", ["30", "0.5s", "2d", "-1", "soon", ""])
def test_a_time_that_nobody_means_is_refused(monkeypatch, written):
    with pytest.raises(ValueError, match="a time from 1s to 1d"):
        Settings(database_statement_timeout=written)
