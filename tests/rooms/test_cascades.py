"""What of a plan reaches its children, and what does not (pricing §12.3)."""

import pytest
from tests import kit
from tests.kit import call, get, post

REGION = [{"key": "region", "values": ["eu", "us"]}]


@pytest.fixture
async def seller(make_organization):
    """A plan `p` with one charge `use`, filtered and in a pricing unit, and a subscription `own` on a child of it."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    metric = await kit.metric(client, filters=REGION)
    unit = {"code": "cr", "name": "Credits", "short_name": "cr"}
    await post(client, "/pricing_units", {"pricing_unit": unit})
    charge = {
        **kit.charge(metric, amount="10", pricing_group_keys=["team"]),
        "code": "use",
        "applied_pricing_unit": {"code": "cr", "conversion_rate": "0.5"},
        "filters": [
            {"values": {"region": ["eu"]}, "properties": {"amount": "5"}, "invoice_display_name": "EU"}
        ],
    }
    client.metric = metric
    client.plan = await kit.plan(client, charge, code="p", amount_cents=1000)
    await subscribe(client, "own")
    return client


async def subscribe(client, external_id, **overrides):
    overrides = overrides or {"name": "Own"}
    who = await kit.customer(client, external_id=external_id)
    return await kit.subscribe(client, who, {"code": "p"}, external_id=external_id, plan_overrides=overrides)


async def change(client, expect=200, **values):
    """Change the parent's charge through its plan, with a cascade."""
    charge = {"id": client.plan["charges"][0]["lago_id"], **values}
    body = {"plan": {"charges": [charge], "cascade_updates": True}}
    return await call(client, "PUT", "/plans/p", body, expect=expect)


async def change_alone(client, **values):
    body = {"charge": {**values, "cascade_updates": True}}
    await call(client, "PUT", "/plans/p/charges/use", body)


async def own(client, external_id="own"):
    (charge,) = (await get(client, f"/subscriptions/{external_id}/charges"))["charges"]
    return charge


async def test_a_price_that_was_the_parents_follows(seller):
    await change_alone(seller, properties={"amount": "7"})
    assert (await own(seller))["properties"] == {"amount": "7"}


async def test_numbers_are_compared_as_numbers(seller):
    """A child's 10.0 is the parent's 10."""
    price = {"amount": "10.0", "pricing_group_keys": ["team"]}
    await call(seller, "PUT", "/subscriptions/own/charges/use", {"charge": {"properties": price}})
    await change_alone(seller, properties={"amount": "7"})
    assert (await own(seller))["properties"] == {"amount": "7"}


@pytest.mark.parametrize(
    ("sent", "grouped"),
    [({"amount": "7", "pricing_group_keys": ["user"]}, ["user"]), ({"amount": "7"}, None)],
)
async def test_a_price_of_its_own_stays_and_is_grouped_as_the_parents(seller, sent, grouped):
    await call(seller, "PUT", "/subscriptions/own/charges/use", {"charge": {"properties": {"amount": "3"}}})
    await change_alone(seller, properties=sent)
    found = (await own(seller))["properties"]
    assert (found["amount"], found.get("pricing_group_keys")) == ("3", grouped)


async def test_a_rate_follows_where_it_was_the_parents_and_through_the_plan_alone(seller):
    await subscribe(
        seller,
        "dear",
        charges=[
            {
                "id": seller.plan["charges"][0]["lago_id"],
                "applied_pricing_unit": {"code": "cr", "conversion_rate": "2"},
            }
        ],
    )
    await change_alone(seller, applied_pricing_unit={"code": "cr", "conversion_rate": "0.6"})
    assert (await own(seller))["applied_pricing_unit"]["conversion_rate"] == "0.5"
    await call(
        seller,
        "PUT",
        "/plans/p/charges/use",
        {"charge": {"applied_pricing_unit": {"conversion_rate": "0.5"}}},
    )
    await change(seller, applied_pricing_unit={"code": "cr", "conversion_rate": "0.7"})
    assert (await own(seller))["applied_pricing_unit"]["conversion_rate"] == "0.7"
    assert (await own(seller, "dear"))["applied_pricing_unit"]["conversion_rate"] == "2.0"


