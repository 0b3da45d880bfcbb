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
from sqlalchemy.engine import make_url
from tests import kit

from tallymark.app import running
from tallymark.backups import restore
from tallymark.db.engine import plain_url
from tallymark.db.schema import newest_revision
from tallymark.settings import Settings

WORLDS = sorted((Path(__file__).parent / "worlds").glob("*.tar.xz"))


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
            organization = (await kit.get(http, "/organizations"))["organization"]
            await kit.assert_audit_clean(parts.database, uuid.UUID(organization["lago_id"]))
            seller = Seller(http)
            before = {one["number"] for one in (await kit.get(http, "/invoices", per_page=100))["invoices"]}
            await seller.advance("2025-04-08T12:00")
            after = (await kit.get(http, "/invoices", per_page=100))["invoices"]
            new = [one for one in after if one["number"] not in before]
            billed = {one["customer"]["external_id"] for one in new}
            assert billed == {"c1", "c2", "c4"}, "the subscription of c3 has ended"
            assert all(one["status"] == "finalized" for one in new)
            await kit.assert_audit_clean(parts.database, uuid.UUID(organization["lago_id"]))
