"""Backups of a database by its URL: what is in one, what is refused, and what is back."""

import asyncio
import hashlib
import json
import shutil
import stat
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import psycopg
import pytest
from sqlalchemy.engine import make_url
from tests import kit
from tests.backups.tls import tls_only
from tests.conftest import ADMIN_KEY, cloned

from tallymark.app import running
from tallymark.backups import back_up, check, restore, restoring
from tallymark.backups.manifest import DUMP, backups_in
from tallymark.db import programs, readers
from tallymark.db.engine import Database, plain_url
from tallymark.db.errors import StartupError
from tallymark.db.holding import Hold, find_hold
from tallymark.db.programs import find_programs
from tallymark.db.schema import newest_revision
from tallymark.settings import Settings

NOW = datetime(2026, 11, 30, 3, 15, tzinfo=UTC)
LATER = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def quiet(*_):
    pass


@pytest.fixture(scope="module")
async def world(server_url, tmp_path_factory):
    """Settings of an installation with an invoice, and a client of its organization."""
    with cloned(server_url) as url:
        options = Settings(
            database_url=url,
            admin_api_key=ADMIN_KEY,
            public_url="http://test",
            data_dir=tmp_path_factory.mktemp("data"),
        )
        async with (
            running(options, url) as parts,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(parts.asgi), base_url="http://test/api/v1"
            ) as client,
        ):
            body = {"name": "Acme", "test_clock": {"frozen_time": "2026-01-10T00:00:00Z"}}
            made = await client.post(
                "http://test/admin/organizations", json=body, headers={"X-Admin-API-Key": ADMIN_KEY}
            )
            client.headers["Authorization"] = f"Bearer {made.json()['api_key']}"
            await bill(client)
        # Nobody is connected any more: a restore puts that first.
        yield options, dict(client.headers)


async def bill(client):
    """22 of 31 days of 31.00, and three calls at 1.00."""
    (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
    await kit.call(client, "PUT", f"/billing_entities/{entity['code']}", {"billing_entity": {"logo": PNG}})
    metric = await kit.metric(client, "count_agg")
    plan = await kit.plan(client, kit.charge(metric), amount_cents=3100)
    subscription = await kit.subscribe(client, await kit.customer(client, external_id="c"), plan)
    await kit.send(client, subscription, metric, 1, 2, 3)
    await kit.advance(client, "2026-02-01T12:00")


async def told(options, headers):
    """What the API tells of the customer, with the logo that its issuer has."""
    async with (
        running(options, options.database_url) as parts,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(parts.asgi), base_url="http://test/api/v1", headers=headers
        ) as client,
    ):
        (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
        logo = await client.get(entity["logo_url"])
        return await kit.invoices(client, {"external_id": "c"}), logo.content


@pytest.fixture(scope="module")
def backup(world, tmp_path_factory):
    """A backup of it; who alters it takes a copy."""
    options, _ = world
    return back_up(options, tmp_path_factory.mktemp("backups"), tell=quiet, now=NOW)


@pytest.fixture
def empty(server_url, world, tmp_path):
    """Settings of an installation with nothing in it."""
    name = f"empty_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        url = plain_url(make_url(server_url).set(database=name))
        yield world[0].model_copy(update={"database_url": url, "data_dir": tmp_path / "data"})
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def put_back(options, source, *, replaces=False, holds=True):
    return restore(options, source, replaces=replaces, holds=holds, tell=quiet, now=LATER)


def altered(backup, tmp_path, **changes):
    """A copy that says something else of itself, and whose checksums are right."""
    copy = shutil.copytree(backup, tmp_path / backup.name)
    manifest = copy / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))
    sums = copy / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if not line.endswith("manifest.json")]
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    sums.write_text("\n".join([*lines, f"{digest}  manifest.json"]) + "\n")
    return copy


