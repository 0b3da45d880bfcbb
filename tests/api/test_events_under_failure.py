"""What events meet when things go wrong: a full queue, a lost database connection, values no database holds (metering §1)."""

import asyncio
import uuid

import psycopg
import pytest
from tests import kit

from tallymark.metering import intake
from tallymark.rooms.events import service


def event(**more):
    return {
        "transaction_id": uuid.uuid4().hex,
        "code": "calls",
        "external_subscription_id": "sub",
        "properties": {"value": "1"},
        **more,
    }


async def stored(client, **filters):
    return (await kit.get(client, "/events", **filters))["meta"]["total_count"]


async def test_a_full_queue_turns_away_and_says_when_to_come_back(client, monkeypatch):
    monkeypatch.setattr(intake, "MOST_WAITING", 0)
    answer = await client.post("/events", json={"event": event()})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert await stored(client) == 0


async def test_a_lost_connection_fails_its_own_flush_and_loses_nothing_acknowledged(client, database_url):
    await kit.post(client, "/events", {"event": event()})
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'tallymark intake' AND datname = current_database()"
        )
    sent = [event() for _ in range(5)]
    answers = await asyncio.gather(*(client.post("/events", json={"event": one}) for one in sent))
    assert {answer.status_code for answer in answers} <= {200, 500}
    failed = [one for one, answer in zip(sent, answers, strict=True) if answer.status_code == 500]
    assert await stored(client) == 1 + len(sent) - len(failed)
    for one in failed:
        await kit.post(client, "/events", {"event": one})
    assert await stored(client) == 1 + len(sent)


async def test_what_a_simulated_call_left_undone_is_done_when_the_event_is_sent_again(
    make_organization, monkeypatch
):
    """It is taken in, then the call dies before it is noted that the event counts nowhere for what it lacks."""
    client = (await make_organization("2026-03-01T00:00:00Z")).client
    sold = await kit.metric(client, code="calls")
    plan = await kit.plan(client, kit.charge(sold))
    await kit.subscribe(client, await kit.customer(client), plan, external_id="sub")
    one, two = (event(properties={"value": "much"}) for _ in range(2))

    async def dies(*_, **__):
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(service, "note_arrived", dies)
        assert (await client.post("/events", json={"event": one})).status_code == 500
        assert (await client.post("/events/batch", json={"events": [two]})).status_code == 500
    assert (await stored(client), await stored(client, unmatched="true")) == (2, 0)
    await kit.post(client, "/events", {"event": one}, expect=422)
    await kit.post(client, "/events/batch", {"events": [two]}, expect=422)
    assert (await stored(client), await stored(client, unmatched="true")) == (2, 2)


async def test_a_list_may_begin_where_the_subscription_began(make_organization):
    client = (await make_organization("2026-03-01T00:00:00Z")).client
    who, to = await kit.customer(client), await kit.plan(client)
    of = await kit.subscribe(client, who, to)
    for when in ("2026-02-28T23:59:59", "2026-03-01T00:00:01", "2026-03-02T00:00:00"):
        sent = event(external_subscription_id=of["external_id"], timestamp=kit.epoch(when))
        await kit.post(client, "/events", {"event": sent})
    named = {"external_subscription_id": of["external_id"]}
    assert await stored(client, **named, timestamp_from_started_at="false") == 3
    assert await stored(client, **named, timestamp_from_started_at="true") == 2


# Half a character is no JSON text; a number beyond all bounds is JSON, but nothing that can be kept.
UNSTORABLE = [('{"value": "\\ud800"}', 400), ('{"value": 1e9999999999999999999999}', 422)]


@pytest.mark.parametrize("has_expression", [False, True], ids=["plain", "with an expression"])
@pytest.mark.parametrize(("properties", "status"), UNSTORABLE, ids=["lone surrogate", "number out of range"])
async def test_values_that_no_database_holds_are_refused(client, properties, status, has_expression):
    if has_expression:
        await kit.metric(client, code="calls", expression="event.properties.value * 2")
    body = f'{{"event": {{"transaction_id": "t", "code": "calls", "properties": {properties}}}}}'
    for _ in range(2):  # the second by what the first has taught the intake
        answer = await client.post("/events", content=body)
        assert answer.status_code == status, answer.text
    assert await stored(client) == 0