async def test_the_target_wallet_follows_through_the_plan_alone(seller):
    await change_alone(seller, accepts_target_wallet=True)
    assert (await own(seller))["accepts_target_wallet"] is False
    await call(seller, "PUT", "/plans/p/charges/use", {"charge": {"accepts_target_wallet": False}})
    await change(seller, accepts_target_wallet=True)
    assert (await own(seller))["accepts_target_wallet"] is True


async def test_a_target_wallet_that_is_sent_again_reaches_who_missed_it(seller):
    """It is copied whenever it is sent, though it is no change of the parent's; the child's own grouping stays."""
    price = {"amount": "3", "pricing_group_keys": ["user"]}
    await call(seller, "PUT", "/subscriptions/own/charges/use", {"charge": {"properties": price}})
    await change_alone(seller, accepts_target_wallet=True)
    price = (await own(seller))["properties"]
    await change(seller, accepts_target_wallet=True)
    found = await own(seller)
    assert (found["accepts_target_wallet"], found["properties"]) == (True, price)
    await call(seller, "PUT", "/plans/p/charges/use", {"charge": {"accepts_target_wallet": False}})
    await change(seller, invoice_display_name="Use")
    assert (await own(seller))["accepts_target_wallet"] is True


async def test_a_unit_is_neither_added_nor_removed_nor_exchanged(seller):
    """§11."""
    for unit in (None, {"code": "other", "conversion_rate": "1"}):
        answer = await change(seller, 422, applied_pricing_unit=unit)
        assert answer["error_details"] == {"applied_pricing_unit": ["modification_not_allowed"]}
    plain = {**kit.charge(seller.metric), "code": "plain"}
    await post(seller, "/plans/p/charges", {"charge": plain})
    body = {"charge": {"applied_pricing_unit": {"code": "cr", "conversion_rate": "1"}}}
    answer = await call(seller, "PUT", "/plans/p/charges/plain", body, expect=422)
    assert answer["error_details"] == {"applied_pricing_unit": ["modification_not_allowed"]}


async def test_names_taxes_and_minimums_never_do(seller):
    tax = await kit.tax(seller, applied_to_organization=False)
    await change(seller, invoice_display_name="New", tax_codes=[tax["code"]], properties={"amount": "10"})
    found = await own(seller)
    assert (found["invoice_display_name"], found["taxes"], found["min_amount_cents"]) == (None, [], 0)
    body = {
        "name": "New",
        "description": "New",
        "tax_codes": [tax["code"]],
        "minimum_commitment": {"amount_cents": 1},
        "usage_thresholds": [{"amount_cents": 100}],
        "metadata": {"a": "b"},
        "cascade_updates": True,
    }
    await call(seller, "PUT", "/plans/p", {"plan": body})
    child = (await get(seller, "/subscriptions/own"))["subscription"]["plan"]
    assert (child["name"], child["description"], child["taxes"], child["usage_thresholds"]) == (
        "Own",
        None,
        [],
        [],
    )
    assert not {"minimum_commitment", "metadata"} & child.keys()
    assert [item["amount_cents"] for item in child["applicable_usage_thresholds"]] == [100]


async def test_a_base_price_reaches_every_child_that_had_it(seller):
    """Also where nobody is on it any more; a child's own price stays."""
    await subscribe(seller, "dear", amount_cents=5000)
    await call(seller, "DELETE", "/subscriptions/own")
    await call(seller, "PUT", "/plans/p", {"plan": {"amount_cents": 1200, "cascade_updates": True}})
    ended = (await get(seller, "/subscriptions/own", status="terminated"))["subscription"]
    assert ended["plan_amount_cents"] == 1200
    assert (await get(seller, "/subscriptions/dear"))["subscription"]["plan_amount_cents"] == 5000


async def test_charges_reach_those_that_somebody_is_on(seller):
    await call(seller, "DELETE", "/subscriptions/own")
    await change_alone(seller, properties={"amount": "7"})
    path = "/subscriptions/own/charges"
    (ended,) = (await get(seller, path, subscription_status="terminated"))["charges"]
    assert ended["properties"]["amount"] == "10"


