"""Whoever changes a price, of a plan or of one subscription, is found with what it was before (platform §10.1)."""

from __future__ import annotations

import pytest
from tests import kit
from tests.kit import call, get, post


@pytest.fixture
async def client(make_organization):
    return (await make_organization("2026-01-01T00:00:00Z")).client


@pytest.fixture
async def calls(client):
    return await kit.metric(client, code="calls", filters=[{"key": "region", "values": ["eu", "us"]}])


@pytest.fixture
async def plan(client, calls):
    """Calls at 1 each, and one seat at 10."""
    add_on = {"name": "Seat", "code": "seat", "amount_cents": 1000, "amount_currency": "EUR"}
    sold = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]
    seats = {"add_on_id": sold["lago_id"], "code": "seats", "charge_model": "standard", "units": "1"}
    return await kit.plan(
        client,
        {**kit.charge(calls), "code": "calls"},
        code="gold",
        fixed_charges=[{**seats, "properties": {"amount": "10"}}],
    )


async def told(client, kind="plan", **query):
    """What the newest entry says was before and is."""
    (entry, *_) = (await get(client, "/activity_logs", per_page=1, **query))["activity_logs"]
    assert (entry["activity_type"], entry["activity_source"]) == (f"{kind}.updated", "api")
    return entry["activity_object_changes"]


async def subscribe(client, plan, **more):
    return await kit.subscribe(
        client, await kit.customer(client, external_id="c", currency="EUR"), plan, external_id="s", **more
    )


