"""Events lie by months, are there once over all of them, and are found wherever they are moved to (decision 28)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from tests import kit

from tallymark.db import months

JANUARY = "2026-01-10T12:00:00Z"
FEBRUARY = "2026-02-10T12:00:00Z"
LONG_AGO = "2019-07-01T00:00:00Z"


@pytest.fixture
async def world(make_organization):
    """A customer who pays 2 for each call, in January."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    plan = await kit.plan(client, kit.charge(calls, amount="2"), code="plan")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    await kit.subscribe(client, who, plan, external_id="sub")
    return organization


def unix(instant):
    return int(datetime.fromisoformat(instant).timestamp())


async def send(client, transaction_id, at, *, expect=200):
    event = {"transaction_id": transaction_id, "external_subscription_id": "sub", "code": "calls"}
    body = {"event": {**event, "timestamp": unix(at), "properties": {"value": 3}}}
    await kit.call(client, "POST", "/events", body, expect=expect)


async def place(database, transaction_id):
    """The tables that have an event, and whether its key says where it stands."""
    async with database.system() as connection:
        rows = await connection.execute(
            text(
                "SELECT CAST(CAST(e.tableoid AS regclass) AS text) AS place, (SELECT (k.stream_id, k.timestamp) = (e.stream_id, e.timestamp)"
                " FROM event_keys k WHERE k.id = e.id) AS is_at_its_key FROM events e WHERE transaction_id = :id"
            ),
            {"id": transaction_id},
        )
        return [tuple(row) for row in rows]


async def test_an_event_lies_in_its_month_and_old_ones_in_the_rest(world, database):
    await send(world.client, "january", JANUARY)
    await send(world.client, "february", FEBRUARY)
    await send(world.client, "old", LONG_AGO)
    assert await place(database, "january") == [("events_2026_01", True)]
    assert await place(database, "february") == [("events_2026_02", True)]
    assert await place(database, "old") == [("events_rest", True)]


async def test_a_transaction_id_is_taken_in_all_months(world, database):
    await send(world.client, "once", JANUARY)
    await send(world.client, "once", FEBRUARY, expect=422)
    await send(world.client, "once", LONG_AGO, expect=422)
    assert await place(database, "once") == [("events_2026_01", True)]


async def test_an_event_is_found_where_it_was_moved_to(world, database):
    client = world.client
    await send(client, "moved", JANUARY)
    amended = {
        "event": {"external_subscription_id": "sub", "reason": "wrong month", "timestamp": unix(FEBRUARY)}
    }
    await kit.post(client, "/events/moved/amend", amended)
    assert await place(database, "moved") == [("events_2026_02", True)]
    voided = {"event": {"external_subscription_id": "sub", "reason": "never happened"}}
    await kit.post(client, "/events/moved/void", voided)
    assert await place(database, "moved") == [("events_2026_02", True)]
    await kit.post(
        client, "/events/moved/amend", amended | {"event": {**amended["event"], "timestamp": unix(LONG_AGO)}}
    )
    assert await place(database, "moved") == [("events_rest", True)]
    assert (await kit.get(client, "/events/moved"))["event"]["timestamp"] == "2019-07-01T00:00:00.000Z"


async def test_months_to_come_are_opened_with_what_came_for_them(world, database):
    """Now, by the calendar: the two months after this one are there; the one after those is opened when its turn comes."""
    today = datetime.now(UTC).replace(day=1)
    later = (today + timedelta(days=100)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    await send(world.client, "ahead", later.isoformat())
    assert await place(database, "ahead") == [("events_rest", True)]
    async with database.system() as connection:
        opened = text("SELECT tallymark_open_month(CAST(:month AS date))")
        month = {"month": later.date()}
        assert (await connection.execute(opened, month)).scalar_one() is True
        assert (await connection.execute(opened, month)).scalar_one() is False
    assert await place(database, "ahead") == [(f"events_{later:%Y_%m}", True)]
    await months.keep_months(database)
    async with database.system() as connection:
        assert (await connection.execute(months.OPEN_MONTHS)).scalar_one() == 0