class TestFilters:
    async def shown(self, client):
        return {
            item["values"]["region"][0]: (item["properties"].get("amount"), item["invoice_display_name"])
            for item in (await own(client))["filters"]
        }

    @pytest.mark.parametrize(
        ("name", "path", "expected"),
        [("added", "us", {"eu": ("5", "EU"), "us": ("6", None)}), ("there already", "us", None)],
    )
    async def test_one_that_is_added_is_made_unless_it_is_there(self, seller, name, path, expected):
        body = {"filter": {"values": {"region": [path]}, "properties": {"amount": "9"}}}
        if name == "there already":
            await post(seller, "/subscriptions/own/charges/use/filters", body)
            expected = {"eu": ("5", "EU"), "us": ("9", None)}
        added = {"values": {"region": ["us"]}, "properties": {"amount": "6"}, "cascade_updates": True}
        await post(seller, "/plans/p/charges/use/filters", {"filter": added})
        assert await self.shown(seller) == expected

    @pytest.mark.parametrize(("customised", "expected"), [(False, ("8", "E")), (True, ("4", "EU"))])
    async def test_one_that_is_changed_changes_where_it_was_the_parents(self, seller, customised, expected):
        (item,) = (await own(seller))["filters"]
        if customised:
            path = f"/subscriptions/own/charges/use/filters/{item['lago_id']}"
            await call(seller, "PUT", path, {"filter": {"properties": {"amount": "4"}}})
        (parent,) = seller.plan["charges"][0]["filters"]
        body = {"properties": {"amount": "8"}, "invoice_display_name": "E", "cascade_updates": True}
        path = f"/plans/p/charges/use/filters/{parent['lago_id']}"
        await call(seller, "PUT", path, {"filter": body})
        assert await self.shown(seller) == {"eu": expected}

    async def test_one_that_is_removed_goes_even_if_customised(self, seller):
        (item,) = (await own(seller))["filters"]
        path = f"/subscriptions/own/charges/use/filters/{item['lago_id']}"
        await call(seller, "PUT", path, {"filter": {"properties": {"amount": "4"}}})
        (parent,) = seller.plan["charges"][0]["filters"]
        path = f"/plans/p/charges/use/filters/{parent['lago_id']}"
        await call(seller, "DELETE", path, {"filter": {"cascade_updates": True}})
        assert await self.shown(seller) == {}


class TestFixedCharges:
    @pytest.fixture
    async def seats(self, seller):
        add_on = {"name": "Seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR"}
        await post(seller, "/add_ons", {"add_on": add_on})
        named = {"add_on_code": "seat", "code": "seat", "charge_model": "standard", "units": "2"}
        body = {**named, "properties": {"amount": "5"}, "cascade_updates": True}
        await post(seller, "/plans/p/fixed_charges", {"fixed_charge": body})
        return seller

    async def shown(self, client):
        found = (await get(client, "/subscriptions/own/fixed_charges"))["fixed_charges"]
        return [(item["units"], item["properties"]["amount"]) for item in found]

    @pytest.mark.parametrize(
        ("customised", "expected"),
        [
            ({}, ("4.0", "6")),
            ({"units": "3"}, ("3.0", "5")),
            ({"properties": {"amount": "7"}}, ("2.0", "7")),
            ({"invoice_display_name": "Chair"}, ("4.0", "6")),
        ],
    )
    async def test_units_and_price_follow_together(self, seats, customised, expected):
        if customised:
            path = "/subscriptions/own/fixed_charges/seat"
            await call(seats, "PUT", path, {"fixed_charge": customised})
        body = {"units": "4", "properties": {"amount": "6"}, "cascade_updates": True}
        await call(seats, "PUT", "/plans/p/fixed_charges/seat", {"fixed_charge": body})
        assert await self.shown(seats) == [expected]

    async def test_deletion_follows_even_if_customised(self, seats):
        await call(seats, "PUT", "/subscriptions/own/fixed_charges/seat", {"fixed_charge": {"units": "9"}})
        body = {"fixed_charge": {"cascade_updates": True}}
        await call(seats, "DELETE", "/plans/p/fixed_charges/seat", body)
        assert await self.shown(seats) == []
