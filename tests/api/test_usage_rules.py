"""Current usage over the API: who is asked for, what is selected, how it is shown (metering §9.1)."""

import json

import pytest
from tests import kit
from tests.kit import get


@pytest.fixture
async def seller(make_organization):
    return (await make_organization("2026-06-10T12:00:00Z")).client


async def read(client, who, bought, *, expect=200, **query):
    path = f"/customers/{who['external_id']}/current_usage"
    answer = await get(client, path, expect=expect, external_subscription_id=bought["external_id"], **query)
    return answer["customer_usage"] if expect == 200 else answer


async def used(client, bought, metric, *events):
    """Events as properties."""
    for properties in events:
        await kit.send(client, bought, metric, 0, properties=properties)


class World:
    """Two charges on calls, one of them grouped by team and model, and one on seats; each unit of calls costs 1."""

    async def build(self, client):
        self.calls = await kit.metric(client, "sum_agg", name="calls")
        self.seats = await kit.metric(client, "count_agg", name="Seats")
        grouped = kit.charge(
            self.calls,
            amount="1",
            pricing_group_keys=["team", "model"],
            presentation_group_keys=[{"value": "region"}, {"value": "user"}],
        )
        self.plan = await kit.plan(
            client,
            {**kit.charge(self.seats, amount="0.5"), "code": "seats"},
            {**grouped, "code": "grouped"},
            {**kit.charge(self.calls, amount="2"), "code": "plain", "invoice_display_name": "Plain calls"},
        )
        self.who = await kit.customer(client)
        self.bought = await kit.subscribe(client, self.who, self.plan)
        self.client = client
        await used(
            client,
            self.bought,
            self.calls,
            {"value": 1, "team": "a", "model": "x", "region": "eu", "user": "u1"},
            {"value": 2, "team": "a", "model": "y", "region": "us", "user": "u1"},
            {"value": 4, "team": "b", "model": "x", "region": "eu", "user": "u2"},
            {"value": 8},
        )
        return self

    async def usage(self, **query):
        return await read(self.client, self.who, self.bought, **query)

    async def items(self, **query):
        return {item["charge"]["code"]: item for item in (await self.usage(**query))["charges_usage"]}

    async def units(self, **query):
        return {code: item["units"] for code, item in (await self.items(**query)).items()}

    def charge(self, code):
        return next(charge for charge in self.plan["charges"] if charge["code"] == code)


@pytest.fixture
async def world(seller):
    return await World().build(seller)


def groups(item):
    return {tuple(group["grouped_by"].items()): group["units"] for group in item["grouped_usage"]}


class TestWhoIsAskedFor:
    async def test_an_unknown_customer_is_an_unknown_resource(self, seller):
        for path in ("current_usage", "projected_usage"):
            answer = await get(seller, f"/customers/nobody/{path}", expect=404, external_subscription_id="s")
            assert answer == {"status": 404, "error": "Not Found", "code": "resource_not_found"}

    async def test_only_an_active_subscription_of_the_customer_has_usage(self, seller):
        plan, who, other = await kit.plan(seller), await kit.customer(seller), await kit.customer(seller)
        theirs = await kit.subscribe(seller, other, plan)
        later = await kit.subscribe(seller, who, plan, subscription_at="2026-07-01")
        ended = await kit.subscribe(seller, who, plan)
        await kit.call(seller, "DELETE", f"/subscriptions/{ended['external_id']}")
        for bought in (theirs, later, ended, {"external_id": ""}, {"external_id": "none"}):
            answer = await read(seller, who, bought, expect=405)
            assert answer == {"status": 405, "error": "Method Not Allowed", "code": "no_active_subscription"}