class TestOfAPlan:
    async def test_say_what_a_charge_was(self, client, plan, calls):
        other = await kit.metric(client, code="bytes")
        vat = await kit.tax(client, code="vat", applied_to_organization=False)
        await post(client, "/plans/gold/charges", {"charge": {**kit.charge(other, amount="2"), "code": "b"}})
        made = await told(client)
        assert made.keys() == {"charges.b"}
        before, after = made["charges.b"]
        assert before is None
        assert (after["billable_metric_code"], after["properties"]) == ("bytes", {"amount": "2"})
        dearer = {"charge_model": "standard", "properties": {"amount": "3"}, "tax_codes": [vat["code"]]}
        await call(client, "PUT", "/plans/gold/charges/calls", {"charge": dearer})
        assert await told(client) == {
            "charges.calls.properties": [{"amount": "1"}, {"amount": "3"}],
            "charges.calls.tax_codes": [[], ["vat"]],
        }
        await call(client, "DELETE", "/plans/gold/charges/b")
        assert await told(client) == {"charges.b": [after, None]}

    async def test_say_what_a_filter_was(self, client, plan):
        path = "/plans/gold/charges/calls/filters"
        one = {"values": {"region": ["eu"]}, "properties": {"amount": "4"}}
        made = (await post(client, path, {"filter": one}))["filter"]
        name = "charges.calls.filters.region=eu"
        whole = {"values": {"region": ["eu"]}, "properties": {"amount": "4"}, "invoice_display_name": None}
        assert await told(client) == {name: [None, whole]}
        await call(client, "PUT", f"{path}/{made['lago_id']}", {"filter": {"properties": {"amount": "5"}}})
        assert await told(client) == {f"{name}.properties": [{"amount": "4"}, {"amount": "5"}]}
        await call(client, "DELETE", f"{path}/{made['lago_id']}")
        assert await told(client) == {name: [{**whole, "properties": {"amount": "5"}}, None]}

    async def test_say_what_a_fixed_charge_was(self, client, plan):
        path = "/plans/gold/fixed_charges"
        await call(client, "PUT", f"{path}/seats", {"fixed_charge": {"units": "3"}})
        changed = await told(client)
        assert [float(units) for units in changed["fixed_charges.seats.units"]] == [1, 3]
        await call(client, "DELETE", f"{path}/seats")
        before, after = (await told(client))["fixed_charges.seats"]
        assert (before["add_on_code"], before["properties"], after) == ("seat", {"amount": "10"}, None)

    async def test_say_all_that_a_change_of_the_whole_plan_made(self, client, plan, calls):
        (known,) = plan["charges"]
        other = await kit.metric(client, code="bytes")
        asked = {
            "name": "Gold",
            "charges": [
                {"id": known["lago_id"], **kit.charge(calls, amount="7")},
                {**kit.charge(other, amount="2"), "code": "b"},
            ],
            "minimum_commitment": {"amount_cents": 5000},
            "usage_thresholds": [{"amount_cents": 100}],
        }
        await call(client, "PUT", "/plans/gold", {"plan": asked})
        changed = await told(client)
        assert changed.pop("charges.b")[0] is None
        assert changed == {
            "name": ["gold", "Gold"],
            "charges.calls.properties": [{"amount": "1"}, {"amount": "7"}],
            "minimum_commitment": [
                None,
                {"amount_cents": 5000, "invoice_display_name": None, "tax_codes": []},
            ],
            "usage_thresholds": [
                [],
                [{"amount_cents": 100, "threshold_display_name": None, "recurring": False}],
            ],
        }

    async def test_say_what_it_granted(self, client, plan):
        privileges = [{"code": "max", "value_type": "integer"}]
        await post(client, "/features", {"feature": {"code": "seats", "privileges": privileges}})
        path = "/plans/gold/entitlements"
        await post(client, path, {"entitlements": {"seats": {"max": 10}}})
        assert await told(client) == {"entitlements.seats": [None, {"max": 10}]}
        await call(client, "PATCH", path, {"entitlements": {"seats": {"max": 25}}})
        assert await told(client) == {"entitlements.seats.max": [10, 25]}
        await call(client, "DELETE", "/features/seats")
        of_plans = {"activity_types[]": "plan.updated"}
        assert await told(client, **of_plans) == {"entitlements.seats": [{"max": 25}, None]}

    async def test_say_what_its_metric_took_with_it(self, client, plan):
        """A value that is none any more, and then the whole metric: of the plan, and of the prices of one subscription."""
        await subscribe(client, plan, plan_overrides={"amount_cents": 100})
        regions = {"filter": {"values": {"region": ["eu", "us"]}, "properties": {"amount": "4"}}}
        await post(client, "/plans/gold/charges/calls/filters", {**regions})
        await post(client, "/subscriptions/s/charges/calls/filters", regions)
        changed = {"billable_metric": {"filters": [{"key": "region", "values": ["eu"]}]}}
        await call(client, "PUT", "/billable_metrics/calls", changed)
        of_plans = {"activity_types[]": "plan.updated"}
        of_subscriptions = {"activity_types[]": "subscription.updated"}
        trimmed = [[{"region": ["eu", "us"]}], [{"region": ["eu"]}]]
        assert await told(client, **of_plans) == {"charges.calls.filters": trimmed}
        assert await told(client, "subscription", **of_subscriptions) == {
            "plan.charges.calls.filters": trimmed
        }
        alert = {
            "alert_type": "billable_metric_current_usage_amount",
            "code": "high",
            "thresholds": [{"value": "10"}],
        }
        await post(client, "/subscriptions/s/alerts", {"alert": {**alert, "billable_metric_code": "calls"}})
        await call(client, "DELETE", "/billable_metrics/calls")
        (gone,) = (await get(client, "/activity_logs", **{"activity_types[]": "alert.deleted"}))[
            "activity_logs"
        ]
        assert (gone["activity_object"]["code"], gone["external_subscription_id"]) == ("high", "s")
        whole = {"billable_metric_code": "calls", "charge_model": "standard", "properties": {"amount": "1"}}
        assert await told(client, **of_plans) == {"charges.calls": [whole, None]}
        assert await told(client, "subscription", **of_subscriptions) == {"plan.charges.calls": [whole, None]}

    async def test_reach_subscriptions_with_prices_of_their_own(self, client, plan):
        """Where the change reaches their prices: 1 became 3; of the other, whose calls are 9, nothing did."""
        await subscribe(client, plan, plan_overrides={"amount_cents": 100})
        who = await kit.customer(client, external_id="d", currency="EUR")
        await kit.subscribe(client, who, plan, external_id="t")
        await call(
            client, "PUT", "/subscriptions/t/charges/calls", {"charge": {"properties": {"amount": "9"}}}
        )
        dearer = {"charge_model": "standard", "properties": {"amount": "3"}, "cascade_updates": True}
        await call(client, "PUT", "/plans/gold/charges/calls", {"charge": dearer})
        newest = (await get(client, "/activity_logs", per_page=2))["activity_logs"]
        of_plan, of_subscription = newest
        if of_plan["activity_type"] != "plan.updated":
            of_plan, of_subscription = of_subscription, of_plan
        change = [{"amount": "1"}, {"amount": "3"}]
        assert of_plan["activity_object_changes"] == {"charges.calls.properties": change}
        assert of_subscription["activity_object_changes"] == {"plan.charges.calls.properties": change}
        assert (of_subscription["activity_type"], of_subscription["external_subscription_id"]) == (
            "subscription.updated",
            "s",
        )
        assert of_subscription["external_customer_id"] == "c"


