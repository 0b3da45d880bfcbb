"""Events over the API, rule by rule: fields, order, filters, which subscription they are of (metering §1)."""

import pytest
from tests import kit
from tests.kit import get, post


def event(**more):
    return {"transaction_id": "t", "code": "calls", "external_subscription_id": "s", **more}


async def send(client, **more):
    return (await post(client, "/events", {"event": event(**more)}))["event"]


async def refused(client, **more):
    return (await post(client, "/events", {"event": event(**more)}, expect=422))["error_details"]


async def listed(client, **query):
    return [item["transaction_id"] for item in (await get(client, "/events", **query))["events"]]


@pytest.fixture
async def clocked(make_organization):
    return (await make_organization("2026-03-10T12:34:56Z")).client


class TestFields:
    """§1.1."""

    async def test_what_is_left_out(self, clocked):
        made = (await post(clocked, "/events", {"event": {"transaction_id": "t", "code": "c"}}))["event"]
        assert made.pop("lago_id")
        assert made == {
            "transaction_id": "t",
            "code": "c",
            "external_subscription_id": None,
            "timestamp": "2026-03-10T12:34:56.000Z",
            "properties": {},
            "precise_total_amount_cents": None,
            "lago_customer_id": None,
            "lago_subscription_id": None,
            "created_at": "2026-03-10T12:34:56Z",
        }

    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            (1773100800, "2026-03-10T00:00:00.000Z"),
            ("1773100800", "2026-03-10T00:00:00.000Z"),
            (1773100800.5, "2026-03-10T00:00:00.500Z"),
            ("1773100800.9999999999", "2026-03-10T00:00:00.999Z"),
            (0, "1970-01-01T00:00:00.000Z"),
            (-0.5, "1969-12-31T23:59:59.500Z"),
            (None, "2026-03-10T12:34:56.000Z"),
        ],
    )
    async def test_a_timestamp_is_in_seconds_of_any_number_of_decimals(self, clocked, sent, shown):
        assert (await send(clocked, timestamp=sent))["timestamp"] == shown

    async def test_microseconds_are_kept_and_cut(self, clocked):
        """The first is earlier though both are shown alike; a day's last microsecond is still of that day."""
        await send(clocked, transaction_id="b", timestamp="1773100800.0000019")
        await send(clocked, transaction_id="a", timestamp="1773100800.000000")
        assert await listed(clocked) == ["b", "a"]
        assert await listed(clocked, timestamp_to="2026-03-10T00:00:00Z") == ["b", "a"]
        assert await listed(clocked, timestamp_to="2026-03-09T23:59:59.999Z") == []

    @pytest.mark.parametrize(
        "wrong", ["abc", "", " ", "2026-03-10", True, [], {}, "1e", "--1", "NaN", "Infinity"]
    )
    async def test_any_other_timestamp_is_refused(self, clocked, wrong):
        assert await refused(clocked, timestamp=wrong) == {"timestamp": ["invalid_format"]}

    @pytest.mark.parametrize(("name", "shown"), [(7, "7"), (True, "true"), (1.5, "1.5")])
    async def test_ids_that_are_scalars_are_texts(self, clocked, name, shown):
        made = await send(clocked, transaction_id=name, code=name, external_subscription_id=name)
        assert (made["transaction_id"], made["code"], made["external_subscription_id"]) == (shown,) * 3

    @pytest.mark.parametrize("name", ["code", "transaction_id", "external_subscription_id"])
    async def test_ids_have_255_characters_at_the_most(self, clocked, name):
        assert (await send(clocked, **{name: "x" * 255}))[name] == "x" * 255
        assert await refused(clocked, **{name: "x" * 256}) == {name: ["value_is_too_long"]}

    async def test_an_absent_subscription_is_one_value_like_any_other(self, clocked):
        nobodys = {"transaction_id": "t", "code": "c"}
        await post(clocked, "/events", {"event": nobodys})
        taken = {"transaction_id": ["value_already_exist"]}
        for again in (nobodys, {**nobodys, "external_subscription_id": None}):
            assert (await post(clocked, "/events", {"event": again}, expect=422))["error_details"] == taken
        await send(clocked, external_subscription_id="s")

    async def test_the_timestamp_tells_no_events_apart(self, clocked):
        await send(clocked, timestamp=1)
        assert await refused(clocked, timestamp=2) == {"transaction_id": ["value_already_exist"]}

    @pytest.mark.parametrize("wrong", ["1,5", "12abc", "", True, [], {}, "NaN"])
    async def test_an_amount_that_is_no_decimal_is_refused(self, clocked, wrong):
        details = await refused(clocked, precise_total_amount_cents=wrong)
        assert details == {"precise_total_amount_cents": ["invalid_amount"]}


class TestOrderOfChecks:
    """§1.2: the timestamp, then the expression, then what is missing, then what is there already."""

    async def test_first_the_timestamp_then_the_expression_then_the_rest(self, clocked):
        metric = await kit.metric(clocked, field_name="total", expression="event.properties.n * 2")
        wrong = {"code": metric["code"], "transaction_id": ""}
        assert await refused(clocked, **wrong, timestamp="x") == {"timestamp": ["invalid_format"]}
        assert await refused(clocked, **wrong) == "expression_evaluation_failed: Variable: n not found"
        details = await refused(clocked, **wrong, properties={"n": 1})
        assert details == {"transaction_id": ["value_is_mandatory"]}

    async def test_an_expression_reads_whole_seconds(self, clocked):
        metric = await kit.metric(clocked, field_name="at", expression="event.timestamp")
        made = await send(clocked, code=metric["code"], timestamp="1773100800.9")
        assert made["properties"] == {"at": "1773100800.0"}

    async def test_an_expression_that_makes_text_stores_text(self, clocked):
        metric = await kit.metric(
            clocked,
            "unique_count_agg",
            field_name="who",
            expression="concat(event.properties.a, '/', event.code)",
        )
        made = await send(clocked, code=metric["code"], properties={"a": "x", "who": "sent"})
        assert made["properties"] == {"a": "x", "who": f"x/{metric['code']}"}

    async def test_a_deleted_metrics_expression_is_forgotten(self, clocked):
        metric = await kit.metric(clocked, field_name="n", expression="1 + 1")
        await kit.call(clocked, "DELETE", f"/billable_metrics/{metric['code']}")
        assert (await send(clocked, code=metric["code"]))["properties"] == {}