class TestSelectors:
    async def test_one_charge_by_id_else_code_else_metric(self, world):
        by_id = {"charge_id": world.charge("seats")["lago_id"]}
        assert await world.units(**by_id) == {"seats": "0.0"}
        assert await world.units(**by_id, charge_code="plain") == {"seats": "0.0"}
        assert await world.units(charge_code="plain") == {"plain": "15.0"}
        assert await world.units(charge_code="plain", billable_metric_code=world.seats["code"]) == {
            "plain": "15.0"
        }
        by_metric = {"grouped": "15.0", "plain": "15.0"}
        assert await world.units(billable_metric_code=world.calls["code"]) == by_metric

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("charge_id", "filter_by_charge_id"),
            ("charge_code", "filter_by_charge_code"),
            ("billable_metric_code", "filter_by_metric_code"),
        ],
    )
    async def test_of_two_names_the_first_wins(self, world, first, second):
        of = {
            "charge_id": [world.charge(code)["lago_id"] for code in ("seats", "plain")],
            "charge_code": ["seats", "plain"],
            "billable_metric_code": [world.seats["code"], world.calls["code"]],
        }[first]
        assert list(await world.units(**{second: of[0]})) == ["seats"]
        assert list(await world.units(**{first: of[0], second: of[1]})) == ["seats"]

    @pytest.mark.parametrize(
        "query",
        [
            {"charge_id": "00000000-0000-7000-8000-000000000000"},
            {"charge_id": "no-id"},
            {"charge_code": "none"},
            {"billable_metric_code": "none"},
        ],
    )
    async def test_what_selects_nothing_is_not_found(self, world, query):
        assert (await world.usage(expect=404, **query))["code"] == "charge_not_found"


class TestGroups:
    async def test_each_group_is_priced_and_what_lacks_the_keys_is_one(self, world):
        item = (await world.items())["grouped"]
        assert (item["units"], item["amount_cents"], item["events_count"]) == ("15.0", 1500, 4)
        assert groups(item) == {
            (("team", "a"), ("model", "x")): "1.0",
            (("team", "a"), ("model", "y")): "2.0",
            (("team", "b"), ("model", "x")): "4.0",
            (("team", None), ("model", None)): "8.0",
        }
        assert (await world.items())["plain"]["grouped_usage"] == []

    @pytest.mark.parametrize(
        "query",
        [
            {"group[team]": "a"},
            {"group[team][]": "a"},
            {"group": json.dumps({"team": "a"})},
            {"group": json.dumps({"team": ["a"]})},
            {"filter_by_group[team]": "a"},
            {"filter_by_group": json.dumps({"team": "a"})},
        ],
    )
    async def test_a_group_narrows_every_charge_and_the_rest_still_groups(self, world, query):
        items = await world.items(**query)
        assert {code: item["units"] for code, item in items.items()} == {
            "seats": "0.0",
            "grouped": "3.0",
            "plain": "3.0",
        }
        assert groups(items["grouped"]) == {(("model", "x"),): "1.0", (("model", "y"),): "2.0"}

    async def test_a_group_may_be_of_several_values(self, world):
        found = await world.units(**{"group[team][]": ["a", "b"], "group[region]": "eu"})
        assert found == {"seats": "0.0", "grouped": "5.0", "plain": "5.0"}
        (item,) = (
            await world.items(charge_code="grouped", group='{"team": ["a", "b"], "model": "x"}')
        ).values()
        assert (item["units"], item["grouped_usage"]) == ("5.0", [])

    async def test_without_grouping_a_bucket_is_one_fee(self, world):
        item = (await world.items(skip_grouping="true"))["grouped"]
        assert (item["units"], item["grouped_usage"]) == ("15.0", [])

    @pytest.mark.parametrize("name", ["group", "filter_by_group", "filter_by_presentation"])
    async def test_what_is_no_json_is_a_bad_request(self, world, name):
        answer = await world.usage(expect=400, **{name: "{"})
        assert answer["status"] == 400
        assert answer["error"].startswith("BadRequest")


class TestBreakdowns:
    async def test_are_of_each_group(self, world):
        item = (await world.items())["grouped"]
        assert item["presentation_breakdowns"] == []
        shown = {
            tuple(group["grouped_by"].values()): [
                (row["presentation_by"], row["units"]) for row in group["presentation_breakdowns"]
            ]
            for group in item["grouped_usage"]
        }
        assert shown == {
            ("a", "x"): [({"region": "eu", "user": "u1"}, "1.0")],
            ("a", "y"): [({"region": "us", "user": "u1"}, "2.0")],
            ("b", "x"): [({"region": "eu", "user": "u2"}, "4.0")],
            (None, None): [({"region": None, "user": None}, "8.0")],
        }

    async def test_may_be_of_some_keys_or_none(self, world):
        query = {"charge_code": "grouped", "skip_grouping": "true"}
        (item,) = (await world.items(**query, filter_by_presentation='["region"]')).values()
        rows = {row["presentation_by"]["region"]: row["units"] for row in item["presentation_breakdowns"]}
        assert rows == {"eu": "5.0", "us": "2.0", None: "8.0"}
        (item,) = (await world.items(**query, filter_by_presentation="[]")).values()
        assert (item["presentation_breakdowns"], item["units"]) == ([], "15.0")