class TestWhatIsMade:
    def test_says_what_it_is(self, backup, world):
        manifest = check(backup)
        assert (manifest.revision, manifest.made_at, manifest.files) == (newest_revision(), NOW, 1)
        assert (manifest.rows["invoices"], manifest.rows["events"]) == (1, 3)
        assert {"tallymark_tenant", "tallymark_ingest"} <= set(manifest.roles)
        assert (manifest.files_elsewhere, manifest.missing, manifest.secrets) == (None, (), ())

    def test_is_readable_for_its_owner_alone(self, backup):
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (backup, *backup.rglob("*"))} == {0}

    def test_names_what_has_to_be_kept_besides(self, world, tmp_path):
        options = world[0].model_copy(update={"secret_key": "s" * 40, "files_url": "s3://papers"})
        manifest = check(back_up(options, tmp_path, tell=quiet, now=NOW))
        assert manifest.secrets == ("TALLYMARK_SECRET_KEY",)
        assert (manifest.files_elsewhere, manifest.files) == ("s3://papers", 0)

    def test_names_documents_that_are_not_there(self, world, tmp_path):
        options = world[0].model_copy(update={"data_dir": tmp_path / "another"})
        manifest = check(back_up(options, tmp_path / "backups", tell=quiet, now=NOW))
        (missing,) = manifest.missing
        assert "/logos/" in missing

    def test_is_there_once_it_is_whole(self, world, tmp_path, monkeypatch):
        (tmp_path / ".unfinished-tallymark-20261130T020000Z").mkdir()

        def fails(*_, **__):
            raise StartupError("pg_dump failed: no space left on device")

        monkeypatch.setattr("tallymark.backups.making.run_program", fails)
        with pytest.raises(StartupError, match="no space left"):
            back_up(world[0], tmp_path, tell=quiet, now=NOW)
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]

    def test_takes_the_place_of_the_oldest_which_is_whole_or_none(self, world, tmp_path, monkeypatch):
        back_up(world[0], tmp_path, keep=1, tell=quiet, now=NOW)

        def killed_half_way(folder, *, ignore_errors=False):
            if not ignore_errors:
                (folder / DUMP).unlink()
                raise KeyboardInterrupt

        monkeypatch.setattr("tallymark.backups.making.shutil.rmtree", killed_half_way)
        with pytest.raises(KeyboardInterrupt):
            back_up(world[0], tmp_path, keep=1, tell=quiet, now=NOW + timedelta(hours=1))
        assert [path.name for path in backups_in(tmp_path)] == ["tallymark-20261130T041500Z"]

    def test_comes_over_tls_where_the_database_wants_that(self, world, tmp_path):
        with tls_only(world[0].database_url, tmp_path) as url:
            options = world[0].model_copy(update={"database_url": url})
            manifest = check(back_up(options, tmp_path / "backups", tell=quiet, now=NOW))
            assert manifest.rows["invoices"] == 1
            stranger = url.partition("&sslrootcert")[0] + "&sslrootcert=/dev/null"
            with pytest.raises(StartupError, match="cannot reach the database"):
                back_up(world[0].model_copy(update={"database_url": stranger}), tmp_path, tell=quiet, now=NOW)

    def test_of_nothing_is_refused(self, empty, tmp_path):
        with pytest.raises(StartupError, match="nothing to back up"):
            back_up(empty, tmp_path / "backups", tell=quiet, now=NOW)


class TestWhatIsRestored:
    def test_is_what_was_backed_up_and_waits_for_somebody(self, world, backup, empty, tmp_path):
        options, headers = world
        restored = put_back(empty, backup)
        assert (restored.revision, restored.warnings) == (newest_revision(), ())
        reason = "restored from a backup of 2026-11-30 03:15:00 UTC"
        assert asyncio.run(held(empty.database_url)) == Hold(reason=reason, since=LATER)
        bills, logo = asyncio.run(told(empty, headers))
        assert (bills, logo) == asyncio.run(told(options, headers))
        assert [one["total_amount_cents"] for one in bills] == [2500]

        again = back_up(empty, tmp_path / "again", tell=quiet, now=LATER)
        put_back(empty, again, replaces=True, holds=False)
        assert asyncio.run(told(empty, headers)) == (bills, logo), (
            "also of what was restored, over what is there"
        )
        assert asyncio.run(held(empty.database_url)) is None
        # The views of analytics with what they say of themselves, which stands in comments.
        described = {view.name: view for view in readers.describe(empty.database_url)}
        assert described == {view.name: view for view in readers.describe(options.database_url)}
        assert all(view.says for view in described.values())

    def test_says_what_is_missing_around_it(self, backup, empty):
        manifest = msgspec.structs.replace(
            check(backup),
            files_elsewhere="s3://papers",
            secrets=("TALLYMARK_SECRET_KEY",),
            missing=("a/b.pdf",),
        )
        said = list(restoring._warnings(empty, manifest))
        assert ["s3://papers" in said[0], "a/b.pdf" in said[1], "TALLYMARK_SECRET_KEY" in said[2]] == [
            True
        ] * 3

    def test_takes_nothing_away_where_it_fails(self, backup, empty, tmp_path):
        make(empty, "CREATE TABLE mine AS SELECT 1")
        short = altered(backup, tmp_path, rows=check(backup).rows | {"events": 4})
        with pytest.raises(StartupError, match="events has 3 rows where the backup had 4"):
            put_back(empty, short, replaces=True)
        assert (tables(empty), schemas(empty)) == (["mine"], ["public"])

    def test_is_taken_up_where_it_was_cut_off(self, empty):
        """Killed before it was complete, what was there before is there again; after it, what was restored."""
        make(empty, "CREATE TABLE mine AS SELECT 1")
        for complete, left in (
            ("SELECT NULL::text WHERE false", ["mine"]),
            ("SELECT '0001'", ["alembic_version"]),
        ):
            make(empty, "ALTER SCHEMA public RENAME TO public_before_restore")
            make(empty, "CREATE SCHEMA public")
            make(empty, f"CREATE TABLE alembic_version (version_num) AS {complete}")
            with psycopg.connect(empty.database_url, autocommit=True) as connection:
                restoring._recover(connection)
            assert (tables(empty), schemas(empty)) == (left, ["public"])


