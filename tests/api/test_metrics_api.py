"""Billable metrics over the API: fields, changes, filters (metering §2)."""

import pytest
from tests import kit
from tests.kit import call, get, post

COUNTERS = ("active_subscriptions_count", "draft_invoices_count", "plans_count")


async def change(client, metric, expect=200, **values):
    path = f"/billable_metrics/{metric['code']}"
    answer = await call(client, "PUT", path, {"billable_metric": values}, expect=expect)
    return answer["billable_metric"] if expect == 200 else answer["error_details"]


async def refused(client, **values):
    body = {"name": "m", "code": "m", "aggregation_type": "sum_agg", "field_name": "value", **values}
    return (await post(client, "/billable_metrics", {"billable_metric": body}, expect=422))["error_details"]


class TestFields:
    """§2.1."""

    async def test_defaults(self, client):
        body = {"name": "M", "code": "m", "aggregation_type": "sum_agg", "field_name": "value"}
        made = (await post(client, "/billable_metrics", {"billable_metric": body}))["billable_metric"]
        assert made.pop("lago_id")
        assert made.pop("created_at").endswith("Z")
        assert made == {
            **body,
            "description": None,
            "recurring": False,
            "weighted_interval": None,
            "rounding_function": None,
            "rounding_precision": None,
            "expression": None,
            "filters": [],
            **dict.fromkeys(COUNTERS, 0),
        }

    @pytest.mark.parametrize("name", ["name", "code", "field_name"])
    @pytest.mark.parametrize("value", [None, "", "  "])
    async def test_what_must_be_there(self, client, name, value):
        assert await refused(client, **{name: value}) == {name: ["value_is_mandatory"]}

    async def test_all_that_is_wrong_is_told_at_once(self, client):
        details = await refused(client, name=None, aggregation_type=None, rounding_function="trunc")
        assert details == {
            "name": ["value_is_mandatory"],
            "aggregation_type": ["value_is_invalid"],
            "rounding_function": ["value_is_invalid"],
        }

    @pytest.mark.parametrize("value", [[], {}, ["sum_agg"], {"a": 1}, 1, True])
    async def test_what_is_no_text_is_no_aggregation(self, client, value):
        assert await refused(client, aggregation_type=value) == {"aggregation_type": ["value_is_invalid"]}

    async def test_codes_are_compared_by_case(self, client):
        """§0."""
        await kit.metric(client, code="Api")
        await kit.metric(client, code="api")
        assert await refused(client, code="api") == {"code": ["value_already_exist"]}

    @pytest.mark.parametrize("kind", ["count_agg", "max_agg", "latest_agg"])
    async def test_what_cannot_be_carried_over(self, client, kind):
        details = await refused(client, aggregation_type=kind, recurring=True)
        assert details == {"recurring": ["not_compatible_with_aggregation_type"]}

    @pytest.mark.parametrize("kind", ["sum_agg", "unique_count_agg", "weighted_sum_agg"])
    async def test_what_can_be_carried_over(self, client, kind):
        assert (await kit.metric(client, kind, recurring=True, weighted_interval="seconds"))["recurring"]

    async def test_only_a_weighted_sum_has_an_interval(self, client):
        weighted = await kit.metric(client, "weighted_sum_agg", weighted_interval="seconds")
        summed = await kit.metric(client, "sum_agg", weighted_interval="seconds")
        assert (weighted["weighted_interval"], summed["weighted_interval"]) == ("seconds", None)

    async def test_null_is_the_default(self, client):
        made = await kit.metric(client, recurring=None, rounding_function=None, filters=None, expression="")
        assert (made["recurring"], made["filters"], made["expression"]) == (False, [], None)


