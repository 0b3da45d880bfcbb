"""Events over the API: what is taken, what is refused, and that nothing is half-stored (metering §1)."""

import asyncio
import json
import uuid
from urllib.parse import quote

import pytest
from tests import kit

PATH = "http://test/api/v1/events"


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


async def refused(client, body, *, path="/events"):
    answer = await kit.post(client, path, body, expect=422)
    assert answer["code"] == "validation_errors"
    return answer["error_details"]


async def test_an_event_is_answered_as_it_was_stored(client):
    sent = event(timestamp="1777889400.1239", properties={"value": 1.50, "nested": {"a": [1]}})
    made = (await kit.post(client, "/events", {"event": sent}))["event"]
    assert made["timestamp"] == "2026-05-04T10:10:00.123Z"
    assert (made["lago_customer_id"], made["lago_subscription_id"]) == (None, None)
    assert made["properties"] == {"value": 1.5, "nested": {"a": [1]}}
    read = (await kit.get(client, f"/events/{sent['transaction_id']}"))["event"]
    assert read == made


async def test_the_same_transaction_of_one_subscription_is_refused(client):
    first = event()
    await kit.post(client, "/events", {"event": first})
    assert await refused(client, {"event": first}) == {"transaction_id": ["value_already_exist"]}
    # Another subscription may use the same transaction id.
    await kit.post(client, "/events", {"event": {**first, "external_subscription_id": "other"}})
    assert await stored(client) == 2


async def test_of_many_copies_sent_at_once_exactly_one_is_taken(client):
    body = {"event": event()}
    answers = await asyncio.gather(*(client.post("/events", json=body) for _ in range(40)))
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 39
    assert await stored(client) == 1


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"transaction_id": ""}, {"transaction_id": ["value_is_mandatory"]}),
        (
            {"transaction_id": None, "code": " "},
            {"transaction_id": ["value_is_mandatory"], "code": ["value_is_mandatory"]},
        ),
        ({"transaction_id": "x" * 256}, {"transaction_id": ["value_is_too_long"]}),
        ({"code": "a\x00b"}, {"code": ["value_is_invalid"]}),
        ({"timestamp": "2026-05-04T10:00:00Z"}, {"timestamp": ["invalid_format"]}),
        ({"timestamp": ""}, {"timestamp": ["invalid_format"]}),
        ({"timestamp": 1777889400123}, {"timestamp": ["invalid_format"]}),
        ({"timestamp": -(10**15)}, {"timestamp": ["invalid_format"]}),
        ({"properties": []}, {"properties": ["invalid_type"]}),
        ({"properties": "text"}, {"properties": ["invalid_type"]}),
        ({"properties": {"value": "a\x00b"}}, {"properties": ["value_is_invalid"]}),
        ({"properties": {"value": "x" * 70_000}}, {"properties": ["invalid_size"]}),
        ({"precise_total_amount_cents": "ten"}, {"precise_total_amount_cents": ["invalid_amount"]}),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
async def test_bad_values_are_refused_by_name(client, wrong, details):
    assert await refused(client, {"event": event(**wrong)}) == details
    assert await stored(client) == 0


async def test_properties_nest_ten_deep_and_no_deeper(client):
    def nested(depth):
        return json.loads('{"a":' * depth + "1" + "}" * depth)

    await kit.post(client, "/events", {"event": event(properties=nested(10))})
    assert await refused(client, {"event": event(properties=nested(11))}) == {"properties": ["invalid_size"]}


async def test_a_value_that_the_database_cannot_hold_fails_its_own_event_alone(client):
    """A poisoned event never fails the other requests of its flush."""
    good = [json.dumps({"event": event()}) for _ in range(20)]
    bad = json.dumps({"event": event(properties={"value": "BIG"})}).replace('"BIG"', "1e200000")
    headers = {"content-type": "application/json"}
    answers = await asyncio.gather(
        *(client.post("/events", content=body, headers=headers) for body in [*good[:10], bad, *good[10:]])
    )
    assert [answer.status_code for answer in answers] == [200] * 10 + [422] + [200] * 10
    assert answers[10].json()["error_details"] == {"properties": ["value_is_invalid"]}
    assert await stored(client) == 20


