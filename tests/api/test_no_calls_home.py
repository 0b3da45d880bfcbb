"""Who runs Tallymark for themselves has nobody told of it: a default start connects to its database and to nothing else."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text
from tests import kit

from tallymark.app import running
from tallymark.db.tables import invoices
from tallymark.rooms.organizations import service
from tallymark.settings import Settings

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


def test_what_is_counted_would_be_seen() -> None:
    with outgoing() as found, socket.socket() as one, pytest.raises(ConnectionRefusedError):
        one.connect(("127.0.0.1", 1))
    assert found == [("socket.connect", ("127.0.0.1", 1))]


async def test_a_default_start_tells_nobody(database_url, tmp_path):
    with outgoing() as found:
        async with running(Settings(data_dir=tmp_path), database_url) as parts:
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
                who = await kit.customer(client, currency="EUR")
                metric = await kit.metric(client, "count_agg")
                plan = await kit.plan(client, kit.charge(metric), amount_cents=1000, pay_in_advance=True)
                subscription = await kit.subscribe(client, who, plan)
                await kit.send(client, subscription, metric, "1")
            tasks = parts.tasks
            for chore in (
                tasks.follow_events, tasks.keep_months, tasks.forget_logs, tasks.forget_answers, tasks.forget_exports,
                tasks.build_rollups, tasks.archive_events,
            ):  # fmt: skip
                await chore()
            await tasks.run_due_work(organization_id=made.organization_id, owner_id=None)
            async with parts.database.tenant(made.organization_id) as tx:
                (invoice_id,) = (await tx.execute(select(invoices.c.id))).scalars()
            await tasks.render_document(
                organization_id=made.organization_id, invoice_id=UUID(str(invoice_id))
            )
            await parts.courier.deliver(made.organization_id)
            async with parts.database.system() as connection:
                await connection.execute(text("DELETE FROM procrastinate_jobs"))
    assert found == []