class TestOfASubscription:
    async def test_say_what_its_charge_was(self, client, plan):
        """The first makes a plan of its own: nothing else of that is another price."""
        await subscribe(client, plan)
        path = "/subscriptions/s/charges/calls"
        await call(client, "PUT", path, {"charge": {"properties": {"amount": "9"}}})
        name = "plan.charges.calls.properties"
        assert await told(client, "subscription") == {
            "plan_overridden": [False, True],
            name: [{"amount": "1"}, {"amount": "9"}],
        }
        await call(client, "PUT", path, {"charge": {"properties": {"amount": "8"}}})
        assert await told(client, "subscription") == {name: [{"amount": "9"}, {"amount": "8"}]}

    async def test_say_what_its_filter_was(self, client, plan):
        await subscribe(client, plan)
        path = "/subscriptions/s/charges/calls/filters"
        one = {"values": {"region": ["eu"]}, "properties": {"amount": "4"}}
        made = (await post(client, path, {"filter": one}))["filter"]
        name = "plan.charges.calls.filters.region=eu"
        whole = {"values": {"region": ["eu"]}, "properties": {"amount": "4"}, "invoice_display_name": None}
        assert await told(client, "subscription") == {"plan_overridden": [False, True], name: [None, whole]}
        await call(client, "PUT", f"{path}/{made['lago_id']}", {"filter": {"properties": {"amount": "5"}}})
        assert await told(client, "subscription") == {
            f"{name}.properties": [{"amount": "4"}, {"amount": "5"}]
        }
        await call(client, "DELETE", f"{path}/{made['lago_id']}")
        assert await told(client, "subscription") == {name: [{**whole, "properties": {"amount": "5"}}, None]}

    async def test_say_how_many_units_it_had(self, client, plan):
        """Units of its own first, and then in a plan of its own, which changes none of them."""
        await subscribe(client, plan)
        path = "/subscriptions/s/fixed_charges/seats"
        await call(client, "PUT", path, {"fixed_charge": {"units": "3"}})
        changed = await told(client, "subscription")
        assert changed.keys() == {"plan.fixed_charges.seats.units"}
        assert [float(units) for units in changed["plan.fixed_charges.seats.units"]] == [1, 3]
        await call(
            client, "PUT", "/subscriptions/s/charges/calls", {"charge": {"properties": {"amount": "9"}}}
        )
        changed = await told(client, "subscription")
        assert changed.keys() == {"plan_overridden", "plan.charges.calls.properties"}

    async def test_say_all_that_a_change_of_the_whole_subscription_made(self, client, plan):
        await subscribe(client, plan)
        section = {"code": "bank", "name": "Bank", "details": "IBAN"}
        await post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
        asked = {
            "name": "Theirs",
            "plan_overrides": {"amount_cents": 700},
            "usage_thresholds": [{"amount_cents": 100}],
            "invoice_custom_section": {"invoice_custom_section_codes": ["bank"]},
        }
        await call(client, "PUT", "/subscriptions/s", {"subscription": asked})
        entries = (await get(client, "/activity_logs", per_page=2))["activity_logs"]
        own, columns = [one["activity_object_changes"] for one in entries]
        assert columns == {"name": [None, "Theirs"]}
        threshold = {"amount_cents": 100, "threshold_display_name": None, "recurring": False}
        assert own == {
            "plan_overridden": [False, True],
            "plan.amount_cents": [0, 700],
            "usage_thresholds": [[], [threshold]],
            "invoice_custom_section_codes": [[], ["bank"]],
        }

    async def test_say_what_it_was_entitled_to(self, client, plan):
        privileges = [{"code": "max", "value_type": "integer"}]
        await post(client, "/features", {"feature": {"code": "seats", "privileges": privileges}})
        await post(client, "/plans/gold/entitlements", {"entitlements": {"seats": {"max": 10}}})
        await subscribe(client, plan)
        path = "/subscriptions/s/entitlements"
        await call(client, "PATCH", path, {"entitlements": {"seats": {"max": 25}}})
        assert await told(client, "subscription") == {"entitlements.seats.max": [10, 25]}
        await call(client, "DELETE", f"{path}/seats")
        assert await told(client, "subscription") == {"entitlements.seats": [{"max": 25}, None]}

    async def test_say_what_it_had_used_elsewhere(self, client, plan):
        await subscribe(client, plan)
        for cents in (500, 700, 700):
            usage = {"external_historical_usage_amount_cents": cents}
            await call(client, "PUT", "/subscriptions/s/lifetime_usage", {"lifetime_usage": usage})
        name = "external_historical_usage_amount_cents"
        assert await told(client, "subscription") == {name: [500, 700]}

    async def test_say_which_plan_was_to_follow(self, client, plan):
        """31.00 now; 21.00 and then 11.00 are to follow, and then nothing is."""
        for code, cents in (("high", 3100), ("mid", 2100), ("low", 1100)):
            await kit.plan(client, code=code, amount_cents=cents)
        who = await kit.customer(client, external_id="c", currency="EUR")
        changes = []
        for code in ("high", "mid", "low"):
            await kit.subscribe(client, who, {"code": code}, external_id="s")
            if code != "high":
                changes.append(await told(client, "subscription"))
        await call(client, "DELETE", "/subscriptions/s", status="pending")
        changes.append(await told(client, "subscription"))
        assert changes == [
            {"next_plan_code": pair} for pair in ([None, "mid"], ["mid", "low"], ["low", None])
        ]

    async def test_say_who_made_one_that_begins_later(self, client, plan):
        await subscribe(client, plan, subscription_at="2026-02-01T00:00:00Z")
        (entry, *_) = (await get(client, "/activity_logs"))["activity_logs"]
        assert (entry["activity_type"], entry["activity_source"]) == ("subscription.created", "api")
        assert (entry["activity_object"]["status"], entry["external_subscription_id"]) == ("pending", "s")
