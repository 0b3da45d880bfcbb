"""Events that nobody bills from any more leave for Parquet files, whole and for good, and come back (decision 31)."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory
from arro3.core import Field, Schema
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import LocalStore
from sqlalchemy import select, text
from tests import kit
from tests.cli.conftest import tallymark

from tallymark import archives
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.db.schema import MIGRATIONS
from tallymark.db.tables import staff_deeds
from tallymark.integrations import parquet
from tallymark.integrations.files import StoredFiles
from tallymark.integrations.parquet import ParquetFormat
from tallymark.rooms.audit.service import LAWS, breaches_of
from tallymark.rooms.event_archives import repository, service
from tallymark.rooms.event_archives.model import ArchivedEvent, ArchiveStatus
from tallymark.rooms.event_archives.service import ArchiveProblem, Shelf
from tallymark.settings import Settings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
LATER = date(2027, 1, 1)


@pytest.fixture(autouse=True)
async def nothing_of_others(database):
    """Archives are of all organizations."""
    async with database.system() as connection:
        await connection.execute(text("TRUNCATE events, event_keys, archived_streams, event_archives"))


@pytest.fixture
def shelf(database, tmp_path):
    return Shelf(database=database, files=StoredFiles(LocalStore(tmp_path)), format=ParquetFormat())


@pytest.fixture
async def world(make_organization):
    """A customer who pays 2 for each call and 1 for each seat that it still has, each month from January on."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    seats = await kit.metric(
        client, code="seats", aggregation_type="sum_agg", field_name="value", recurring=True
    )
    charges = (kit.charge(calls, amount="2"), kit.charge(seats, amount="1"))
    plan = await kit.plan(client, *charges, code="plan", interval="monthly")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    await kit.subscribe(client, who, plan, external_id="sub")
    return organization


async def send(client, transaction_id, value, at, *, code="calls", expect=200, subscription="sub"):
    event = {"transaction_id": transaction_id, "external_subscription_id": subscription, "code": code}
    seconds = datetime.fromisoformat(at).timestamp()
    body = {"event": {**event, "timestamp": seconds, "properties": {"value": value}}}
    await kit.call(client, "POST", "/events", body, expect=expect)


async def use_january(client):
    """Calls of 5 and 7, and 3 seats; then it is February, and January is invoiced."""
    await send(client, "one", 5, "2026-01-05T10:00:00Z")
    await send(client, "two", 7, "2026-01-20T10:00:00.123Z")
    await send(client, "seats", 3, "2026-01-06T00:00:00Z", code="seats")
    await kit.advance(client, "2026-02-03T00:00")


async def archive(shelf, before=LATER):
    return await service.archive_before(shelf, before, now=NOW, tell=lambda *_: None)


async def restore(shelf, month=JANUARY):
    return await service.restore(shelf, month, now=NOW, tell=lambda *_: None)


async def stored(database):
    """Transaction ids of the events in the database, and of their keys."""
    async with database.system() as connection:
        events = (await connection.execute(text("SELECT transaction_id FROM events"))).scalars()
        keys = (await connection.execute(text("SELECT count(*) FROM event_keys"))).scalar_one()
        return sorted(events), keys


async def audit(organization, database):
    async with database.tenant(organization.id) as tx:
        return [breach for law in LAWS async for breach in breaches_of(tx, law)]


async def test_what_is_on_a_final_invoice_leaves_and_what_recurs_stays(world, database, shelf):
    client = world.client
    await use_january(client)
    await send(client, "february", 4, "2026-02-01T10:00:00Z")
    before = await kit.get(client, "/customers/acme/current_usage", external_subscription_id="sub")
    (made,) = await archive(shelf)
    assert (made.month, made.status, made.events_count) == (JANUARY, ArchiveStatus.ARCHIVED, 2)
    assert await stored(database) == (["february", "seats"], 4)
    assert await kit.get(client, "/customers/acme/current_usage", external_subscription_id="sub") == before
    (file,) = made.files
    assert (file.organization_id, file.events) == (world.id, 2)
    assert file.key.startswith(f"event_archives/{world.id}/2026-01-")
    assert await audit(world, database) == []


async def test_a_file_says_all_that_was_known_of_an_event(world, database, shelf, tmp_path):
    await use_january(world.client)
    (made,) = await archive(shelf)
    (chunk,) = ParquetFormat().read(tmp_path / made.files[0].key)
    first, second = chunk
    assert (first.transaction_id, second.transaction_id) == ("one", "two")
    assert (first.external_subscription_id, first.code, first.properties) == ("sub", "calls", '{"value": 5}')
    assert second.timestamp == datetime(2026, 1, 20, 10, 0, 0, 123_000, tzinfo=UTC)
    assert first.created_at.date() == JANUARY
    assert first.organization_id == world.id