class TestReading:
    """§2.2."""

    async def test_the_newest_is_listed_first_with_counters_that_one_alone_lacks(self, client):
        for code in ("first", "second", "third"):
            await kit.metric(client, code=code)
        listed = (await get(client, "/billable_metrics", page=1, per_page=2))["billable_metrics"]
        assert [metric["code"] for metric in listed] == ["third", "second"]
        alone = (await get(client, "/billable_metrics/third"))["billable_metric"]
        assert {**alone, **dict.fromkeys(COUNTERS, 0)} == listed[0]

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_an_unknown_one(self, client, other_client, method):
        await kit.metric(other_client, code="theirs")
        answer = await call(
            client, method, "/billable_metrics/theirs", {"billable_metric": {"name": "x"}}, expect=404
        )
        assert answer == {"status": 404, "error": "Not Found", "code": "billable_metric_not_found"}

    @pytest.mark.parametrize("body", [{}, {"billable_metric": {}}, {"billable_metric": None}, {"name": "m"}])
    async def test_without_its_root(self, client, body):
        answer = await post(client, "/billable_metrics", body, expect=400)
        missing = "BadRequest: param is missing or the value is empty or invalid: billable_metric"
        assert answer == {"status": 400, "error": missing}


class TestChanging:
    """§2.2."""

    async def test_only_what_is_sent_changes(self, client):
        made = await kit.metric(
            client, "sum_agg", description="d", recurring=True, rounding_function="ceil", rounding_precision=2,
            expression="1 + 1", filters=[{"key": "k", "values": ["v"]}],
        )  # fmt: skip
        changed = await change(client, made, name="Other")
        assert changed == {**made, "name": "Other"}
        assert (await change(client, made, description=None, rounding_precision=None)) == {
            **changed,
            "description": None,
            "rounding_precision": None,
        }

    async def test_everything_changes_while_no_plan_uses_it(self, client):
        made = await kit.metric(client, "sum_agg")
        changed = await change(client, made, code="new", aggregation_type="count_agg")
        assert (changed["code"], changed["aggregation_type"], changed["field_name"]) == (
            "new",
            "count_agg",
            None,
        )
        await kit.metric(client, code=made["code"])

    async def test_a_code_of_another_is_taken(self, client):
        await kit.metric(client, code="taken")
        made = await kit.metric(client)
        assert await change(client, made, 422, code="taken") == {"code": ["value_already_exist"]}
        assert (await change(client, made, code=made["code"]))["code"] == made["code"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("code", "other"),
            ("aggregation_type", "max_agg"),
            ("field_name", "other"),
            ("recurring", True),
            ("rounding_function", "ceil"),
            ("rounding_precision", 3),
            ("expression", "1 + 1"),
        ],
    )
    async def test_in_use_only_names_and_filters_change(self, client, name, value):
        made = await kit.metric(client)
        await kit.plan(client, kit.charge(made))
        assert await change(client, made, 422, **{name: value}) == {name: ["modification_not_allowed"]}
        kept = await change(client, made, **{name: made[name]}, name="N", description="D", filters=[])
        assert (kept["name"], kept["description"], kept[name]) == ("N", "D", made[name])

    async def test_it_is_in_use_as_long_as_a_live_charge_of_a_live_plan_is_on_it(self, client):
        made = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(made))
        await call(client, "DELETE", f"/plans/{plan['code']}/charges/{plan['charges'][0]['code']}")
        assert (await change(client, made, field_name="other"))["field_name"] == "other"
        plan = await kit.plan(client, kit.charge(made))
        assert await change(client, made, 422, field_name="x") == {"field_name": ["modification_not_allowed"]}
        await call(client, "DELETE", f"/plans/{plan['code']}")
        assert (await change(client, made, field_name="x"))["field_name"] == "x"

    @pytest.mark.parametrize("is_used", [False, True])
    async def test_an_unknown_aggregation_is_refused(self, client, is_used):
        made = await kit.metric(client)
        if is_used:
            await kit.plan(client, kit.charge(made))
        details = await change(client, made, 422, aggregation_type="median")
        assert details == {"aggregation_type": ["value_is_invalid"]}

    @pytest.mark.parametrize(
        ("values", "details"),
        [
            ({"name": ""}, {"name": ["value_is_mandatory"]}),
            ({"field_name": None}, {"field_name": ["value_is_mandatory"]}),
            ({"aggregation_type": "weighted_sum_agg"}, {"weighted_interval": ["value_is_invalid"]}),
            ({"expression": "1 +"}, {"expression": ["invalid_expression"]}),
        ],
    )
    async def test_bad_values_change_nothing(self, client, values, details):
        made = await kit.metric(client)
        assert await change(client, made, 422, **values, description="new") == details
        read = (await get(client, f"/billable_metrics/{made['code']}"))["billable_metric"]
        assert read["description"] is None