class TestFullUsage:
    async def test_is_from_the_start_to_the_end_of_the_running_period(self, world):
        await kit.advance(world.client, "2026-07-03")
        await used(world.client, world.bought, world.calls, {"value": 32})
        assert (await world.units(charge_code="plain"))["plain"] == "32.0"
        found = await world.usage(charge_code="plain", full_usage="true")
        assert (found["charges_usage"][0]["units"], found["amount_cents"]) == ("47.0", 9400)
        assert (found["from_datetime"], found["to_datetime"]) == (
            "2026-06-10T12:00:00Z",
            "2026-07-31T23:59:59Z",
        )
        assert (await world.units(full_usage="true", **{"group[team]": "a"}))["plain"] == "3.0"

    async def test_needs_a_selector_and_no_charge_by_the_day(self, seller):
        metric = await kit.metric(seller, "sum_agg", recurring=True)
        plan = await kit.plan(seller, {**kit.charge(metric), "prorated": True, "code": "c"})
        who = await kit.customer(seller)
        bought = await kit.subscribe(seller, who, plan)
        for query in ({}, {"charge_code": "c"}):
            answer = await read(seller, who, bought, expect=405, full_usage="true", **query)
            assert answer["code"] == "full_usage_not_allowed"


class TestAnswer:
    async def test_shape(self, world):
        found = await world.usage()
        item = found["charges_usage"][1]
        assert {name: found[name] for name in found if name != "charges_usage"} == {
            "from_datetime": "2026-06-10T12:00:00Z",
            "to_datetime": "2026-06-30T23:59:59Z",
            "issuing_date": "2026-06-30",
            "currency": "EUR",
            "amount_cents": 4500,
            "taxes_amount_cents": 0,
            "total_amount_cents": 4500,
            "lago_invoice_id": None,
        }
        plain = next(each for each in found["charges_usage"] if each["charge"]["code"] == "plain")
        assert plain == {
            "units": "15.0",
            "total_aggregated_units": "15.0",
            "events_count": 4,
            "amount_cents": 3000,
            "amount_currency": "EUR",
            "pricing_unit_details": None,
            "charge": {
                "lago_id": world.charge("plain")["lago_id"],
                "code": "plain",
                "charge_model": "standard",
                "invoice_display_name": "Plain calls",
            },
            "billable_metric": {
                "lago_id": world.calls["lago_id"],
                "name": "calls",
                "code": world.calls["code"],
                "aggregation_type": "sum_agg",
            },
            "filters": [],
            "grouped_usage": [],
            "presentation_breakdowns": [],
        }
        assert item["billable_metric"]["name"] == "calls"

    async def test_charges_are_in_the_order_of_their_metrics_names_whatever_their_case(self, world):
        names = [item["billable_metric"]["name"] for item in (await world.usage())["charges_usage"]]
        assert names == ["calls", "calls", "Seats"]

    @pytest.mark.parametrize("off", ["false", "0", "f", "off", "", "False"])
    async def test_taxes_are_left_out_when_asked(self, world, off):
        await kit.tax(world.client, "10")
        assert (await world.usage())["taxes_amount_cents"] == 450
        assert (await world.usage(apply_taxes="true"))["total_amount_cents"] == 4950
        without = await world.usage(apply_taxes=off)
        assert (without["taxes_amount_cents"], without["total_amount_cents"]) == (0, 4500)

    async def test_every_filter_is_shown_and_last_the_default_bucket(self, seller):
        metric = await kit.metric(
            seller,
            "sum_agg",
            filters=[{"key": "region", "values": ["eu", "us"]}, {"key": "t", "values": ["1"]}],
        )
        charge = kit.charge(metric, amount="1") | {
            "filters": [
                {"values": {"region": ["__ALL_FILTER_VALUES__"]}, "properties": {"amount": "2"}},
                {
                    "values": {"region": ["us"]},
                    "properties": {"amount": "3", "pricing_group_keys": ["who"]},
                    "invoice_display_name": "America",
                },
            ]
        }
        who = await kit.customer(seller)
        bought = await kit.subscribe(seller, who, await kit.plan(seller, charge))
        await used(seller, bought, metric, {"value": 1, "region": "eu"}, {"value": 5, "region": "mars"})
        (item,) = (await read(seller, who, bought))["charges_usage"]
        numbers: dict[str, object] = {
            "total_aggregated_units": "0.0",
            "pricing_unit_details": None,
            "presentation_breakdowns": [],
        }
        assert item["filters"] == [
            {
                **numbers,
                "values": {"region": ["__ALL_FILTER_VALUES__"]},
                "invoice_display_name": None,
                "units": "1.0",
                "total_aggregated_units": "1.0",
                "events_count": 1,
                "amount_cents": 200,
            },
            {
                **numbers,
                "values": {"region": ["us"]},
                "invoice_display_name": "America",
                "units": "0.0",
                "events_count": 0,
                "amount_cents": 0,
            },
            {
                **numbers,
                "values": None,
                "invoice_display_name": None,
                "units": "5.0",
                "total_aggregated_units": "5.0",
                "events_count": 1,
                "amount_cents": 500,
            },
        ]
        assert item["amount_cents"] == 700

    async def test_grouped_usage_has_filters_of_its_own(self, seller):
        metric = await kit.metric(seller, "sum_agg", filters=[{"key": "region", "values": ["eu"]}])
        charge = kit.charge(metric, amount="1", pricing_group_keys=["team"]) | {
            "filters": [
                {"values": {"region": ["eu"]}, "properties": {"amount": "2", "pricing_group_keys": ["team"]}}
            ]
        }
        who = await kit.customer(seller)
        bought = await kit.subscribe(seller, who, await kit.plan(seller, charge))
        await used(
            seller, bought, metric, {"value": 1, "region": "eu", "team": "a"}, {"value": 5, "team": "a"},
            {"value": 7, "team": "b"},
        )  # fmt: skip
        (item,) = (await read(seller, who, bought))["charges_usage"]
        shown = {
            group["grouped_by"]["team"]: (
                group["units"],
                group["amount_cents"],
                [(each["values"], each["units"], each["amount_cents"]) for each in group["filters"]],
            )
            for group in item["grouped_usage"]
        }
        assert shown["a"] == ("6.0", 700, [({"region": ["eu"]}, "1.0", 200), (None, "5.0", 500)])
        assert shown["b"] == ("7.0", 700, [(None, "7.0", 700)])
        assert [(each["values"], each["units"]) for each in item["filters"]] == [
            ({"region": ["eu"]}, "1.0"),
            (None, "12.0"),
        ]

    async def test_days_are_the_customers(self, make_organization):
        """West of UTC a period ends on the next UTC day; it is issued on the local one."""
        client = (await make_organization("2026-06-10T12:00:00Z")).client
        who = await kit.customer(client, timezone="America/Los_Angeles")
        bought = await kit.subscribe(client, who, await kit.plan(client))
        found = await read(client, who, bought)
        assert (found["to_datetime"], found["issuing_date"]) == ("2026-07-01T06:59:59Z", "2026-06-30")

    async def test_a_long_plan_with_monthly_charges_has_monthly_windows(self, seller):
        metric = await kit.metric(seller, "count_agg")
        plan = await kit.plan(seller, kit.charge(metric), interval="yearly", bill_charges_monthly=True)
        who = await kit.customer(seller)
        bought = await kit.subscribe(seller, who, plan, subscription_at="2026-01-15")
        found = await read(seller, who, bought)
        assert (found["from_datetime"], found["to_datetime"]) == (
            "2026-06-01T00:00:00Z",
            "2026-06-30T23:59:59Z",
        )
        assert found["issuing_date"] == "2026-12-31"

    @pytest.mark.parametrize(
        ("currency", "amount", "cents"), [("JPY", "1.5", 2), ("EUR", "0.125", 13), ("KWD", "0.0125", 13)]
    )
    async def test_each_fee_is_rounded_to_the_currency_and_then_summed(self, seller, currency, amount, cents):
        metric = await kit.metric(seller, "count_agg")
        plan = await kit.plan(
            seller,
            *[kit.charge(metric, amount=amount, pricing_group_keys=["g"])] * 2,
            amount_currency=currency,
        )
        who = await kit.customer(seller)
        bought = await kit.subscribe(seller, who, plan)
        await used(seller, bought, metric, {"g": "a"}, {"g": "b"})
        found = await read(seller, who, bought)
        assert [item["amount_cents"] for item in found["charges_usage"]] == [2 * cents] * 2
        assert found["amount_cents"] == 4 * cents
