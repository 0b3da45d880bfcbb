"""The test kit: a real PostgreSQL, migrated once and cloned for each module, and the application on top of it."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import structlog
from argon2 import PasswordHasher
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from sqlalchemy import event
from sqlalchemy.engine import make_url
from tests import kit

from tallymark import app
from tallymark.app import Running, running
from tallymark.collector import spare_the_collector
from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.engine import Database, plain_url
from tallymark.db.migrate import migrate
from tallymark.metering import allowance
from tallymark.rooms.users import passwords
from tallymark.rooms.webhooks import signing
from tallymark.settings import Settings

# Left to itself, the log renders every local variable of every frame of an error: half a minute for each.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

ADMIN_KEY = "admin-key"
# Tests throw their database away: losing it in a power cut costs nothing.
UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "log_min_messages": "fatal"}

# Counts of events are added up when a test asks for it: nothing writes beside it.
allowance.SYNC_SECONDS = 3600

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), max_examples=60, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# What collecting the tests reads stays: the garbage collector would take a third of that time, and a tenth of the tests'.
gc.disable()


def pytest_collection_finish() -> None:
    """Have the garbage collector look at what the tests leave, as a server has it look at what its requests leave."""
    spare_the_collector()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def shared_routes() -> Iterator[None]:
    """Building the routes takes longer than most tests: all applications of this process have the same ones."""
    create, routes = app.create_api, app.create_api().router.routes

    def create_with_these(wiring: app.Wiring | None = None) -> FastAPI:
        api = create(wiring)
        api.router.routes = routes
        return api

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(app, "create_api", create_with_these)
        yield


@pytest.fixture(scope="session", autouse=True)
def hasher_of_servers() -> Iterator[PasswordHasher]:
    """What hashes passwords for servers: on four threads, in 64 MiB. Nobody guesses those of tests, which have a quick one."""
    strong = passwords.HASHER
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield strong


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL of this test process, its database `tallymark` migrated: the template of all others."""
    folder = Path(tempfile.mkdtemp(prefix="tallymark-test-"))
    folder.chmod(0o755)
    try:
        with embedded_postgres_server(folder, settings=UNSAFE) as url:
            migrate(url)
            _open_months(url)
            _keep_key(url)
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open_months(url: str) -> None:
    """Some of the months that tests live in have tables of their own; others are in the rest, as old ones are."""
    with psycopg.connect(plain_url(make_url(url)), autocommit=True) as connection:
        connection.execute(
            "SELECT tallymark_open_month(month::date) FROM generate_series('2026-01-01', '2026-04-01', interval '1 month') month"
        )


def _keep_key(url: str) -> None:
    """Finding the primes of the key that signs webhooks takes longer than most tests: all databases have the same one."""
    with psycopg.connect(plain_url(make_url(url)), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO secrets (name, value) VALUES (%s, %s)", (signing.SECRET, signing.make_key())
        )


@contextmanager
def cloned(server_url: str) -> Iterator[str]:
    """A database of one's own, copied from the template."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE tallymark STRATEGY file_copy')
        yield plain_url(make_url(server_url).set(database=name))
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def database_url(server_url: str) -> Iterator[str]:
    """A fresh database for a module's tests; each makes organizations of its own."""
    with cloned(server_url) as url:
        yield url


@pytest.fixture(scope="module")
async def application(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The application, wired as it is in production."""
    options = Settings(
        admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path_factory.mktemp("data")
    )
    async with running(options, database_url) as parts:
        yield parts


@pytest.fixture(scope="module")
def database(application: Running) -> Database:
    return application.database


@dataclass
class Organization:
    """A tenant with a client of its own."""

    id: uuid.UUID
    api_key: str
    client: httpx.AsyncClient


@pytest.fixture
async def make_organization(application: Running, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Make organizations: live, or with a clock that stands at `frozen_time`.

    Whatever a test did, every law of money holds for them in the end; a test that breaks one is marked `breaks_laws`.
    """
    opened: list[httpx.AsyncClient] = []
    made_ids: list[uuid.UUID] = []

    def client_of(key: str | None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers)
        opened.append(client)
        return client

    async def make(frozen_time: str | None = None, name: str = "Acme") -> Organization:
        body: dict[str, Any] = {"name": name, "email": "ops@acme.test"}
        if frozen_time is not None:
            body["test_clock"] = {"frozen_time": frozen_time}
        async with client_of(None) as operator:
            answer = await operator.post(
                "http://test/admin/organizations", json=body, headers={"X-Admin-API-Key": ADMIN_KEY}
            )
        assert answer.status_code == 200, answer.text
        made = answer.json()
        organization_id = uuid.UUID(made["organization"]["lago_id"])
        made_ids.append(organization_id)
        return Organization(organization_id, made["api_key"], client_of(made["api_key"]))

    yield make
    for client in opened:
        await client.aclose()
    if request.node.get_closest_marker("breaks_laws") is None:
        for organization_id in made_ids:
            await kit.assert_audit_clean(application.database, organization_id)


@pytest.fixture
async def organization(make_organization: Any) -> Organization:
    made: Organization = await make_organization()
    return made


@pytest.fixture
async def client(organization: Organization) -> httpx.AsyncClient:
    return organization.client


@pytest.fixture
async def other_client(make_organization: Any) -> httpx.AsyncClient:
    """Another organization's client."""
    made: Organization = await make_organization(name="Other")
    return made.client


@pytest.fixture
async def nobody(application: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def count_statements(database: Database) -> Any:
    """`with count_statements() as statements`: the SQL that ran meanwhile."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        engine = database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