class TestFilters:
    """§2.3."""

    async def test_are_ordered_and_have_each_value_once(self, client):
        sent = [{"key": "tier", "values": ["std", "gold", "std"]}, {"key": "region", "values": ["us", "eu"]}]
        made = await kit.metric(client, filters=sent)
        assert made["filters"] == [
            {"key": "region", "values": ["eu", "us"]},
            {"key": "tier", "values": ["gold", "std"]},
        ]

    @pytest.mark.parametrize(
        ("filters", "details"),
        [
            ([{"key": "a"}], {"values": ["value_is_mandatory"]}),
            ([{"key": "a", "values": None}], {"values": ["value_is_mandatory"]}),
            ([{"key": "a", "values": [""]}], {"values": ["value_is_mandatory"]}),
            ([{"values": ["b"]}], {"key": ["value_is_mandatory"]}),
        ],
    )
    async def test_without_key_or_values_nothing_is_changed(self, client, filters, details):
        made = await kit.metric(client, filters=[{"key": "a", "values": ["b"]}])
        assert await change(client, made, 422, filters=filters, name="New") == details
        read = (await get(client, f"/billable_metrics/{made['code']}"))["billable_metric"]
        assert (read["name"], read["filters"]) == (made["name"], made["filters"])

    async def test_the_list_replaces_what_there_was(self, client):
        made = await kit.metric(client, filters=[{"key": key, "values": ["x"]} for key in "abc"])
        changed = await change(
            client, made, filters=[{"key": "b", "values": ["y"]}, {"key": "d", "values": ["z"]}]
        )
        assert changed["filters"] == [{"key": "b", "values": ["y"]}, {"key": "d", "values": ["z"]}]
        assert (await change(client, made, filters=[]))["filters"] == []


class TestDeleting:
    """§2.2."""

    async def test_takes_charges_in_all_plans_along_and_shows_what_there_was(self, client):
        kept, gone = (
            await kit.metric(client),
            await kit.metric(client, filters=[{"key": "k", "values": ["v"]}]),
        )
        plan = await kit.plan(client, kit.charge(kept), kit.charge(gone))
        child = await kit.subscribe(
            client, await kit.customer(client), plan, plan_overrides={"amount_cents": 5}
        )
        answer = await call(client, "DELETE", f"/billable_metrics/{gone['code']}")
        assert answer["billable_metric"] == gone
        for path in (f"/plans/{plan['code']}", f"/subscriptions/{child['external_id']}"):
            found = await get(client, path)
            shown = found.get("plan") or found["subscription"]["plan"]
            assert [charge["billable_metric_code"] for charge in shown["charges"]] == [kept["code"]]

    async def test_a_new_metric_of_that_code_sees_the_events_again(self, client):
        metric = await kit.metric(client, "count_agg", code="calls")
        who = await kit.customer(client)
        bought = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
        await kit.send(client, bought, metric, 0, 0)
        await call(client, "DELETE", "/billable_metrics/calls")
        assert (await kit.usage(client, who, bought))["charges_usage"] == []
        again = await kit.metric(client, "count_agg", code="calls")
        body = {"charge": {**kit.charge(again), "code": "calls"}}
        await post(client, f"/plans/{bought['plan_code']}/charges", body)
        (charge,) = (await kit.usage(client, who, bought))["charges_usage"]
        assert charge["units"] == "2.0"