async def test_archived_events_are_gone_and_their_ids_stay_taken(world, shelf):
    client = world.client
    await use_january(client)
    await archive(shelf)
    await send(client, "one", 9, "2026-02-02T00:00:00Z", expect=422)
    await kit.call(client, "GET", "/events/one", expect=404)
    body = {"event": {"external_subscription_id": "sub", "reason": "wrong"}}
    refused = await kit.call(client, "POST", "/events/one/void", body, expect=405)
    assert refused["code"] == "event_archived"


@pytest.mark.breaks_laws
async def test_an_event_that_got_lost_on_the_way_is_missed(world, database, shelf):
    await use_january(world.client)
    await archive(shelf)
    async with database.system() as connection:
        await connection.execute(text("UPDATE archived_streams SET events_count = 1"))
    (breach,) = await audit(world, database)
    assert (breach.law, breach.expected, breach.found) == (
        "events_are_kept",
        "3 events, 2 of them stored",
        "2 events, 1 of them stored",
    )


async def test_a_stretch_of_time_that_left_is_not_replaced(world, shelf):
    client = world.client
    await use_january(client)
    wanted = {
        "external_subscription_id": "sub",
        "code": "calls",
        "from": "2026-01-01T00:00:00Z",
        "reason": "wrong",
    }
    body = {"event_backfill": {**wanted, "to": "2026-01-10T00:00:00Z"}}
    await archive(shelf)
    made = (await kit.post(client, "/event_backfills", body))["event_backfill"]
    refused = await kit.call(client, "POST", f"/event_backfills/{made['lago_id']}/close", {}, expect=405)
    assert refused["code"] == "period_archived"


async def test_a_period_is_not_rated_again_without_its_events(world, shelf):
    """What is late, and here, can't be corrected on an invoice whose other events are not."""
    client = world.client
    await use_january(client)
    await kit.call(
        client,
        "PUT",
        "/organizations",
        {"organization": {"metering": {"event_correction_policy": "document_now"}}},
    )
    await archive(shelf)
    await send(client, "february", 4, "2026-02-01T10:00:00Z")
    moved = {"external_subscription_id": "sub", "reason": "wrong", "timestamp": 1768000000}
    refused = await kit.call(client, "POST", "/events/february/amend", {"event": moved}, expect=405)
    assert refused["code"] == "period_archived"
    await restore(shelf)
    amended = await kit.post(client, "/events/february/amend", {"event": moved})
    assert amended["event"]["version"] == 2


async def test_what_came_back_is_as_it_was(world, database, shelf):
    client = world.client
    await use_january(client)
    async with database.system() as connection:
        rows = text("SELECT e.*, e.properties::text FROM events e ORDER BY id")
        before = (await connection.execute(rows)).all()
    await archive(shelf)
    (again,) = await restore(shelf)
    async with database.system() as connection:
        assert (await connection.execute(rows)).all() == before
    assert again.month == JANUARY
    assert await audit(world, database) == []
    assert (await kit.get(client, "/events/one"))["event"]["properties"] == {"value": 5}
    # What is back may leave again.
    (made,) = await archive(shelf)
    assert made.events_count == 2
    with pytest.raises(ArchiveProblem, match="nothing of 2026-02"):
        await restore(shelf, FEBRUARY)


async def test_a_period_that_is_not_over_or_a_draft_keeps_its_events(make_organization, database, shelf):
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    yearly = await kit.plan(client, kit.charge(calls, amount="2"), code="yearly", interval="yearly")
    monthly = await kit.plan(client, kit.charge(calls, amount="2"), code="monthly", interval="monthly")
    slow = await kit.customer(
        client, external_id="slow", currency="EUR", billing_configuration={"invoice_grace_period": 60}
    )
    quick = await kit.customer(client, external_id="quick", currency="EUR")
    await kit.subscribe(client, quick, yearly, external_id="year")
    await kit.subscribe(client, slow, monthly, external_id="draft")
    await kit.subscribe(client, quick, monthly, external_id="final")
    for name in ("year", "draft", "final"):
        await send(client, f"of-{name}", 5, "2026-01-05T10:00:00Z", subscription=name)
    await send(client, "of-nobody", 5, "2026-01-05T10:00:00Z", subscription="nobody")
    await kit.advance(client, "2026-02-03T00:00")
    await archive(shelf)
    mine, _ = await stored(database)
    assert mine == ["of-draft", "of-year"]


