"""Anything is found by a part of its name, by whoever may view it (ui §1.3)."""

from __future__ import annotations

import pytest
from tests import kit
from tests.people import sign_up
from tests.rooms.test_people_rights import become


@pytest.fixture(scope="module")
async def person(application):
    """Somebody in an organization that has one of everything, all of them `Hooli` something; another has the same names."""
    found, other = await sign_up(application), await sign_up(application)
    for one in (found, other):
        one.browser.base_url = "http://test/api/v1"
        one.browser.headers["X-Lago-Organization"] = one.organization_id
        await fill(one.browser)
    yield found
    await found.browser.aclose()
    await other.browser.aclose()


async def fill(client):
    who = await kit.customer(
        client,
        external_id="hooli-1",
        name="Hooli Inc",
        firstname="Gavin",
        lastname="Belson",
        email="gavin@hooli.test",
    )
    metric = await kit.metric(client, code="hooli_calls", name="Hooli calls")
    plan = await kit.plan(
        client, kit.charge(metric), code="hooli_basic", name="Hooli basic", amount_cents=1000
    )
    await kit.subscribe(client, who, plan, external_id="sub-hooli", name="Hooli box")
    add_on = {"name": "Hooli setup", "code": "hooli_setup", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    coupon = {
        "name": "Hooli off", "code": "hooli_off", "coupon_type": "fixed_amount", "amount_cents": 1, "amount_currency": "EUR",
        "frequency": "forever", "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(client, "/coupons", {"coupon": coupon})
    await kit.post(client, "/features", {"feature": {"code": "hooli_seats", "name": "Hooli seats"}})
    wallet = {
        "external_customer_id": "hooli-1",
        "name": "Hooli credits",
        "rate_amount": "1",
        "currency": "EUR",
        "code": "hw",
    }
    await kit.post(client, "/wallets", {"wallet": wallet})
    one_off = {"external_customer_id": "hooli-1", "currency": "EUR", "fees": [{"add_on_code": "hooli_setup"}]}
    bill = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]
    note = {
        "invoice_id": bill["lago_id"],
        "items": [{"fee_id": bill["fees"][0]["lago_id"], "amount_cents": 100}],
        "offset_amount_cents": 100,
    }
    await kit.post(client, "/credit_notes", {"credit_note": note})


async def find(person, term, **query):
    answer = await kit.get(person.browser, "http://test/app/v1/search", term=term, **query)
    return answer["search_results"]


def kinds(found):
    return [one["kind"] for one in found]


class TestWhatIsFound:
    async def test_is_of_every_kind_with_the_keys_that_lead_to_it(self, person):
        found = {one["kind"]: one for one in await find(person, "hooli")}
        assert list(found) == [
            "customer", "subscription", "wallet", "plan", "billable_metric", "add_on", "coupon", "feature",
        ]  # fmt: skip
        customer = (await kit.get(person.browser, "/customers/hooli-1"))["customer"]
        assert found["customer"] == {
            "kind": "customer",
            "lago_id": customer["lago_id"],
            "title": "Hooli Inc",
            "subtitle": "gavin@hooli.test",
            "status": None,
            "code": None,
            "number": None,
            "external_id": "hooli-1",
            "external_customer_id": "hooli-1",
        }
        subscription = found["subscription"]
        assert (subscription["title"], subscription["subtitle"]) == ("Hooli box", "Hooli Inc")
        assert (subscription["external_id"], subscription["status"]) == ("sub-hooli", "active")
        wallet = found["wallet"]
        assert (wallet["code"], wallet["external_customer_id"]) == ("hw", "hooli-1")
        assert (found["plan"]["code"], found["plan"]["subtitle"]) == ("hooli_basic", "hooli_basic")

    async def test_may_be_a_number_of_a_document(self, person):
        (invoice,) = (await kit.get(person.browser, "/invoices"))["invoices"]
        found = await find(person, invoice["number"].lower())
        assert kinds(found) == ["invoice", "credit_note"], "a note's number begins with its invoice's"
        assert (found[0]["number"], found[0]["subtitle"], found[0]["status"]) == (
            invoice["number"],
            "Hooli Inc",
            "finalized",
        )

    @pytest.mark.parametrize(("term", "expected"), [
        ("gavin belson", ["customer"]), ("  Gavin   Belson ", ["customer"]), ("GAVIN@", ["customer"]), ("sub-", ["subscription"]),
        ("seats", ["feature"]), ("_off", ["coupon"]), ("nothing", []), ("%", []), ("_", None), ("", []), ("   ", []), ("\\", []),
        ("Inc\nHooli", []), ("' OR 1=1 --", []), ("01234567-89ab-cdef-0123-456789abcde-", []),
    ])  # fmt: skip
    async def test_has_the_text_in_it(self, person, term, expected):
        found = kinds(await find(person, term))
        if expected is None:
            assert set(found) == {"plan", "billable_metric", "add_on", "coupon", "feature"}, (
                "an underscore is one"
            )
        else:
            assert found == expected

    async def test_may_be_named_by_its_id_or_the_beginning_of_it(self, person):
        plan = (await kit.get(person.browser, "/plans/hooli_basic"))["plan"]
        for term in (plan["lago_id"], plan["lago_id"].upper(), plan["lago_id"][:30]):
            assert "plan" in kinds(await find(person, term))
        (found,) = await find(person, plan["lago_id"])
        assert found["code"] == "hooli_basic"

    async def test_comes_whole_names_first_and_five_of_a_kind(self, application):
        somebody = await sign_up(application)
        somebody.browser.base_url = "http://test/api/v1"
        somebody.browser.headers["X-Lago-Organization"] = somebody.organization_id
        for n, name in enumerate(["my api", "api", "api v2", "the api", "an api", "old api", "api v1"]):
            await kit.metric(somebody.browser, code=f"m{n}", name=name)
        found = [one["title"] for one in await find(somebody, "API")]
        assert found == ["api", "api v1", "api v2", "old api", "an api"]

    async def test_is_not_deleted_and_not_a_child(self, application):
        somebody = await sign_up(application)
        client = somebody.browser
        client.base_url = "http://test/api/v1"
        client.headers["X-Lago-Organization"] = somebody.organization_id
        await kit.metric(client, code="gone")
        await kit.call(client, "DELETE", "/billable_metrics/gone")
        plan = await kit.plan(client, code="base", amount_cents=100)
        who = await kit.customer(client, external_id="leaver")
        await kit.subscribe(client, who, plan, external_id="own", plan_overrides={"amount_cents": 50})
        assert await find(somebody, "gone") == []
        assert kinds(await find(somebody, "base")) == ["plan"]
        await kit.call(client, "DELETE", "/customers/leaver")
        assert await find(somebody, "leaver") == []


class TestWhoeverSearches:
    async def test_finds_what_they_may_view(self, application, database):
        """Platform §6: finance sees no metrics and no features, a manager no analytics; nobody's role sees nothing."""
        somebody = await sign_up(application)
        somebody.browser.base_url = "http://test/api/v1"
        somebody.browser.headers["X-Lago-Organization"] = somebody.organization_id
        await fill(somebody.browser)
        await become(database, somebody, "finance")
        assert not {"billable_metric", "feature"} & set(kinds(await find(somebody, "hooli")))
        assert "customer" in kinds(await find(somebody, "hooli"))
        await become(database, somebody)
        assert await find(somebody, "hooli") == []

    async def test_asks_once(self, person, count_statements):
        await find(person, "hooli")
        with count_statements() as statements:
            await find(person, "hooli")
        assert len([one for one in statements if "ILIKE" in one]) == 1

    async def test_asks_for_no_more_than_a_name(self, person):
        assert await find(person, "x" * 255) == []
        refused = await kit.get(person.browser, "http://test/app/v1/search", term="x" * 256, expect=422)
        assert refused["error_details"] == {"term": ["value_is_too_long"]}