class TestReading:
    """§1.4."""

    async def test_at_one_instant_by_transaction_id(self, clocked):
        for name in ("b", "c", "a"):
            await send(clocked, transaction_id=name, timestamp=5)
        await send(clocked, transaction_id="d", timestamp=6)
        assert await listed(clocked) == ["d", "a", "b", "c"]
        assert await listed(clocked, page=2, per_page=3) == ["c"]

    async def test_a_date_is_its_midnight_in_utc_and_both_ends_count(self, clocked):
        await send(clocked, transaction_id="a", timestamp=kit.epoch("2026-03-09T23:59:59"))
        await send(clocked, transaction_id="b", timestamp=kit.epoch("2026-03-10"))
        assert await listed(clocked, timestamp_from="2026-03-10") == ["b"]
        assert await listed(clocked, timestamp_to="2026-03-10") == ["b", "a"]
        assert await listed(clocked, timestamp_to="2026-03-10T00:59:59+01:00") == ["a"]
        answer = await get(clocked, "/events", expect=422, timestamp_to="later")
        assert answer["error_details"] == {"timestamp_to": ["invalid_date"]}

    async def test_from_the_start_of_the_live_subscription_else_of_the_last_that_ended(self, clocked):
        who, plan = await kit.customer(clocked), await kit.plan(clocked)
        query = {"timestamp_from_started_at": "true", "external_subscription_id": "s"}
        for name, when in (("old", "2026-03-01"), ("new", "2026-03-10T13:00")):
            await send(clocked, transaction_id=name, timestamp=kit.epoch(when))
        assert await listed(clocked, **query) == ["new", "old"]
        await kit.subscribe(clocked, who, plan, external_id="s", subscription_at="2026-03-10")
        assert await listed(clocked, **query) == ["new"]
        await kit.advance(clocked, "2026-03-11")
        await kit.call(clocked, "DELETE", "/subscriptions/s")
        assert await listed(clocked, **query) == ["new"]
        assert await listed(clocked, **{**query, "timestamp_from_started_at": "false"}) == ["new", "old"]

    async def test_codes_and_ids_are_compared_by_case(self, clocked):
        """§0."""
        await send(clocked, code="Calls", external_subscription_id="S")
        assert (
            await listed(clocked, code="calls") == await listed(clocked, external_subscription_id="s") == []
        )
        await get(clocked, "/events/T", expect=404)

    async def test_there_is_no_analytical_store(self, clocked):
        answer = await clocked.get("/events_enriched")
        assert answer.json() == {"status": 403, "error": "Forbidden", "code": "endpoint_not_available"}
        assert answer.headers["x-lago-endpoint-status"] == "beta"


class TestWhoseTheyAre:
    """§1.5, §5.1: usage reads events of an external id by their time, whatever came first."""

    async def test_what_came_before_subscription_and_metric_counts_when_it_is_in_the_window(self, clocked):
        await send(clocked, transaction_id="before", timestamp=kit.epoch("2026-03-04"))
        await send(clocked, transaction_id="inside", timestamp=kit.epoch("2026-03-06"))
        metric = await kit.metric(clocked, "count_agg", code="calls")
        who = await kit.customer(clocked)
        plan = await kit.plan(clocked, kit.charge(metric))
        bought = await kit.subscribe(clocked, who, plan, external_id="s", subscription_at="2026-03-05")
        (charge,) = (await kit.usage(clocked, who, bought))["charges_usage"]
        assert (charge["units"], charge["events_count"]) == ("1.0", 1)

    async def test_future_ones_of_the_running_period_count_too(self, clocked):
        metric = await kit.metric(clocked, "count_agg", code="calls")
        who = await kit.customer(clocked)
        bought = await kit.subscribe(
            clocked, who, await kit.plan(clocked, kit.charge(metric)), external_id="s"
        )
        await send(clocked, transaction_id="a", timestamp=kit.epoch("2026-03-31T23:59:59"))
        await send(clocked, transaction_id="b", timestamp=kit.epoch("2026-04-01"))
        (charge,) = (await kit.usage(clocked, who, bought))["charges_usage"]
        assert charge["units"] == "1.0"

    async def test_of_the_day_of_the_start_only_what_came_after_the_hour(self, clocked):
        """§4: from `started_at`, with its time of day."""
        metric = await kit.metric(clocked, "count_agg", code="calls")
        who = await kit.customer(clocked)
        bought = await kit.subscribe(
            clocked, who, await kit.plan(clocked, kit.charge(metric)), external_id="s"
        )
        await send(clocked, transaction_id="a", timestamp=kit.epoch("2026-03-10T12:34:55"))
        await send(clocked, transaction_id="b", timestamp=kit.epoch("2026-03-10T12:34:56"))
        found = await kit.usage(clocked, who, bought)
        assert found["charges_usage"][0]["units"] == "1.0"
        assert (found["from_datetime"], found["to_datetime"]) == (
            "2026-03-10T12:34:56Z",
            "2026-03-31T23:59:59Z",
        )
