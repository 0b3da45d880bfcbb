"""Expressions of metrics, tried and applied as events come in (metering §1.2, §1.3, §2.4, §3)."""

import asyncio

import pytest
from tests import kit
from tests.kit import call, get, post

MILLIONS = "ceil((event.properties.in + event.properties.out) / 1048576, 2)"


async def computed(client, expression=MILLIONS, **more):
    return await kit.metric(client, field_name="total", expression=expression, **more)


def event(code, transaction_id="t", **properties):
    return {
        "transaction_id": transaction_id,
        "external_subscription_id": "s",
        "code": code,
        "timestamp": 1_700_000_000,
        "properties": properties,
    }


async def test_an_event_is_stored_with_what_the_expression_makes_of_it(client):
    """§12, E1: 6234567 / 1048576 = 5.94574642… is rounded up to 5.95; the rest stays as it was sent."""
    metric = await computed(client)
    body = {"event": event(metric["code"], **{"in": "5000000", "out": 1234567, "total": 1, "zip": "007"})}
    stored = (await post(client, "/events", body))["event"]
    assert stored["properties"] == {"in": "5000000", "out": 1234567, "total": "5.95", "zip": "007"}
    assert (await get(client, "/events/t"))["event"]["properties"] == stored["properties"]


async def test_what_has_no_value_is_refused_with_the_reason_and_not_stored(client):
    metric = await computed(client)
    answer = await post(client, "/events", {"event": event(metric["code"], **{"in": 1})}, expect=422)
    assert answer["error_details"] == "expression_evaluation_failed: Variable: out not found"
    await get(client, "/events/t", expect=404)


async def test_a_batch_tells_every_failure_by_its_index(client):
    """§1.3: what is missing replaces a failed expression; nothing is stored."""
    metric = await computed(client)
    good = event(metric["code"], "a", **{"in": 1, "out": 2})
    failing = event(metric["code"], "b", **{"in": 1})
    nameless = event(metric["code"], "", **{"in": 1})
    answer = await post(client, "/events/batch", {"events": [good, failing, nameless]}, expect=422)
    assert answer["error_details"] == {
        "1": "expression_evaluation_failed: Variable: out not found",
        "2": {"transaction_id": ["value_is_mandatory"]},
    }
    await get(client, "/events/a", expect=404)


async def test_a_change_of_the_expression_counts_for_the_next_event_at_once(client):
    """§1.2: what is stored is never computed again, and no memory of an old expression stores a wrong value."""
    metric = await computed(client, "event.properties.n * 2")
    path = f"/billable_metrics/{metric['code']}"
    for number in range(4):
        await call(client, "PUT", path, {"billable_metric": {"expression": f"event.properties.n + {number}"}})
        name = f"t{number}"
        stored = (await post(client, "/events", {"event": event(metric["code"], name, n=10)}))["event"]
        assert stored["properties"]["total"] == f"{10 + number}.0"
    await call(client, "PUT", path, {"billable_metric": {"expression": None}})
    stored = (await post(client, "/events", {"event": event(metric["code"], "plain", n=10)}))["event"]
    assert stored["properties"] == {"n": 10}
    assert (await get(client, "/events/t0"))["event"]["properties"]["total"] == "10.0"


async def test_events_that_come_in_during_a_change_are_stored_by_one_expression_or_the_other(client):
    metric = await computed(client, "event.properties.n * 2")
    path = f"/billable_metrics/{metric['code']}"

    async def send(number):
        body = {"event": event(metric["code"], f"t{number}", n=10)}
        return (await post(client, "/events", body))["event"]["properties"]["total"]

    async def change():
        await call(client, "PUT", path, {"billable_metric": {"expression": "event.properties.n * 3"}})

    first = [asyncio.create_task(send(number)) for number in range(20)]
    changing = asyncio.create_task(change())
    await asyncio.gather(changing, *first)
    assert {task.result() for task in first} <= {"20.0", "30.0"}
    assert await send("after") == "30.0"


@pytest.mark.parametrize("expression", ["1 +", "round(1,2,3)", '"a"', "--3", "("])
async def test_what_is_not_in_the_language_is_no_expression(client, expression):
    body = {
        "name": "m",
        "code": "m",
        "aggregation_type": "sum_agg",
        "field_name": "total",
        "expression": expression,
    }
    answer = await post(client, "/billable_metrics", {"billable_metric": body}, expect=422)
    assert answer["error_details"] == {"expression": ["invalid_expression"]}


TRY = "/billable_metrics/evaluate_expression"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"expression": "round(event.properties.v, 1)", "event": {"properties": {"v": "2.25"}}}, "2.3"),
        ({"expression": "concat(event.code, '-', event.timestamp)",
          "event": {"code": "c", "timestamp": "17 May"}}, "c-17"),
        ({"expression": "1 + 1"}, "2.0"),
        ({"expression": "concat(event.properties.zip)", "event": {"properties": {"zip": "00420"}}}, "00420"),
    ],
)  # fmt: skip
async def test_an_expression_can_be_tried(client, body, value):
    assert await post(client, TRY, body) == {"expression_result": {"value": value}}


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"expression": ["value_is_mandatory"]}),
        ({"expression": " "}, {"expression": ["value_is_mandatory"]}),
        ({"expression": "1 +"}, {"expression": ["invalid_expression"]}),
        ({"expression": "1 / 0"}, {"event": ["invalid_event"]}),
        ({"expression": "event.properties.x"}, {"event": ["invalid_event"]}),
    ],
)
async def test_a_trial_tells_what_is_wrong(client, body, details):
    assert (await post(client, TRY, body, expect=422))["error_details"] == details


@pytest.mark.parametrize(
    "event", [None, {}, {"code": None, "timestamp": None, "properties": None}, {"code": ""}]
)
async def test_a_trial_needs_no_event(client, event):
    """§2.4: without one, the code is empty and there are no properties."""
    body = {"expression": "concat('<', event.code, '>')", "event": event}
    assert await post(client, TRY, body) == {"expression_result": {"value": "<>"}}


@pytest.mark.parametrize(
    ("sent", "shown"), [(1.9, "1.0"), ("12abc", "12.0"), ("abc", "0.0"), ("-3.7", "-3.0")]
)
async def test_a_trials_timestamp_is_an_integer(client, sent, shown):
    body = {"expression": "event.timestamp", "event": {"timestamp": sent}}
    assert await post(client, TRY, body) == {"expression_result": {"value": shown}}