async def test_months_from_a_given_one_on_stay(world, database, shelf):
    await use_january(world.client)
    await kit.advance(world.client, "2026-04-03T00:00")
    assert await archive(shelf, JANUARY) == []
    assert len((await stored(database))[0]) == 3


async def test_old_events_that_have_no_month_of_their_own_leave_too(make_organization, database, shelf):
    organization = await make_organization("2019-07-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    plan = await kit.plan(client, kit.charge(calls, amount="2"), code="plan", interval="monthly")
    who = await kit.customer(client, external_id="old", currency="EUR")
    await kit.subscribe(client, who, plan, external_id="sub")
    await send(client, "july", 5, "2019-07-05T10:00:00Z")
    await kit.advance(client, "2019-08-03T00:00")
    (made,) = await archive(shelf)
    assert (made.month, made.events_count) == (date(2019, 7, 1), 1)
    assert await stored(database) == ([], 1)
    await restore(shelf, date(2019, 7, 1))
    assert await stored(database) == (["july"], 1)
    assert await audit(organization, database) == []


@pytest.mark.parametrize("falls", ["writing", "keeping", "dropping"])
async def test_a_run_that_was_cut_off_is_gone_on_with(world, database, shelf, monkeypatch, falls):
    await use_january(world.client)

    class Cut(Exception):
        pass

    def cut(*_, **__):
        raise Cut

    where = {
        "writing": (ParquetFormat, "write"),
        "keeping": (StoredFiles, "put_file"),
        "dropping": (repository, "complete"),
    }
    with monkeypatch.context() as patched:
        patched.setattr(*where[falls], cut)
        with pytest.raises(Cut):
            await archive(shelf)
    assert (await stored(database))[0] == ["seats"]
    assert await audit(world, database) == []
    (done,) = await archive(shelf)
    assert (done.status, done.events_count) == (ArchiveStatus.ARCHIVED, 2)
    await restore(shelf)
    assert (await stored(database))[0] == ["one", "seats", "two"]


async def test_what_was_leaving_when_senders_came_leaves_whole(world, database, shelf, monkeypatch):
    """The migration gives its table their column, which the release that began the archive did not know."""
    await use_january(world.client)
    with monkeypatch.context() as patched:
        patched.setattr(repository, "complete", None)
        with pytest.raises(TypeError):
            await archive(shelf)
    (begun,) = await service.list_archives(database)
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision("0087").module
    async with database.system() as connection:
        await connection.execute(text(f"ALTER TABLE {begun.table} DROP COLUMN sender_id"))
        await connection.execute(text(migration.LEAVING))
    (done,) = await archive(shelf)
    await restore(shelf)
    assert (done.id, (await stored(database))[0]) == (begun.id, ["one", "seats", "two"])


async def test_a_file_that_was_changed_is_not_put_back(world, database, shelf, tmp_path):
    await use_january(world.client)
    (made,) = await archive(shelf)
    path = tmp_path / made.files[0].key
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ArchiveProblem, match="is not what was written"):
        await restore(shelf)
    path.unlink()
    with pytest.raises(ArchiveProblem, match="is missing"):
        await restore(shelf)
    assert (await stored(database))[0] == ["seats"]


async def test_a_month_that_somebody_holds_is_waited_for(world, database, shelf, database_url):
    """Who writes to a month at that moment is not broken off; it leaves after that."""
    await use_january(world.client)
    async with await psycopg.AsyncConnection.connect(plain_url(database.url)) as other:
        await other.execute("UPDATE events SET transaction_id = transaction_id WHERE transaction_id = 'one'")
        archiving = asyncio.create_task(archive(shelf))
        await asyncio.sleep(0.8)
        assert not archiving.done()
        await other.commit()
        (done,) = await archiving
    assert done.events_count == 2


async def test_only_one_run_at_a_time(world, database, shelf):
    async with database.held(service.LOCK, service._ALL):
        with pytest.raises(ArchiveProblem, match="already"):
            await archive(shelf)


async def test_a_late_event_of_archived_time_is_judged_as_ever(world, database, shelf):
    """It is too late for January, which is invoiced; and it may leave once it was judged."""
    client = world.client
    await use_january(client)
    await archive(shelf)
    await send(client, "late", 4, "2026-01-25T10:00:00Z")
    found = await kit.get(client, "/events", unmatched=True)
    assert [(event["transaction_id"], event["unmatched_reason"]) for event in found["events"]] == [
        ("late", "too_late")
    ]
    assert await audit(world, database) == []
    (made,) = await archive(shelf)
    assert made.events_count == 1
    assert [one.events_count for one in await restore(shelf)] == [2, 1]
    assert (await stored(database))[0] == ["late", "one", "seats", "two"]


