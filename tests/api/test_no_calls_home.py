"""Who runs Tallymark for themselves has nobody told of it: a default start connects to its database and to nothing else."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select, text
from tests import kit

from tallymark.app import running
from tallymark.db.tables import invoices
from tallymark.monitoring.watching import Watch
from tallymark.office.making import make_office
from tallymark.rooms.organizations import service
from tallymark.settings import Settings
from tallymark.worker import run_worker

OUTGOING = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})
_noted: list[tuple[str, object]] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _noted is not None and event in OUTGOING:
        _noted.append((event, arguments[-1]))


@contextmanager
def outgoing() -> Iterator[list[tuple[str, object]]]:
    """What Python connects to or looks up meanwhile; the database's driver is no Python and does not count."""
    global _noted
    if not getattr(_note, "is_hooked", False):
        sys.addaudithook(_note)  # for good: hooks can't be taken off
        _note.is_hooked = True  # type: ignore[attr-defined]
    _noted = []
    try:
        yield _noted
    finally:
        _noted = None


async def test_what_is_counted_would_be_seen() -> None:
    with outgoing() as found, socket.socket() as one:
        with pytest.raises(ConnectionRefusedError):
            one.connect(("127.0.0.1", 1))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 2)
    assert [told for told in found if told[0] == "socket.connect"] == [
        ("socket.connect", ("127.0.0.1", 1)),
        ("socket.connect", ("127.0.0.1", 2)),
    ]


async def test_a_default_start_tells_nobody(database_url, tmp_path):
    """Api, worker, scheduler, back office and metrics of an installation that bills, prints and logs, and has neither mail server
    nor receivers of webhooks.
    """
    settings = Settings(data_dir=tmp_path, internal_port=8788)
    with outgoing() as found:
        async with running(settings, database_url) as parts:
            async with parts.database.system() as connection:
                made = await service.create_organization(
                    connection, name="Acme", email=None, now=datetime.now(UTC)
                )
            transport = httpx.ASGITransport(parts.asgi)
            headers = {"Authorization": f"Bearer {made.api_key}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://test/api/v1", headers=headers
            ) as client:
                await kit.get(client, "http://test/health")
                await kit.get(client, "http://test/app/v1/configuration")
                await use(client)
            internal = Watch(parts).internal_app([await make_office(settings, parts.database)])
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(internal), base_url="http://localhost"
            ) as staff:
                for path in ("/metrics", "/health", "/office/login"):
                    assert (await staff.get(path)).status_code == 200
            await work(parts, made.organization_id)
    assert found == []


async def use(client):
    """Somebody is subscribed, pays in advance and would be sent every document, and uses something."""
    documents = ["invoice.finalized", "credit_note.created", "payment_receipt.created"]
    await kit.call(client, "PUT", "/organizations", {"organization": {"email_settings": documents}})
    who = await kit.customer(client, currency="EUR", email="ada@acme.test")
    metric = await kit.metric(client, "count_agg")
    plan = await kit.plan(client, kit.charge(metric), amount_cents=1000, pay_in_advance=True)
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, metric, "1")


async def work(parts, organization_id):
    """What a worker does until nothing is left to do, and what it does by the minute and by the night."""
    stop = asyncio.Event()
    beside = (parts.courier, parts.chronicler)
    worker = asyncio.create_task(
        run_worker(parts.database, tasks=parts.tasks, concurrency=4, stop=stop, beside=beside)
    )
    async with asyncio.timeout(120):
        while not await is_done(parts.database, organization_id):
            assert not worker.done()
            await asyncio.sleep(0.1)
    await parts.courier.deliver(organization_id)
    stop.set()
    await worker
    tasks = parts.tasks
    for chore in (
        tasks.follow_events, tasks.keep_months, tasks.forget_logs, tasks.forget_answers, tasks.forget_exports,
        tasks.build_rollups, tasks.archive_events,
    ):  # fmt: skip
        await chore()


async def is_done(database, organization_id):
    """Whether the invoice is issued and printed, and no job waits."""
    left = text(
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name <> 'build_rollups'"
    )
    async with database.system() as connection:
        idle = (await connection.execute(left)).scalar_one() == 0
    async with database.tenant(organization_id) as tx:
        printed = (await tx.execute(select(invoices.c.file_key))).scalars().all()
    return idle and len(printed) == 1 and printed[0] is not None
