"""Lists as the web app shows them: searched by the server, customers with what runs and what they owe (ui §2, §3.1)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import get, post
from tests.people import join


@pytest.fixture
async def shop(application, make_organization):
    """An organization on the first of January, and somebody in it who has signed in."""
    made = await make_organization("2026-01-01T00:00:00Z")
    person = await join(application, made.id, ADMIN_KEY)
    yield made.client, person.browser
    await person.browser.aclose()


async def add_on(client, **more):
    body = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR", **more}
    return (await post(client, "/add_ons", {"add_on": body}))["add_on"]


async def bill(client, who, *, units="1", currency="EUR"):
    """An invoice of 1.00 a unit, due on its day."""
    code = f"setup_{currency.lower()}"
    fees = [{"add_on_code": code, "units": units}]
    body = {"external_customer_id": who, "currency": currency, "fees": fees}
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


class TestSearching:
    async def test_looks_into_names_and_codes_of_what_is_sold(self, shop):
        client, _ = shop
        for name, code in (("API calls", "calls"), ("Storage", "gb_hours"), ("100 % uptime", "sla")):
            await kit.metric(client, name=name, code=code)
            await kit.plan(client, name=name, code=code)
            await add_on(client, name=name, code=code)
            coupon = {
                "name": name, "code": code, "coupon_type": "fixed_amount", "amount_cents": 1,
                "amount_currency": "EUR", "frequency": "once", "expiration": "no_expiration",
            }  # fmt: skip
            await post(client, "/coupons", {"coupon": coupon})
        for path in ("billable_metrics", "plans", "add_ons", "coupons"):
            for term, codes in (
                (" CALL ", ["calls"]),
                ("gb_", ["gb_hours"]),
                ("%", ["sla"]),
                ("a", ["calls", "gb_hours", "sla"]),
                ("nothing", []),
            ):
                answer = await get(client, f"/{path}", search_term=term)
                assert sorted(one["code"] for one in answer[path]) == codes, (path, term)
                assert answer["meta"]["total_count"] == len(codes)
            page = await get(client, f"/{path}", search_term="a", per_page="2", page="2")
            assert (len(page[path]), page["meta"]["total_count"]) == (1, 3)

    async def test_finds_subscriptions_and_payments_by_who_the_customer_is(self, shop):
        client, _ = shop
        plan = await kit.plan(client)
        await add_on(client, code="setup_eur")
        numbers = {}
        for name, external_id in (("Ada Lovelace", "c1"), ("Grace Hopper", "c2")):
            who = await kit.customer(client, external_id=external_id, name=name, currency="EUR")
            own = {"plan_overrides": {"amount_cents": 5}} if external_id == "c2" else {}
            await kit.subscribe(client, who, plan, external_id=f"s_{external_id}", name="Gold", **own)
            invoice = await bill(client, external_id)
            numbers[external_id] = invoice["number"]
            paid = {"invoice_id": invoice["lago_id"], "amount_cents": 100, "reference": f"wire {external_id}"}
            await post(client, "/payments", {"payment": paid})

        async def subscriptions(term):
            listed = (await get(client, "/subscriptions", search_term=term))["subscriptions"]
            return sorted((one["external_id"], one["customer_name"]) for one in listed)

        async def payments(term):
            listed = (await get(client, "/payments", search_term=term))["payments"]
            return sorted((one["reference"], one["customer_name"]) for one in listed)

        listed = (await get(client, "/subscriptions"))["subscriptions"]
        assert {one["external_id"]: one["has_own_prices"] for one in listed} == {"s_c1": False, "s_c2": True}
        ada, grace = ("s_c1", "Ada Lovelace"), ("s_c2", "Grace Hopper")
        assert await subscriptions("lovelace") == await subscriptions("s_c1") == [ada]
        assert await subscriptions("gold") == [ada, grace]
        assert await subscriptions("nobody") == []
        wire = ("wire c2", "Grace Hopper")
        assert (
            await payments("hopper") == await payments("WIRE C2") == await payments(numbers["c2"]) == [wire]
        )
        assert await payments("nobody") == []


class TestCustomers:
    @pytest.fixture
    async def owing(self, shop):
        """One who owes 3.00, of which 2.00 are overdue, and 4.00 USD; one who paid; one who was never billed, all from Jan 1st."""
        client, browser = shop
        plan = await kit.plan(client)
        for currency in ("EUR", "USD"):
            await add_on(client, code=f"setup_{currency.lower()}", amount_currency=currency)
        terms = {"net_payment_term": 10}
        for name in ("owes", "paid", "new"):
            await kit.customer(client, external_id=name, name=name.title(), **terms)
        for number in (1, 2):
            await kit.subscribe(client, {"external_id": "owes"}, plan, external_id=f"s{number}")
        await kit.subscribe(client, {"external_id": "paid"}, plan, external_id="s3")
        late = await bill(client, "owes", units="3")
        part = {"invoice_id": late["lago_id"], "amount_cents": 100, "reference": "a"}
        await post(client, "/payments", {"payment": part})
        whole = await bill(client, "paid", units="5")
        await post(
            client,
            "/payments",
            {"payment": {"invoice_id": whole["lago_id"], "amount_cents": 500, "reference": "b"}},
        )
        await kit.advance(client, "2026-01-20")
        await bill(client, "owes")
        return client, browser

    async def test_show_what_runs_and_what_they_owe(self, owing):
        _, browser = owing
        answer = await get(browser, "/customers")
        shown = {
            one["external_id"]: (one["active_subscriptions_count"], one["balances"])
            for one in answer["customers"]
        }
        assert shown == {
            "owes": (2, [{"currency": "EUR", "due_cents": 300, "overdue_cents": 200}]),
            "paid": (1, []),
            "new": (0, []),
        }
        assert [one["name"] for one in answer["customers"]] == ["New", "Paid", "Owes"]
        assert answer["meta"]["total_count"] == 3

    async def test_are_narrowed_by_what_they_owe_and_what_runs(self, owing):
        _, browser = owing
        for query, names in (
            ({"is_overdue": "true"}, ["owes"]),
            ({"is_overdue": "false"}, ["new", "paid"]),
            ({"active_subscriptions_count_from": "1"}, ["owes", "paid"]),
            ({"active_subscriptions_count_to": "1"}, ["new", "paid"]),
            ({"active_subscriptions_count_from": "1", "active_subscriptions_count_to": "1"}, ["paid"]),
            ({"active_subscriptions_count_to": "0"}, ["new"]),
            ({"active_subscriptions_count_to": "9" * 20}, ["new", "owes", "paid"]),
            ({"active_subscriptions_count_from": "9" * 20}, []),
            ({"search_term": "OWE"}, ["owes"]),
        ):
            answer = await get(browser, "/customers", **query)
            assert sorted(one["external_id"] for one in answer["customers"]) == names, query
            assert answer["meta"]["total_count"] == len(names)

    async def test_refuse_what_is_no_number_of_subscriptions(self, owing):
        _, browser = owing
        asked = {"active_subscriptions_count_from": "-1", "active_subscriptions_count_to": "many"}
        refused = await get(browser, "/customers", expect=422, **asked)
        assert refused["error_details"] == {name: ["value_is_invalid"] for name in asked}

    async def test_cost_the_same_statements_however_many_there_are(self, owing, count_statements):
        client, browser = owing

        async def cost():
            with count_statements() as statements:
                await get(browser, "/customers")
            return len(statements)

        await cost()
        before = await cost()
        for number in range(5):
            await kit.customer(client, external_id=f"more {number}", currency="EUR")
            await bill(client, f"more {number}")
        assert await cost() == before

    async def test_hide_what_a_member_may_not_see(self, owing, database):
        _, browser = owing
        await post(browser, "/roles", {"code": "reader", "name": "Reader", "permissions": ["customers:view"]})
        async with database.system() as connection:
            await connection.execute(text("UPDATE memberships SET roles = '{reader}'"))
        for one in (await get(browser, "/customers"))["customers"]:
            assert (one["active_subscriptions_count"], one["balances"]) == (None, None)