def make(options, statement):
    with psycopg.connect(options.database_url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def held(url):
    database = Database(url, pool_size=1)
    try:
        async with database.system() as connection:
            return await find_hold(connection)
    finally:
        await database.close()


def schemas(options):
    with psycopg.connect(options.database_url) as connection:
        return restoring._schemas_of(connection)


def tables(options):
    with psycopg.connect(options.database_url) as connection:
        return [
            name
            for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]


class TestWhatIsRefused:
    def test_a_folder_that_is_no_backup(self, backup, empty, tmp_path):
        with pytest.raises(StartupError, match="is no backup"):
            put_back(empty, tmp_path)
        with pytest.raises(StartupError, match="newest of which is tallymark-20261130T031500Z"):
            put_back(empty, backup.parent)

    def test_what_is_incomplete_or_altered(self, backup, empty, tmp_path):
        for number, (spoil, told) in enumerate(
            (
                (lambda copy: (copy / "database.dump").unlink(), "incomplete: database.dump is missing"),
                (
                    lambda copy: (copy / "files" / "more.pdf").write_text("x"),
                    "altered: files/more.pdf is not of it",
                ),
                (
                    lambda copy: (copy / "database.dump").open("ab").write(b"x"),
                    "altered: database.dump is not as",
                ),
                (lambda copy: (copy / "SHA256SUMS").write_text("x"), "altered: .*SHA256SUMS is not as"),
            )
        ):
            copy = shutil.copytree(backup, tmp_path / str(number))
            spoil(copy)
            with pytest.raises(StartupError, match=told):
                put_back(empty, copy)
        assert tables(empty) == []

    def test_what_is_newer_than_what_there_is(self, backup, empty, tmp_path):
        cases: tuple[tuple[dict, str], ...] = (
            ({"format": 2}, "format is 2, and this release knows 1"),
            ({"revision": "9999"}, r"schema \(9999, of release .*\) is newer"),
            ({"server": 99}, "is of PostgreSQL 99 and goes into none that is older"),
            ({"program": 99}, "needs pg_dump and pg_restore 99 or newer"),
        )
        for number, (changes, told) in enumerate(cases):
            copy = altered(backup, tmp_path / str(number), **changes)
            with pytest.raises(StartupError, match=told):
                put_back(empty, copy)
        assert tables(empty) == []

    def test_a_database_in_which_there_is_something_or_somebody(self, world, backup):
        options, _ = world
        with pytest.raises(StartupError, match="not empty: --replace"):
            put_back(options, backup)
        with (
            psycopg.connect(options.database_url),
            pytest.raises(StartupError, match="1 others are connected"),
        ):
            put_back(options, backup, replaces=True)

    def test_programs_that_do_not_suit_the_server(self, monkeypatch):
        monkeypatch.setattr(programs, "_installed", lambda: iter(()))
        with pytest.raises(
            StartupError, match=r"needs pg_dump and pg_restore 16 on the PATH.*there are: none"
        ):
            find_programs(server=16)
