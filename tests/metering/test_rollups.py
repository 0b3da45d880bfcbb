"""Roll-ups answer as the events themselves do, whenever these came and whatever was going on meanwhile."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tallymark.db.engine import plain_url
from tallymark.domain.periods import Period
from tallymark.domain.usage import Bucket, Partition
from tallymark.jobs.schedule import enqueue_what_is_due
from tallymark.metering import aggregation, rollups
from tallymark.metering.aggregation import Aggregation, UsageQuery, aggregate_all
from tallymark.metering.intake import Intake, Row

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg")
EU = Bucket(conditions=(("region", ("eu", "uk")),), group_keys=("team",))
BY_TEAM = Partition(buckets=(EU,), default=Bucket(group_keys=("team", "size")))
PARTITIONS = (Partition(), BY_TEAM, replace(BY_TEAM, only=(("size", ("s", "m")),)))

values = st.one_of(
    st.none(),
    st.integers(-50, 50),
    st.decimals(-100, 100, places=3).map(str),
    st.sampled_from(["1e3", "+5", " 5", "", "a", "007", True, 1e3, "12.50"]),
)
events = st.lists(
    st.fixed_dictionaries(
        {
            # Minutes and stray microseconds around the edges of hours and windows.
            "at": st.builds(
                lambda minutes, stray: timedelta(minutes=minutes, microseconds=stray),
                st.integers(-120, 360),
                st.sampled_from([0, 0, 1, 999_999]),
            ),
            "value": values,
            "region": st.sampled_from(["eu", "uk", "us", None]),
            "team": st.sampled_from(["red", "", None, 7]),
            "size": st.sampled_from(["s", "m", "l"]),
            "operation_type": st.sampled_from([None, "add", "remove"]),
            "amount": st.sampled_from([None, "0.5", "12.000000000000001"]),
        }
    ),
    max_size=30,
)
windows = st.tuples(st.integers(-60, 200), st.integers(0, 200)).map(
    lambda cut: Period(
        START + timedelta(minutes=cut[0]),
        START + timedelta(minutes=cut[0] + cut[1], seconds=7 * (cut[1] % 3)),
    )
)


def rows(organization_id, subscription, told):
    return [
        Row(
            id=uuid4(),
            organization_id=organization_id,
            external_subscription_id=subscription,
            code="m",
            transaction_id=uuid4().hex,
            timestamp=START + one["at"],
            created_at=START,
            properties=msgspec.Raw(
                msgspec.json.encode({key: one[key] for key in one if key not in ("at", "amount")})
            ),
            precise_total_amount_cents=one["amount"],
        )
        for one in told
    ]


def questions(subscription, window):
    return [
        UsageQuery(
            external_subscription_id=subscription,
            aggregation=Aggregation(
                code="m",
                aggregation_type=kind,
                field_name=None if kind == "count_agg" else "value",
                window=window,
                full_period=Period(window.start, window.start + timedelta(days=31)),
                partition=partition,
                is_recurring=is_recurring,
            ),
        )
        for kind in KINDS
        for partition in PARTITIONS
        for is_recurring in (False, True)
    ]


async def answers(database, organization_id, asked):
    async with database.tenant(organization_id) as tx:
        return await aggregate_all(tx, asked)


async def answers_from_events(monkeypatch, database, organization_id, asked):
    with monkeypatch.context() as patch:
        patch.setattr(aggregation, "choose", lambda *_: None)
        return await answers(database, organization_id, asked)


async def ask_for(monkeypatch, database, organization_id, asked):
    """Have the roll-ups of every question asked for, however few events there are."""
    with monkeypatch.context() as patch:
        patch.setattr(rollups, "WORTH_IT", 1)
        await answers(database, organization_id, asked)


async def test_roll_ups_equal_their_events(database, organization, monkeypatch):
    """Some events are there before, some come while it is built, some after; the window cuts hours anywhere."""
    examples = []

    @settings(max_examples=40, database=None)
    @given(events, events, events, windows)
    def draw(before, meanwhile, after, window):
        examples.append((before, meanwhile, after, window))

    draw()
    compared = 0
    async with Intake(plain_url(database.url)) as intake:
        for before, meanwhile, after, window in examples:
            subscription = uuid4().hex
            asked = questions(subscription, window)

            async def send(told, subscription=subscription):
                if told:
                    await intake.store(rows(organization.id, subscription, told))

            await send(before)
            await ask_for(monkeypatch, database, organization.id, asked)
            with monkeypatch.context() as patch:
                build = rollups._build

                async def build_late(*args, meanwhile=meanwhile, build=build, send=send):
                    await send(meanwhile)
                    return await build(*args)

                patch.setattr(rollups, "_build", build_late)
                await rollups.build_wanted(database)
            await send(after)
            # What ends the subscription earlier cuts the window that was built for.
            cut = Period(window.start, window.start + (window.end - window.start) / 3)
            asked += questions(subscription, cut)
            expected = await answers_from_events(monkeypatch, database, organization.id, asked)
            found = await answers(database, organization.id, asked)
            assert found == expected
            # PostgreSQL adds counts up as decimals, which prices can't multiply and which equal whole numbers.
            assert all(
                type(one.usage.events_count) is int
                for of_query in found.values()
                for one in of_query.values()
            )
            compared += len(asked)
    assert compared
    async with database.system() as connection:
        built = await connection.execute(text("SELECT count(*) FROM rollups WHERE built_at IS NOT NULL"))
        assert built.scalar_one() > 100


async def test_flushes_of_several_processes_and_the_building_lose_nothing(
    database, organization, monkeypatch
):
    """Three intakes send to the same subscription while its roll-ups are asked for and built."""
    subscription, window = uuid4().hex, Period(START, START + 30 * HOUR)
    asked = questions(subscription, window)
    dice = random.Random(7)

    def some(count):
        return [
            {
                "at": timedelta(minutes=dice.randrange(30 * 60)),
                "value": dice.choice([1, "2.5", -3, "a"]),
                "region": dice.choice(["eu", "us"]),
                "team": dice.choice(["red", "blue"]),
                "size": "s",
                "operation_type": dice.choice(["add", "remove"]),
                "amount": "0.25",
            }
            for _ in range(count)
        ]

    is_built = asyncio.Event()
    flushes = 0

    async def send(intake):
        nonlocal flushes
        left = 5
        while left:
            left -= is_built.is_set()
            flushes += 1
            assert await intake.store(rows(organization.id, subscription, some(20))) == frozenset()

    async def build():
        await asyncio.sleep(0.1)
        await ask_for(monkeypatch, database, organization.id, asked)
        await rollups.build_wanted(database)
        is_built.set()

    conninfo = plain_url(database.url)
    async with Intake(conninfo) as one, Intake(conninfo) as two, Intake(conninfo) as three:
        await one.store(rows(organization.id, subscription, some(300)))
        await asyncio.gather(build(), *(send(intake) for intake in (one, two, three)))
    found = await answers(database, organization.id, asked)
    assert found == await answers_from_events(monkeypatch, database, organization.id, asked)
    whole = found[asked[0]]
    assert sum(aggregate.usage.events_count for aggregate in whole.values()) == 300 + flushes * 20
    async with database.system() as connection:
        parts = text(
            "SELECT count(*) FILTER (WHERE is_base), count(*) FILTER (WHERE NOT is_base) FROM rollup_parts"
            " JOIN rollups r ON r.id = rollup_id JOIN event_streams s ON s.id = r.stream_id"
            " WHERE s.external_subscription_id = :subscription"
        )
        base, added = (await connection.execute(parts, {"subscription": subscription})).one()
    assert base > 0
    assert added > 0


async def test_a_roll_up_of_events_that_are_all_different_is_let_go(database, organization, monkeypatch):
    subscription, window = uuid4().hex, Period(START, START + 30 * HOUR)
    question = UsageQuery(
        external_subscription_id=subscription,
        aggregation=Aggregation(
            code="m", aggregation_type="unique_count_agg", field_name="value", window=window
        ),
    )
    told = [
        {"at": timedelta(seconds=number), "value": f"v{number}", "amount": None} for number in range(2_500)
    ]
    async with Intake(plain_url(database.url)) as intake:
        await intake.store(rows(organization.id, subscription, told))
        first = await answers(database, organization.id, [question])
        await rollups.build_wanted(database)
        assert await answers(database, organization.id, [question]) == first
        assert first[question][0, ()].usage.units == 2_500
        async with database.system() as connection:
            found = (
                await connection.execute(
                    text(
                        "SELECT built_at, declined_at, (SELECT count(*) FROM rollup_parts WHERE rollup_id = r.id)"
                        " FROM rollups r JOIN event_streams s ON s.id = r.stream_id"
                        " WHERE s.external_subscription_id = :subscription"
                    ),
                    {"subscription": subscription},
                )
            ).one()
        assert found[0] is None
        assert found[1] is not None
        assert found[2] == 0


async def test_few_events_are_read_as_they_are(database, organization):
    """Nobody asks for a roll-up of a small stream: it would cost each flush, and save nothing."""
    subscription, window = uuid4().hex, Period(START, START + 30 * HOUR)
    told = [{"at": timedelta(seconds=number), "value": 1, "amount": None} for number in range(50)]
    async with Intake(plain_url(database.url)) as intake:
        await intake.store(rows(organization.id, subscription, told))
    await answers(database, organization.id, questions(subscription, window))
    async with database.system() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) FROM rollups r JOIN event_streams s ON s.id = r.stream_id"
                " WHERE s.external_subscription_id = :subscription"
            ),
            {"subscription": subscription},
        )
        assert found.scalar_one() == 0


async def test_asking_waits_for_nobody_and_a_worker_hears_of_it(database, organization, monkeypatch):
    """Two reads find the same stream busy at once; the scheduler then queues the building."""
    subscription, window = uuid4().hex, Period(START, START + 30 * HOUR)
    asked = questions(subscription, window)[:1]
    told = [{"at": HOUR, "value": 1, "amount": None}]
    monkeypatch.setattr(rollups, "WORTH_IT", 1)
    async with Intake(plain_url(database.url)) as intake:
        await intake.store(rows(organization.id, subscription, told))
    await rollups.build_wanted(database)
    async with database.tenant(organization.id) as one, database.tenant(organization.id) as two:
        await aggregate_all(one, asked)
        await asyncio.wait_for(aggregate_all(two, asked), 20)
    async with database.system() as connection:
        await enqueue_what_is_due(connection, now=START)
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'build_rollups' AND status = 'todo'"
        assert (await connection.execute(text(jobs))).scalar_one() == 1
    assert await rollups.build_wanted(database) == 1


async def test_a_new_roll_up_raises_the_version_that_flushes_go_by(database, organization, monkeypatch):
    """An intake that does not know of it stores nothing under the old version, and learns."""
    subscription, window = uuid4().hex, Period(START, START + 30 * HOUR)
    asked = questions(subscription, window)[:1]
    told = [{"at": HOUR, "value": 1, "amount": None}]
    async with Intake(plain_url(database.url)) as intake:
        await intake.store(rows(organization.id, subscription, told))
        await ask_for(monkeypatch, database, organization.id, asked)
        known = intake.rules.version
        await rollups.build_wanted(database)
        await intake.store(rows(organization.id, subscription, told))
        assert intake.rules.version > known
        found = await answers(database, organization.id, asked)
    assert found[asked[0]][0, ()].usage.units == 2


async def test_who_raises_the_version_waits_for_the_flushes_of_the_one_before(database):
    """Otherwise the building could miss events that are being stored while it begins to count."""
    conninfo = plain_url(database.url)
    async with (
        await psycopg.AsyncConnection.connect(conninfo) as flush,
        await psycopg.AsyncConnection.connect(conninfo) as raiser,
    ):
        ((version,),) = await (await raiser.execute(VERSION)).fetchall()
        await raiser.rollback()
        held = await flush.execute(
            "SELECT tallymark_hold_rules(%s), tallymark_hold_rules(%s)", [version, version - 1]
        )
        assert await held.fetchone() == (True, False)
        await raiser.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await raiser.execute("UPDATE versions SET value = value + 1 WHERE name = 'advance_codes'")
        await flush.rollback()
        await raiser.rollback()
        await raiser.execute("UPDATE versions SET value = value + 1 WHERE name = 'advance_codes'")
        await raiser.rollback()


VERSION = "SELECT value FROM versions WHERE name = 'advance_codes'"