async def test_null_properties_and_an_absent_subscription_are_fine(client):
    sent = {"transaction_id": 12345, "code": "calls", "properties": None}
    made = (await kit.post(client, "/events", {"event": sent}))["event"]
    assert (made["transaction_id"], made["properties"], made["external_subscription_id"]) == (
        "12345",
        {},
        None,
    )


@pytest.mark.parametrize("body", [{}, {"event": {}}, {"event": None}, {"other": 1}, [], 3])
async def test_without_its_root_a_request_is_bad(client, body):
    answer = await client.post("/events", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(
        "BadRequest: param is missing or the value is empty or invalid: event"
    )


async def test_what_is_no_json_is_bad(client):
    answer = await client.post(
        "/events", content=b'{"event": {', headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": "Bad Request"})


async def test_a_body_of_more_than_ten_mebibytes_is_too_large(client):
    answer = await client.post("/events", content=b" " * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()) == (413, {"status": 413, "error": "Payload Too Large"})


async def test_without_a_key_nothing_is_read(nobody):
    answer = await nobody.post("/api/v1/events", content=b"{")
    assert (answer.status_code, answer.json()) == (401, {"status": 401, "error": "Unauthorized"})


class TestBatch:
    async def test_is_answered_in_its_own_order(self, client):
        sent = [event(transaction_id=f"t{n}") for n in range(100)]
        answer = await kit.post(client, "/events/batch", {"events": sent})
        assert [made["transaction_id"] for made in answer["events"]] == [f"t{n}" for n in range(100)]
        assert "meta" not in answer

    @pytest.mark.parametrize(
        ("events", "code"), [([], "no_events"), (None, "no_events"), ([{}] * 101, "too_many_events")]
    )
    async def test_holds_one_to_a_hundred_events(self, client, events, code):
        assert await refused(client, {"events": events}, path="/events/batch") == {"events": [code]}

    async def test_tells_every_error_by_index_and_stores_nothing(self, client):
        sent = [event(), event(timestamp="soon"), event(), event(code="", transaction_id="")]
        assert await refused(client, {"events": sent}, path="/events/batch") == {
            "1": {"timestamp": ["invalid_format"]},
            "3": {"transaction_id": ["value_is_mandatory"], "code": ["value_is_mandatory"]},
        }
        assert await stored(client) == 0

    async def test_with_a_known_event_stores_nothing(self, client):
        known = event()
        await kit.post(client, "/events", {"event": known})
        sent = [event(), known, event()]
        duplicate = {"transaction_id": ["value_already_exist"]}
        assert await refused(client, {"events": sent}, path="/events/batch") == {"1": duplicate}
        assert await stored(client) == 1

    async def test_that_repeats_itself_stores_nothing(self, client):
        known, twice = event(), event()
        await kit.post(client, "/events", {"event": known})
        duplicate = {"transaction_id": ["value_already_exist"]}
        sent = [twice, known, twice, {**twice, "external_subscription_id": "another"}]
        answer = await refused(client, {"events": sent}, path="/events/batch")
        assert answer == {"1": duplicate, "2": duplicate}
        assert await stored(client) == 1

    async def test_a_refused_batch_does_not_take_its_neighbours_with_it(self, client):
        known = event()
        await kit.post(client, "/events", {"event": known})
        bodies = [{"events": [event(), event()]}, {"events": [event(), known]}, {"events": [event()]}]
        answers = await asyncio.gather(*(client.post("/events/batch", json=body) for body in bodies))
        assert [answer.status_code for answer in answers] == [200, 422, 200]
        assert await stored(client) == 4


class TestReading:
    async def test_lists_the_latest_first(self, client):
        for number, second in enumerate((5, 1, 9)):
            await kit.post(client, "/events", {"event": event(transaction_id=f"t{number}", timestamp=second)})
        found = (await kit.get(client, "/events"))["events"]
        assert [row["transaction_id"] for row in found] == ["t2", "t0", "t1"]

    async def test_filters_by_code_subscription_and_inclusive_times(self, client):
        for number, second in enumerate((1_700_000_000, 1_700_000_100)):
            await kit.post(client, "/events", {"event": event(code=f"c{number}", timestamp=second)})
        assert await stored(client, code="c1") == 1
        assert await stored(client, external_subscription_id="nobody") == 0
        assert await stored(client, timestamp_from="2023-11-14T22:15:00Z") == 1
        assert await stored(client, timestamp_to="2023-11-14T22:15:00Z") == 2
        assert await stored(client, timestamp_from="2023-11-14T22:15:01Z") == 0

    @pytest.mark.parametrize(
        ("query", "details"),
        [
            ({"timestamp_from": "soon"}, {"timestamp_from": ["invalid_date"]}),
            (
                {"timestamp_from_started_at": "maybe"},
                {"timestamp_from_started_at": ["must be one of: true, false"]},
            ),
            (
                {"timestamp_from_started_at": "true"},
                {"external_subscription_id": ["required with timestamp_from_started_at"]},
            ),
            (
                {"timestamp_from_started_at": "true", "timestamp_from": "2026-01-01"},
                {"timestamp_from": ["cannot be used with timestamp_from_started_at"]},
            ),
        ],
    )
    async def test_refuses_filters_that_make_no_sense(self, client, query, details):
        answer = await kit.get(client, "/events", expect=422, **query)
        assert answer["error_details"] == details

    async def test_an_unknown_event_is_not_found(self, client, other_client):
        theirs = event()
        await kit.post(other_client, "/events", {"event": theirs})
        answer = await kit.get(client, f"/events/{theirs['transaction_id']}", expect=404)
        assert answer["code"] == "event_not_found"

    async def test_a_transaction_id_may_hold_any_character(self, client):
        for text in ("a/b c?é", "a\nb", "a\ufdd0/b", "\ufdd0s"):
            await kit.post(client, "/events", {"event": event(transaction_id=text)})
            found = await kit.get(client, f"/events/{quote(text, safe='')}")
            assert found["event"]["transaction_id"] == text


async def test_usage_counts_what_was_just_acknowledged(client):
    metric = await kit.metric(client, "count_agg")
    plan = await kit.plan(client, kit.charge(metric, amount="10"))
    customer = await kit.customer(client)
    subscription = await kit.subscribe(client, customer, plan)
    for expected in (1000, 2000, 3000):
        await kit.send(client, subscription, metric, 0)
        assert (await kit.usage(client, customer, subscription))["amount_cents"] == expected


class TestWhatIsAnswered:
    async def test_an_amount_is_answered_as_it_is_stored(self, client):
        """metering §0, §1.1: 15 decimals, no superfluous zeros, the same from POST and GET."""
        for number, (sent, shown) in enumerate(
            [("1.500", "1.5"), ("3", "3.0"), ("0.12345678901234567", "0.123456789012346"), (2.25, "2.25")]
        ):
            body = {"transaction_id": f"a{number}", "code": "c", "precise_total_amount_cents": sent}
            made = (await kit.post(client, "/events", {"event": body}))["event"]
            read = (await kit.get(client, f"/events/a{number}"))["event"]
            assert made["precise_total_amount_cents"] == read["precise_total_amount_cents"] == shown

    async def test_ids_that_are_numbers_keep_every_digit(self, client):
        content = '{"event": {"transaction_id": 12345678901234567.5, "code": 7}}'
        answer = await client.post("/events", content=content)
        assert answer.json()["event"]["transaction_id"] == "12345678901234567.5"
        assert answer.json()["event"]["code"] == "7"
        batch = '{"events": [{"transaction_id": 1.50, "code": "c"}, {"transaction_id": {}, "code": "c"}]}'
        assert (await client.post("/events/batch", content=batch)).status_code == 422

    async def test_a_list_finds_events_over_many_streams(self, client):
        for number in range(3):
            body = {"transaction_id": f"t{number}", "code": f"c{number}", "external_subscription_id": "s"}
            await kit.post(client, "/events", {"event": {**body, "timestamp": 1_700_000_000 + number}})
        found = await kit.get(client, "/events", external_subscription_id="s")
        assert [event["transaction_id"] for event in found["events"]] == ["t2", "t1", "t0"]
        assert found["meta"]["total_count"] == 3
        assert (await kit.get(client, "/events", code="none"))["events"] == []
