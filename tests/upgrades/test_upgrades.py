"""From each released schema, with data that its own release made: nothing is lost, no figure changes, and billing goes on."""

import asyncio
import json
import tarfile
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from deploy.worlds.life import Seller, figures
from sqlalchemy import select
from sqlalchemy.engine import make_url
from tests import kit

from tallymark.app import running
from tallymark.backups import restore
from tallymark.backups.manifest import read_manifest
from tallymark.db.engine import plain_url
from tallymark.db.schema import newest_revision
from tallymark.db.tables import organizations
from tallymark.settings import Settings

WORLDS = sorted((Path(__file__).parent / "worlds").glob("*.tar.xz"))


EMPTY = {
    "of payment providers, of which none shipped then": {"activation_rules", "payment_methods"},
    "of what is under way, until a worker has done it": {
        "draft_credit_notes", "events_to_price", "job_errors", "procrastinate_periodic_defers", "procrastinate_workers", "usage_marks",
    },
    "of what is asked of others, whom a world does not call": {
        "emails", "sso_attempts", "vat_checks", "webhook_sequences", "webhooks",
    },
    "of a server's roles, or of a moment of whoever runs it": {
        "analytics_readers", "holds", "password_resets", "sign_ups", "staff_sessions", "staff_visits",
    },
    "of events that are years old, or billed again": {"archived_streams", "event_archives", "usage_adjustments"},
    "of an installation that moved here": {"elsewhere_fees", "takeover_marks"},
}  # fmt: skip
"""Tables of the newest world without a row, by why it has none: of these an upgrade is not tried with data."""


def test_the_newest_world_fills_every_table_but_these(tmp_path):
    with tarfile.open(WORLDS[-1]) as archive:
        archive.extractall(tmp_path, filter="data")
    rows = read_manifest(tmp_path / "backup").rows
    assert {name for name, count in rows.items() if not count} == set().union(*EMPTY.values())


@pytest.fixture
def empty(server_url, tmp_path):
    """Settings of an installation with nothing in it."""
    name = f"upgraded_{uuid.uuid4().hex[:12]}"
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        url = plain_url(make_url(server_url).set(database=name))
        yield Settings(database_url=url, data_dir=tmp_path / "data", public_url="http://test")
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name.split(".")[0])
def test_a_world_of_an_older_release_is_upgraded_and_billed_on(world, empty, tmp_path):
    with tarfile.open(world) as archive:
        archive.extractall(tmp_path, filter="data")
    restored = restore(
        empty,
        tmp_path / "backup",
        replaces=False,
        holds=False,
        tell=lambda *_: None,
        now=datetime(2026, 11, 30, tzinfo=UTC),
    )
    assert restored.manifest.revision == world.name.split(".")[0]
    assert restored.revision == newest_revision()
    asyncio.run(live_on(empty, json.loads((tmp_path / "world.json").read_text())))


async def live_on(options, made):
    """What it tells is what its own release told; a month later, whoever was billed is billed again."""
    async with running(options, options.database_url) as parts:
        transport = httpx.ASGITransport(parts.asgi)
        headers = {"Authorization": f"Bearer {made['api_key']}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test/api/v1", headers=headers
        ) as http:
            assert await figures(http) == made["figures"]
            async with parts.database.system() as connection:
                everybody = (await connection.execute(select(organizations.c.id))).scalars().all()
            for one in everybody:
                await kit.assert_audit_clean(parts.database, one)
            organization = (await kit.get(http, "/organizations"))["organization"]
            seller = Seller(http)
            before = {one["number"] for one in (await kit.get(http, "/invoices", per_page=100))["invoices"]}
            await seller.advance("2025-04-08T12:00")
            after = (await kit.get(http, "/invoices", per_page=100))["invoices"]
            new = [one for one in after if one["number"] not in before]
            billed = {one["customer"]["external_id"] for one in new}
            assert billed == {"c1", "c2", "c4"}, "the subscription of c3 has ended"
            assert all(one["status"] == "finalized" for one in new)
            await kit.assert_audit_clean(parts.database, uuid.UUID(organization["lago_id"]))