async def command(database, folder, *arguments):
    """`tallymark events …` on the test's database."""
    where = ("--database-url", plain_url(database.url), "--data-dir", str(folder))
    done = await asyncio.to_thread(tallymark, "events", *arguments, *where)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_commands(world, database, tmp_path):
    await use_january(world.client)
    (made,) = json.loads(await command(database, tmp_path, "archive", "--before", "2026-02", "--json"))
    (file,) = made["files"]
    assert (made["month"], made["status"], made["events_count"]) == ("2026-01", "archived", 2)
    assert (tmp_path / "files" / file["key"]).stat().st_size == file["bytes"]
    words = (await command(database, tmp_path, "restore", "2026-01")).split()
    assert words[:9] == ["Month", "Status", "Events", "Files", "Size", "Made", "2026-01", "archived", "2"]
    assert "restored" in await command(database, tmp_path, "archives")
    async with database.system() as connection:
        noted = select(staff_deeds.c.verb, staff_deeds.c.via, staff_deeds.c.subject, staff_deeds.c.after)
        assert (await connection.execute(noted.filter_by(via="shell").order_by(staff_deeds.c.id))).all() == [
            ("archived", "shell", "2026-01", {"events_count": 2}),
            ("restored", "shell", "2026-01", {"events_count": 2}),
        ]


async def test_what_the_commands_refuse(world, database, tmp_path):
    where = Settings(data_dir=tmp_path)
    with pytest.raises(StartupError, match="2026-13 is no month"):
        archives.read_month("2026-13")
    with pytest.raises(StartupError, match="not over"):
        await archives.archive(where, plain_url(database.url), date(2026, 7, 1), lambda *_: None, now=NOW)
    with pytest.raises(StartupError, match="nothing of 2026-01 is archived"):
        await archives.restore(where, plain_url(database.url), JANUARY, lambda *_: None, now=NOW)


async def test_a_retention_archives_by_itself(world, database, tmp_path, monkeypatch):
    """In June the five full months before it begin with January, the four with February; 0 is no number of months."""
    await use_january(world.client)
    monkeypatch.setattr(archives, "system_now", lambda: NOW)
    for months in (0, 5):
        await archives.keep_to_retention(Settings(data_dir=tmp_path, events_kept_months=months), database)
    assert len((await stored(database))[0]) == 3
    await archives.keep_to_retention(Settings(data_dir=tmp_path, events_kept_months=4), database)
    assert len((await stored(database))[0]) == 1


def test_a_file_from_before_senders_were_kept_is_read_without(tmp_path, monkeypatch):
    event = ArchivedEvent(
        organization_id=uuid4(), external_subscription_id="sub", code="calls", stream_id=1, id=uuid4(),
        transaction_id="one", timestamp=NOW, created_at=NOW, occurred_at=None, properties="{}",
        precise_total_amount_cents=None, sender_id=7,
    )  # fmt: skip
    path = tmp_path / "old.parquet"
    with monkeypatch.context() as before:
        columns = {name: kind for name, kind in parquet._COLUMNS.items() if name != "sender_id"}
        before.setattr(parquet, "_COLUMNS", columns)
        fields = [Field(name, kind, nullable=is_empty) for name, (kind, is_empty) in columns.items()]
        before.setattr(parquet, "_SCHEMA", Schema(fields))
        ParquetFormat().write(path, [[event]])
    assert list(ParquetFormat().read(path)) == [[replace(event, sender_id=None)]]


instants = st.datetimes(timezones=st.just(UTC))
events = st.builds(
    ArchivedEvent,
    organization_id=st.uuids(),
    external_subscription_id=st.text(),
    code=st.text(min_size=1),
    stream_id=st.integers(-(2**40), 2**40),
    id=st.uuids(),
    transaction_id=st.text(),
    timestamp=instants,
    created_at=instants,
    occurred_at=st.none() | instants,
    properties=st.text(),
    precise_total_amount_cents=st.none() | st.decimals(-(10**24), 10**24, places=15),
    sender_id=st.none() | st.integers(1, 2**40),
)


@settings(max_examples=30)
@given(st.lists(st.lists(events, min_size=1, max_size=5), max_size=3))
def test_what_is_written_is_what_is_read(tmp_path_factory, chunks):
    path = tmp_path_factory.mktemp("parquet") / f"{uuid4().hex}.parquet"
    ParquetFormat().write(path, chunks)
    assert [event for chunk in ParquetFormat().read(path) for event in chunk] == [
        event for chunk in chunks for event in chunk
    ]
