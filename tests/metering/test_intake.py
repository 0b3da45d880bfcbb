"""Flushes that go on side by side store each event once, by the rules that hold."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from sqlalchemy import text

from tallymark.db.engine import plain_url
from tallymark.metering import flushing, intake, senders
from tallymark.metering.columns import Documents, Instants, Integers, Texts, Uuids, register_columns
from tallymark.metering.intake import Intake
from tallymark.metering.senders import Sender
from tallymark.metering.storing import Row

START = datetime(2026, 3, 1, tzinfo=UTC)


def row(organization_id, *, key=None, subscription="s", number=0):
    return Row(
        id=key or uuid4(),
        organization_id=organization_id,
        external_subscription_id=subscription,
        code="m",
        transaction_id=str(number),
        timestamp=START + timedelta(seconds=number),
        created_at=START,
        properties=msgspec.Raw(b'{"value": 1}'),
        precise_total_amount_cents=None,
    )


@pytest.fixture
def two_at_once(monkeypatch):
    """Whatever waits is flushed beside what is under way, a request or two at a time."""
    monkeypatch.setattr(intake, "WORTH_A_LINE", 1)
    monkeypatch.setattr(intake, "LARGEST_FLUSH", 6)


async def stored(database, organization_id):
    counts = text(
        "SELECT (SELECT count(*) FROM events WHERE organization_id = :id),"
        " (SELECT count(*) FROM event_keys WHERE organization_id = :id)"
    )
    async with database.system() as connection:
        return tuple((await connection.execute(counts, {"id": organization_id})).one())


@pytest.mark.usefixtures("two_at_once")
async def test_each_event_is_stored_once_whoever_else_sends_it(database, organization):
    """Batches of three share keys in every order, in two processes of two lines: one of those who send a key has it stored."""
    keys = [uuid4() for _ in range(30)]
    batches = [[keys[(3 * n + step * k) % 30] for k in range(3)] for n in range(10) for step in (1, 7, -7)]
    told: Counter[UUID] = Counter()
    before = await stored(database, organization.id)

    async def send(into, batch):
        known = await into.store([row(organization.id, key=key) for key in batch])
        assert known <= set(batch)
        if not known:
            told.update(batch)

    conninfo = plain_url(database.url)
    async with Intake(conninfo) as one, Intake(conninfo) as two:
        sent = [send((one, two)[n % 2], batch) for n, batch in enumerate(batches * 2)]
        await asyncio.wait_for(asyncio.gather(*sent), 60)
    assert set(told.values()) == {1}
    after = await stored(database, organization.id)
    assert tuple(b - a for a, b in zip(before, after, strict=True)) == (len(told), len(told))


async def test_flushes_of_the_same_events_the_other_way_round_do_not_wait_in_a_circle(database, organization):
    conninfo = plain_url(database.url)
    async with Intake(conninfo) as one, Intake(conninfo) as two:
        for _ in range(5):
            keys = [uuid4() for _ in range(300)]
            sent = [one.store([row(organization.id, key=key)]) for key in keys]
            sent += [two.store([row(organization.id, key=key)]) for key in reversed(keys)]
            known = await asyncio.gather(*sent)
            assert sum(map(len, known)) == 300


async def test_a_flush_of_requests_of_several_senders_gives_each_event_its_own(
    database, organization, other_client
):
    """Two organizations with one sender of the same name, a batch of another, and one that nobody sent: in one flush."""
    async with database.system() as connection:
        others = text("SELECT id FROM organizations WHERE id <> :id ORDER BY created_at DESC LIMIT 1")
        other_id = (await connection.execute(others, {"id": organization.id})).scalar_one()
    one, two = Sender("192.0.2.1", "one"), Sender("192.0.2.1", "two")
    sent = [
        ([row(organization.id)], one),
        ([row(other_id)], one),
        ([row(organization.id), row(organization.id)], two),
        ([row(organization.id)], None),
        ([row(organization.id)], one),
    ]
    async with Intake(plain_url(database.url)) as into:
        # What comes while this one is under way is flushed together.
        first = asyncio.create_task(into.store([row(organization.id)]))
        await asyncio.sleep(0)
        await asyncio.gather(first, *(into.store(rows, sender=sender) for rows, sender in sent))
    found = text(
        "SELECT e.id, s.organization_id, s.ip_address, s.client FROM events e JOIN event_senders s ON s.id = e.sender_id"
        " WHERE e.id = ANY(:ids)"
    )
    ids = [one.id for rows, _ in sent for one in rows]
    async with database.system() as connection:
        stored = {row.id: tuple(row[1:]) for row in await connection.execute(found, {"ids": ids})}
    assert stored == {
        one.id: (one.organization_id, *sender) for rows, sender in sent for one in rows if sender is not None
    }
    assert len(set(stored.values())) == 3


@pytest.mark.usefixtures("two_at_once")
async def test_who_is_forgotten_for_new_senders_is_asked_about_again(database, organization, monkeypatch):
    """Every other event has one sender, all others one of their own: learning of these makes room in the midst of a flush."""
    monkeypatch.setattr(senders, "_CACHE", 3)
    async with Intake(plain_url(database.url)) as into:
        sent = [into.store([row(organization.id)], sender=Sender("a", f"c {n % 2 * n}")) for n in range(60)]
        assert await asyncio.wait_for(asyncio.gather(*sent), 60) == [frozenset()] * 60


@pytest.mark.usefixtures("two_at_once")
async def test_lines_forget_streams_of_one_another(database, organization, monkeypatch):
    monkeypatch.setattr(flushing, "_STREAM_CACHE", 3)
    subscriptions = [uuid4().hex for _ in range(60)]
    async with Intake(plain_url(database.url)) as into:
        sent = [into.store([row(organization.id, subscription=name)]) for name in subscriptions]
        assert await asyncio.wait_for(asyncio.gather(*sent), 60) == [frozenset()] * 60


async def test_a_flush_by_old_rules_is_none_though_another_has_learned_them_meanwhile(
    database, organization, monkeypatch
):
    """Nothing was stored: its events are not taken for known ones because the rules look new by then."""
    async with Intake(plain_url(database.url)) as into:
        await into.store([row(organization.id)])
        learn = into.rules.learn

        async def learn_after_another(connection):
            await learn(connection)
            return await learn(connection)

        monkeypatch.setattr(into.rules, "learn", learn_after_another)
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE versions SET value = value + 1 WHERE name = 'advance_codes'")
            )
        before = await stored(database, organization.id)
        assert await into.store([row(organization.id)]) == frozenset()
        assert await stored(database, organization.id) == tuple(count + 1 for count in before)


async def test_closing_stores_what_waits(database, organization):
    into = Intake(plain_url(database.url))
    waiting = [asyncio.create_task(into.store([row(organization.id, number=n)])) for n in range(3)]
    await asyncio.sleep(0)
    async with into:
        pass
    assert await asyncio.gather(*waiting) == [frozenset()] * 3
    with pytest.raises(intake.IntakeFull):
        await into.store([row(organization.id)])


async def test_the_database_reads_columns_as_they_are_meant(database):
    """Ends of ranges, nulls, signs that need quoting elsewhere; instants before the year from which PostgreSQL counts."""
    ids = [uuid4(), uuid4()]
    numbers = [-(2**63), 2**63 - 1]
    instants = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
    texts = ["", None, 'é"\\{},\U0001f600']
    async with await psycopg.AsyncConnection.connect(plain_url(database.url)) as connection:
        register_columns(connection)
        cursor = await connection.execute(
            "SELECT %b::uuid[], %b::bigint[], %b::timestamptz[], %b::text[], %b::jsonb[], %b::uuid[]",
            [
                Uuids.of(ids),
                Integers.of(numbers),
                Instants.of(instants),
                Texts.of(texts),
                Documents.of([msgspec.Raw(b'{"a": 1.50}'), msgspec.Raw(b"{}")]),
                Uuids.of([]),
            ],
        )
        found = await cursor.fetchone()
    assert found == (ids, numbers, instants, texts, [{"a": Decimal("1.5")}, {}], [])
