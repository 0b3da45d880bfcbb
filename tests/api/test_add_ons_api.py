"""Add-ons over the API (pricing §3)."""

import pytest
from tests import kit


async def add_on(client, expect=200, **fields):
    body = {"name": "Setup", "code": "setup", "amount_cents": 5000, "amount_currency": "eur", **fields}
    return await kit.post(client, "/add_ons", {"add_on": body}, expect=expect)


async def test_one_is_read_as_it_was_made(client):
    await kit.tax(client, "20", code="vat", applied_to_organization=False)
    made = (await add_on(client, code="a.b/c", invoice_display_name="Setup fee", tax_codes=["vat"]))["add_on"]
    assert (await kit.get(client, "/add_ons/a.b/c"))["add_on"] == made
    assert (made["amount_cents"], made["amount_currency"]) == (5000, "EUR")
    assert (made["invoice_display_name"], made["description"]) == ("Setup fee", None)
    assert [tax["code"] for tax in made["taxes"]] == ["vat"]


async def test_the_newest_is_listed_first(client):
    for code in ("one", "two", "three"):
        await add_on(client, code=code)
    page = await kit.get(client, "/add_ons", per_page=2)
    assert [row["code"] for row in page["add_ons"]] == ["three", "two"]
    assert page["meta"]["total_count"] == 3


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"name": " "}, {"name": ["value_is_mandatory"]}),
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"amount_cents": 0}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": -5}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": "many"}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": None}, {"amount_currency": ["value_is_mandatory"]}),
    ],
)
async def test_bad_values_are_refused_by_name(client, wrong, details):
    assert (await add_on(client, expect=422, **wrong))["error_details"] == details
    assert (await kit.get(client, "/add_ons"))["meta"]["total_count"] == 0


async def test_what_is_missing_is_told_at_once(client):
    answer = await kit.post(client, "/add_ons", {"add_on": {"description": "x"}}, expect=422)
    missing = ("name", "code", "amount_cents", "amount_currency")
    assert answer["error_details"] == {name: ["value_is_mandatory"] for name in missing}
    assert (await kit.post(client, "/add_ons", {}, expect=400))["status"] == 400


async def test_a_code_is_taken_once_and_free_after_deletion(client):
    await add_on(client)
    await add_on(client, code="other")
    assert (await add_on(client, expect=422))["error_details"] == {"code": ["value_already_exist"]}
    renamed = await kit.call(client, "PUT", "/add_ons/other", {"add_on": {"code": "setup"}}, expect=422)
    assert renamed["error_details"] == {"code": ["value_already_exist"]}
    gone = await kit.call(client, "DELETE", "/add_ons/setup")
    assert gone["add_on"]["code"] == "setup"
    assert (await kit.get(client, "/add_ons/setup", expect=404))["code"] == "add_on_not_found"
    await add_on(client)


async def test_an_update_touches_only_what_is_sent(client):
    await kit.tax(client, "20", code="vat", applied_to_organization=False)
    await add_on(client, description="Once", tax_codes=["vat"])
    changed = await kit.call(client, "PATCH", "/add_ons/setup", {"add_on": {"name": "New", "code": "new"}})
    assert (changed["add_on"]["name"], changed["add_on"]["description"]) == ("New", "Once")
    assert [tax["code"] for tax in changed["add_on"]["taxes"]] == ["vat"]
    cleared = await kit.call(
        client, "PUT", "/add_ons/new", {"add_on": {"description": None, "tax_codes": []}}
    )
    assert (cleared["add_on"]["description"], cleared["add_on"]["taxes"]) == (None, [])
    assert cleared["add_on"]["amount_cents"] == 5000


async def test_an_unknown_tax_saves_nothing(client):
    answer = await add_on(client, expect=404, tax_codes=["none"])
    assert answer["code"] == "tax_not_found"
    await kit.get(client, "/add_ons/setup", expect=404)
    await add_on(client)
    body = {"add_on": {"name": "New", "tax_codes": ["none"]}}
    assert (await kit.call(client, "PUT", "/add_ons/setup", body, expect=404))["code"] == "tax_not_found"
    assert (await kit.get(client, "/add_ons/setup"))["add_on"]["name"] == "Setup"


async def test_another_organizations_are_unknown(client, other_client):
    await add_on(client)
    for method, body in (("GET", None), ("PUT", {"add_on": {"name": "Mine"}}), ("DELETE", None)):
        answer = await kit.call(other_client, method, "/add_ons/setup", body, expect=404)
        assert answer["code"] == "add_on_not_found"
    assert (await kit.get(other_client, "/add_ons"))["add_ons"] == []
    await add_on(other_client)
