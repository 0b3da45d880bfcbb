"""Fixed charges of plans over the API (pricing §13.1)."""

import pytest
from tests import kit
from tests.kit import call, get, post

TIERS = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]


@pytest.fixture
async def seller(client):
    add_on = {"name": "Seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR"}
    client.seat = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]["lago_id"]
    await kit.plan(client, code="p")
    return client


async def add(seller, expect=200, **values):
    body = {"code": "f", "add_on_code": "seat", "charge_model": "standard", **values}
    answer = await post(seller, "/plans/p/fixed_charges", {"fixed_charge": body}, expect=expect)
    return answer["fixed_charge"] if expect == 200 else answer.get("error_details", answer["code"])


async def change(seller, expect=200, **values):
    answer = await call(seller, "PUT", "/plans/p/fixed_charges/f", {"fixed_charge": values}, expect=expect)
    return answer["fixed_charge"] if expect == 200 else answer.get("error_details", answer["code"])


async def test_defaults(seller):
    made = await add(seller)
    assert made.pop("lago_id")
    assert made.pop("created_at")
    assert made == {
        "lago_add_on_id": seller.seat,
        "add_on_code": "seat",
        "code": "f",
        "invoice_display_name": "Seat",
        "charge_model": "standard",
        "pay_in_advance": False,
        "prorated": False,
        "properties": {"amount": "0"},
        "units": "0.0",
        "lago_parent_id": None,
        "taxes": [],
    }


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"charge_model": None}, {"charge_model": ["value_is_invalid"]}),
        ({"charge_model": "package"}, {"charge_model": ["value_is_invalid"]}),
        ({"units": "-0.1"}, {"units": ["value_is_out_of_range"]}),
        ({"charge_model": "volume", "pay_in_advance": True}, {"pay_in_advance": ["invalid_charge_model"]}),
        (
            {"charge_model": "graduated", "pay_in_advance": True, "prorated": True},
            {"prorated": ["invalid_charge_model"]},
        ),
        ({"properties": {"amount": 5}}, {"properties": ["invalid_amount"]}),
        ({"properties": {"amount": "1e15"}}, {"properties": ["invalid_amount"]}),
        ({"properties": {"amount": "1e9"}, "units": "1e6"}, {"units": ["value_is_out_of_range"]}),
        (
            {"charge_model": "volume", "properties": {"amount": "5"}},
            {"properties": ["missing_volume_ranges"]},
        ),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_made(seller, wrong, details):
    assert await add(seller, 422, **wrong) == details
    assert (await get(seller, "/plans/p/fixed_charges"))["fixed_charges"] == []


@pytest.mark.parametrize(
    "fine",
    [
        {"charge_model": "graduated", "pay_in_advance": True},
        {"charge_model": "standard", "pay_in_advance": True, "prorated": True},
        {"charge_model": "volume", "prorated": True, "properties": {"volume_ranges": TIERS}},
    ],
)
async def test_what_goes_together(seller, fine):
    shown = await add(seller, **fine)
    assert {name: shown[name] for name in fine} == fine


async def test_a_code_is_of_one_fixed_charge_and_follows_from_the_add_on_in_a_plan(seller):
    await add(seller)
    assert await add(seller, 422) == {"code": ["value_already_exist"]}
    item = {"add_on_id": seller.seat, "charge_model": "standard"}
    plan = await kit.plan(seller, fixed_charges=[item, item])
    assert [one["code"] for one in plan["fixed_charges"]] == ["seat", "seat_2"]


async def test_what_is_unknown(seller):
    assert await add(seller, 404, add_on_code="none") == "add_on_not_found"
    assert await add(seller, 404, add_on_code=None) == "add_on_not_found"
    assert (await get(seller, "/plans/p/fixed_charges/none", expect=404))["code"] == "fixed_charge_not_found"
    assert (await get(seller, "/plans/none/fixed_charges", expect=404))["code"] == "plan_not_found"
    item = {"add_on_id": "00000000-0000-7000-8000-000000000001", "charge_model": "standard"}
    body = {"plan": {"fixed_charges": [item], "name": "Other"}}
    assert (await call(seller, "PUT", "/plans/p", body, expect=404))["code"] == "add_ons_not_found"
    assert (await get(seller, "/plans/p"))["plan"]["name"] == "p"


async def test_it_is_called_by_its_own_name_else_the_add_ons(seller):
    assert (await add(seller, invoice_display_name="Own"))["invoice_display_name"] == "Own"
    assert (await change(seller, invoice_display_name=None))["invoice_display_name"] == "Seat"
    await call(seller, "PUT", "/add_ons/seat", {"add_on": {"invoice_display_name": "Chair"}})
    shown = (await get(seller, "/plans/p/fixed_charges/f"))["fixed_charge"]
    assert shown["invoice_display_name"] == "Chair"


@pytest.mark.parametrize("is_used", [False, True])
@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("pay_in_advance", True, True),
        ("prorated", True, True),
        ("add_on_code", "other", True),
        ("charge_model", "graduated", False),
        ("code", "other", False),
    ],
)
async def test_what_changes_and_what_stays(seller, is_used, name, value, stays):
    await add(seller, units="2")
    if is_used:
        await kit.subscribe(seller, await kit.customer(seller), {"code": "p"})
    if stays or is_used:
        assert await change(seller, 422, **{name: value}) == {name: ["modification_not_allowed"]}
    else:
        assert (await change(seller, **{name: value}))[name] == value


async def test_only_what_is_sent_changes(seller):
    tax = await kit.tax(seller, applied_to_organization=False)
    await add(seller, units="2", properties={"amount": "5"}, tax_codes=[tax["code"]])
    changed = await change(seller, units="3.5")
    assert (changed["units"], changed["properties"]) == ("3.5", {"amount": "5"})
    assert [one["code"] for one in changed["taxes"]] == [tax["code"]]
    assert (await change(seller, tax_codes=[]))["taxes"] == []


async def test_the_newest_is_first_and_what_is_deleted_is_gone(seller):
    await add(seller)
    await add(seller, code="g")
    listed = await get(seller, "/plans/p/fixed_charges")
    assert [one["code"] for one in listed["fixed_charges"]] == ["g", "f"]
    assert (await call(seller, "DELETE", "/plans/p/fixed_charges/f"))["fixed_charge"]["code"] == "f"
    assert [one["code"] for one in (await get(seller, "/plans/p"))["plan"]["fixed_charges"]] == ["g"]
