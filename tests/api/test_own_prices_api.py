"""The prices of one subscription over the API (pricing §12.2, §13.3; subscriptions §2.11)."""

import pytest
from tests import kit
from tests.kit import call, get, post

REGION = [{"key": "region", "values": ["eu", "us"]}]
TIERS = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]
ANOTHER_SHAPE = [
    ("code", "other"),
    ("charge_model", "package"),
    ("pay_in_advance", True),
    ("invoiceable", False),
    ("prorated", True),
    ("regroup_paid_fees", "invoice"),
]


@pytest.fixture
async def seller(make_organization):
    """Subscriptions `plain` on a plan with a charge `use` and a fixed charge `seat`, and `own` on a child of it."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    add_on = {"name": "Seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR"}
    add_on = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]
    await post(client, "/add_ons", {"add_on": {**add_on, "code": "other", "tax_codes": []}})
    metric = await kit.metric(client, code="m", filters=REGION)
    plan = await kit.plan(
        client,
        {**kit.charge(metric, amount="10"), "code": "use"},
        code="p",
        fixed_charges=[
            {
                "add_on_id": add_on["lago_id"],
                "code": "seat",
                "charge_model": "standard",
                "units": "2",
                "properties": {"amount": "5"},
            }
        ],
    )
    who = await kit.customer(client)
    await kit.subscribe(client, who, plan, external_id="plain")
    await kit.subscribe(client, who, plan, external_id="own", plan_overrides={"name": "Own"})
    return client


async def put(client, path, root, expect=200, **values):
    answer = await call(client, "PUT", f"/subscriptions/{path}", {root: values}, expect=expect)
    return answer[root] if expect == 200 else answer.get("error_details", answer["code"])


async def parent_of(client, external_id):
    return (await get(client, f"/subscriptions/{external_id}"))["subscription"]["plan"]["parent_id"]


class TestCharges:
    @pytest.mark.parametrize("external_id", ["plain", "own"])
    @pytest.mark.parametrize(("name", "value"), ANOTHER_SHAPE)
    async def test_keep_their_shape(self, seller, external_id, name, value):
        before = (await get(seller, f"/subscriptions/{external_id}/charges/use"))["charge"]
        refused = await put(seller, f"{external_id}/charges/use", "charge", 422, **{name: value})
        assert refused == {name: ["modification_not_allowed"]}
        assert (await get(seller, f"/subscriptions/{external_id}/charges/use"))["charge"] == before

    @pytest.mark.parametrize("external_id", ["plain", "own"])
    async def test_take_prices_and_what_is_no_change(self, seller, external_id):
        tax = await kit.tax(seller, applied_to_organization=False)
        changed = await put(
            seller,
            f"{external_id}/charges/use",
            "charge",
            code="use",
            charge_model="standard",
            pay_in_advance=False,
            properties={"amount": "7"},
            min_amount_cents=500,
            invoice_display_name="Use",
            tax_codes=[tax["code"]],
            filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "6"}}],
        )
        assert changed["properties"] == {"amount": "7"}
        assert (changed["min_amount_cents"], changed["invoice_display_name"]) == (500, "Use")
        assert [item["code"] for item in changed["taxes"]] == [tax["code"]]
        assert [item["properties"] for item in changed["filters"]] == [{"amount": "6"}]
        assert (await get(seller, "/plans/p/charges/use"))["charge"]["properties"] == {"amount": "10"}
        again = await put(seller, f"{external_id}/charges/use", "charge", invoice_display_name="Again")
        assert (again["properties"], again["min_amount_cents"]) == ({"amount": "7"}, 500)

    async def test_what_is_unknown(self, seller):
        assert await put(seller, "own/charges/none", "charge", 404, properties={}) == "charge_not_found"
        assert await put(seller, "none/charges/use", "charge", 404, properties={}) == "subscription_not_found"
        pending = await get(seller, "/subscriptions/own/charges", subscription_status="pending", expect=404)
        assert pending["code"] == "subscription_not_found"
        path = "/subscriptions/own/charges/use/filters/none"
        assert (await get(seller, path, expect=404))["code"] == "charge_filter_not_found"

    async def test_of_what_waits_are_chosen_by_status(self, seller):
        who = await kit.customer(seller)
        plan = {"code": "p"}
        await kit.subscribe(seller, who, plan, external_id="later", subscription_at="2026-03-01")
        for name in ("status", "subscription_status"):
            found = await get(seller, "/subscriptions/later/charges", **{name: "pending"})
            assert [charge["code"] for charge in found["charges"]] == ["use"]

    async def test_filters_are_not_doubled(self, seller):
        path, body = "own/charges/use/filters", {"values": {"region": ["eu"]}, "properties": {"amount": "1"}}
        await post(seller, f"/subscriptions/{path}", {"filter": body})
        refused = await post(seller, f"/subscriptions/{path}", {"filter": body}, expect=422)
        assert refused["error_details"] == {"values": ["value_already_exists"]}


class TestFixedCharges:
    @pytest.mark.parametrize("external_id", ["plain", "own"])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("code", "other"),
            ("charge_model", "volume"),
            ("pay_in_advance", True),
            ("prorated", True),
            ("add_on_code", "other"),
        ],
    )
    async def test_keep_their_shape(self, seller, external_id, name, value):
        refused = await put(seller, f"{external_id}/fixed_charges/seat", "fixed_charge", 422, **{name: value})
        assert refused == {name: ["modification_not_allowed"]}

    @pytest.mark.parametrize("external_id", ["plain", "own"])
    async def test_units_are_not_negative_nor_beyond_what_a_bill_holds(self, seller, external_id):
        """§18.4: no fee has negative units; §1.4: 64 bits hold an amount."""
        for units in ("-1", "1e17"):
            refused = await put(seller, f"{external_id}/fixed_charges/seat", "fixed_charge", 422, units=units)
            assert refused == {"units": ["value_is_out_of_range"]}
        fixed = (await get(seller, "/plans/p"))["plan"]["fixed_charges"][0]["lago_id"]
        overrides = {"fixed_charges": [{"id": fixed, "units": -1}]}
        named = {"external_id": "x", "external_customer_id": "x", "plan_code": "p"}
        body = {**named, "plan_overrides": overrides}
        answer = await post(seller, "/subscriptions", {"subscription": body}, expect=422)
        assert answer["error_details"] == {"units": ["value_is_out_of_range"]}

    async def test_units_alone_make_no_plan_of_its_own(self, seller):
        shown = await put(seller, "plain/fixed_charges/seat", "fixed_charge", units="3")
        assert (shown["units"], await parent_of(seller, "plain")) == ("3.0", None)
        kept = await put(seller, "plain/fixed_charges/seat", "fixed_charge", units=None)
        assert kept["units"] == "3.0", "null is no change"
        (listed,) = (await get(seller, "/subscriptions/plain/fixed_charges"))["fixed_charges"]
        assert listed["units"] == "3.0"
        assert (await get(seller, "/plans/p/fixed_charges/seat"))["fixed_charge"]["units"] == "2.0"

    async def test_their_units_move_into_a_plan_of_its_own(self, seller):
        """§13.3: the override disappears into the child's fixed charge."""
        await put(seller, "plain/fixed_charges/seat", "fixed_charge", units="3")
        changed = await put(
            seller, "plain/fixed_charges/seat", "fixed_charge", properties={"amount": "9"}, units=None
        )
        assert (changed["units"], changed["properties"]) == ("3.0", {"amount": "9"})
        assert await parent_of(seller, "plain") is not None
