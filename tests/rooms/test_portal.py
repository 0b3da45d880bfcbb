"""The customer portal: what the holder of a link sees and does, and what nobody does there (platform §8, ui §8)."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event
from tests import kit
from tests.kit import call, get, post
from tests.people import sign_up

from tallymark.api.routing import PortalRoute
from tallymark.integrations.payments import make_adapters
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.portal import service
from tallymark.rooms.portal.model import Visit
from tallymark.routers import ROUTERS

ROUTES = [
    (method, re.sub(r"{[^}]*}", "00000000-0000-7000-8000-000000000001", route.path))
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, PortalRoute)
    for method in sorted(route.methods or ())
]
REFUSED = {"status": 401, "error": "Unauthorized", "code": "unauthorized"}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
async def organization(make_organization):
    return await make_organization("2026-01-01T00:00:00Z")


@pytest.fixture
def client(organization):
    return organization.client


@pytest.fixture
def browser(application):
    """Opens portals: a client with a link's token."""

    def open_with(token: str | None, **headers: str | bytes) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        brought = httpx.Headers({name.encode(): _bytes(value) for name, value in headers.items()})
        return httpx.AsyncClient(transport=transport, base_url="http://test/portal/v1", headers=brought)

    return open_with


@pytest.fixture
def portal_of(browser):
    async def open_for(client, external_id: str) -> httpx.AsyncClient:
        return browser(await token_of(client, external_id))

    return open_for


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


async def token_of(client, external_id: str) -> str:
    url = (await get(client, f"/customers/{external_id}/portal_url"))["customer"]["portal_url"]
    assert url.startswith("http://test/customer-portal/")
    return url.removeprefix("http://test/customer-portal/")


async def one_off(client, external_id: str, cents: int) -> dict:
    """An invoice of one add-on, issued at once."""
    add_on = {"name": "Setup", "code": f"setup_{cents}", "amount_cents": cents, "amount_currency": "EUR"}
    await post(client, "/add_ons", {"add_on": add_on})
    fees = [{"add_on_code": add_on["code"]}]
    body = {"external_customer_id": external_id, "currency": "EUR", "fees": fees}
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


async def wallet(client, external_id: str, **more) -> dict:
    body = {"external_customer_id": external_id, "rate_amount": "2", "currency": "EUR", **more}
    return (await post(client, "/wallets", {"wallet": body}))["wallet"]


class TestLinks:
    async def test_lead_to_the_portal_of_one_customer(self, client, browser):
        await kit.customer(client, external_id="c1", name="Northwind")
        token = await token_of(client, "c1")
        assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
        for door in (browser(token), browser(None, **{"Customer-Portal-Token": token})):
            assert (await get(door, "/me"))["customer"]["name"] == "Northwind"
        answer = await get(client, "/customers/none/portal_url", expect=404)
        assert answer["code"] == "customer_not_found"

    async def test_last_for_twelve_hours(self, client, organization, application, browser):
        who = await kit.customer(client)
        visit = Visit(organization_id=organization.id, customer_id=UUID(who["lago_id"]))
        links = application.asgi.state.portal.links
        made = system_now() - timedelta(hours=12)
        lasting = links.token(visit, at=made + timedelta(minutes=1))
        assert (await get(browser(lasting), "/me"))["customer"]["lago_id"] == who["lago_id"]
        over = links.token(visit, at=made - timedelta(seconds=2))
        assert await get(browser(over), "/me", expect=401) == REFUSED

    async def test_are_not_made_older_by_a_test_clock(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        door = await portal_of(client, "c1")
        await kit.advance(client, "2026-03-01")
        await get(door, "/me")

    async def test_that_were_changed_open_nothing(self, client, browser):
        await kit.customer(client, external_id="c1")
        token = await token_of(client, "c1")
        for at in (0, 12, 30, 70, len(token) - 2):
            forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            assert await get(browser(forged), "/me", expect=401) == REFUSED
        for odd in (b"x", b"\xe9", token[:-1].encode(), token.encode() * 2, b"\x7f", b"=" * 40):
            door = browser(None, **{"Customer-Portal-Token": odd})
            assert await get(door, "/me", expect=401) == REFUSED

    async def test_open_nothing_for_somebody_who_is_no_more(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        door = await portal_of(client, "c1")
        await call(client, "DELETE", "/customers/c1")
        assert await get(door, "/me", expect=401) == REFUSED
        await kit.customer(client, external_id="c1")
        assert await get(door, "/me", expect=401) == REFUSED

    async def test_open_nothing_but_the_portal(self, client, application, browser):
        await kit.customer(client, external_id="c1")
        door = browser(await token_of(client, "c1"))
        for path in ("/api/v1/customers", "/api/v1/customers/c1", "/api/v1/invoices", "/app/v1/session"):
            await get(door, f"http://test{path}", expect=401)

    async def test_are_what_every_door_of_the_portal_asks_for(self, organization, browser):
        assert len(ROUTES) >= 10
        for caller in (browser(None), browser(organization.api_key)):
            for method, path in ROUTES:
                assert await call(caller, method, f"http://test{path}", expect=401) == REFUSED

    async def test_are_not_a_session(self, application):
        person = await sign_up(application)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        assert await get(person.browser, "http://test/portal/v1/me", expect=401) == REFUSED


class TestMe:
    async def test_shows_who_it_is_and_who_bills_them(self, client, portal_of):
        (entity,) = (await get(client, "/billing_entities"))["billing_entities"]
        logo = "data:image/png;base64," + base64.b64encode(PNG).decode()
        themed = {"logo": logo, "brand_color": "#0A7B4C", "billing_configuration": {"document_locale": "fr"}}
        await call(client, "PUT", f"/billing_entities/{entity['code']}", {"billing_entity": themed})
        address = {"address_line1": "1 Quay", "city": "Cork", "country": "IE"}
        who = {"legal_name": "Northwind Ltd", "tax_identification_number": "IE1", "email": "a@b.test"}
        await kit.customer(
            client, external_id="c1", name="Northwind", **who, **address, timezone="Europe/Dublin"
        )
        door = await portal_of(client, "c1")
        shown = await get(door, "/me")
        mine = shown["customer"]
        assert {name: mine[name] for name in {**who, **address}} == {**who, **address}
        assert (mine["applicable_timezone"], mine["document_locale"], mine["locale"]) == (
            "Europe/Dublin",
            None,
            "fr",
        )
        assert (shown["issuer"]["name"], shown["issuer"]["brand_color"]) == ("Acme", "#0a7b4c")
        assert (await door.get(shown["issuer"]["logo_url"])).content == PNG
        assert shown["balances"] == []

    async def test_tells_what_was_invoiced_and_what_is_overdue(self, client, portal_of):
        await kit.tax(client, rate="20")
        await kit.customer(client, external_id="c1")
        await kit.customer(client, external_id="c2")
        first, second = await one_off(client, "c1", 1000), await one_off(client, "c1", 500)
        await one_off(client, "c2", 700)
        door = await portal_of(client, "c1")
        # 10.00 and 5.00, each with 20 %; of the first 4.00 are paid.
        await post(
            client,
            "/payments",
            {"payment": {"invoice_id": first["lago_id"], "amount_cents": 400, "reference": "w"}},
        )
        assert (await get(door, "/me"))["balances"] == [
            {"currency": "EUR", "invoices_count": 2, "invoiced_amount_cents": 1800, "due_amount_cents": 1400,
             "overdue_invoices_count": 0, "overdue_amount_cents": 0}
        ]  # fmt: skip
        await post(
            client,
            "/payments",
            {"payment": {"invoice_id": second["lago_id"], "amount_cents": 600, "reference": "x"}},
        )
        await kit.advance(client, "2026-02-01")
        (balance,) = (await get(door, "/me"))["balances"]
        assert (balance["due_amount_cents"], balance["overdue_amount_cents"]) == (800, 800)
        assert (balance["overdue_invoices_count"], balance["invoices_count"]) == (1, 2)


class TestOwnDetails:
    async def test_are_changed_as_far_as_they_are_the_customers(self, client, portal_of):
        await kit.customer(
            client, external_id="c1", name="Before", city="Cork", net_payment_term=30, currency="EUR"
        )
        door = await portal_of(client, "c1")
        own = {
            "name": "After", "legal_name": "After Ltd", "firstname": "Ada", "lastname": "Moor", "customer_type": "company",
            "tax_identification_number": "IE2", "email": "ada@after.test", "document_locale": "sv",
            "address_line1": "2 Pier", "country": "se", "shipping_address": {"city": "Lund", "country": "SE"},
        }  # fmt: skip
        not_own = {"external_id": "c9", "currency": "USD", "net_payment_term": 999, "timezone": "Asia/Tokyo",
                   "billing_entity_code": "other", "tax_codes": [], "account_type": "partner",
                   "metadata": [{"key": "k", "value": "v"}], "invoice_grace_period": 9}  # fmt: skip
        mine = (await call(door, "PUT", "/me", {"customer": {**own, **not_own}}))["customer"]
        assert {name: mine[name] for name in own if name not in ("country", "shipping_address")} == {
            name: value for name, value in own.items() if name not in ("country", "shipping_address")
        }
        assert (mine["country"], mine["city"], mine["locale"]) == ("SE", "Cork", "sv")
        assert (mine["shipping_address"]["city"], mine["shipping_address"]["country"]) == ("Lund", "SE")
        kept = (await get(client, "/customers/c1"))["customer"]
        assert (kept["currency"], kept["net_payment_term"], kept["timezone"]) == ("EUR", 30, None)
        assert (kept["metadata"], kept["account_type"], kept["name"]) == ([], "customer", "After")
        assert kept["billing_configuration"]["invoice_grace_period"] is None

    async def test_are_logged_as_changed_by_nobody_of_the_organization(self, client, portal_of):
        await kit.customer(client, external_id="c1", name="Before")
        await call(await portal_of(client, "c1"), "PUT", "/me", {"customer": {"name": "After"}})
        (entry,) = (await get(client, "/activity_logs", **{"activity_types[]": "customer.updated"}))[
            "activity_logs"
        ]
        assert (entry["activity_source"], entry["user_email"]) == ("front", None)
        assert entry["activity_object_changes"] == {"name": ["Before", "After"]}

    async def test_are_held_to_what_they_can_be(self, client, portal_of):
        await kit.customer(client, external_id="c1", name="Before")
        door = await portal_of(client, "c1")
        for sent, details in (
            ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
            ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
            ({"document_locale": "xx"}, {"document_locale": ["not_a_valid_language_code"]}),
            ({"customer_type": "club", "name": "x" * 300},
             {"customer_type": ["value_is_invalid"], "name": ["value_is_too_long"]}),
            ({"shipping_address": {"country": "QQ"}}, {"country": ["not_a_valid_country_code"]}),
        ):  # fmt: skip
            answer = await call(door, "PUT", "/me", {"customer": {"legal_name": "New", **sent}}, expect=422)
            assert answer["error_details"] == details
        assert (await get(door, "/me"))["customer"]["legal_name"] is None
        assert (await call(door, "PUT", "/me", {"customer": {}}, expect=400))["status"] == 400

    async def test_bring_the_tax_of_the_country(self, client, portal_of):
        (entity,) = (await get(client, "/billing_entities"))["billing_entities"]
        european = {"country": "FR", "eu_tax_management": True}
        await call(client, "PUT", f"/billing_entities/{entity['code']}", {"billing_entity": european})
        await kit.customer(client, external_id="c1", country="FR")
        await call(await portal_of(client, "c1"), "PUT", "/me", {"customer": {"country": "DE"}})
        taxes = (await get(client, "/customers/c1"))["customer"]["taxes"]
        assert [tax["code"] for tax in taxes] == ["lago_eu_de_standard"]


class TestBatches:
    async def test_answer_each_part_as_a_call_of_its_own(self, client, portal_of):
        await kit.customer(client, external_id="ada", name="Ada")
        portal = await portal_of(client, "ada")
        paths = ["/portal/v1/me", "/portal/v1/invoices?page=2", "/portal/v1/wallets/nothing"]
        found = (await get(portal, "/batch", **{"paths[]": paths}))["responses"]
        for path, part in zip(paths, found, strict=True):
            alone = await portal.get(f"http://test{path}")
            assert (part["status"], part["body"]) == (alone.status_code, alone.json()), path
        assert [part["status"] for part in found] == [200, 200, 404]

    @pytest.mark.parametrize(
        "path", ["/api/v1/customers", "/app/v1/session", "/portal/v1/batch?paths[]=/portal/v1/me", "me", ""]
    )
    async def test_lead_nowhere_but_into_the_portal(self, client, portal_of, path):
        await kit.customer(client, external_id="ada")
        portal = await portal_of(client, "ada")
        assert await get(portal, "/batch", expect=422, **{"paths[]": ["/portal/v1/me", path]})

    async def test_are_of_1_to_6_parts(self, client, portal_of):
        await kit.customer(client, external_id="ada")
        portal = await portal_of(client, "ada")
        for count in (0, 7):
            assert await get(portal, "/batch", expect=422, **{"paths[]": ["/portal/v1/me"] * count})


class TestSubscriptions:
    async def test_tell_their_price_and_their_next_day(self, client, portal_of):
        who = await kit.customer(client, external_id="c1", timezone="Europe/Paris")
        metric = await kit.metric(client)
        dear = await kit.plan(
            client, kit.charge(metric), amount_cents=3000, code="dear", invoice_display_name="Team"
        )
        cheap = await kit.plan(client, amount_cents=1000, code="cheap")
        yearly = await kit.plan(client, amount_cents=9900, code="y", interval="yearly")
        await kit.subscribe(client, who, dear, external_id="s1")
        await kit.subscribe(client, who, cheap, external_id="s1")
        await kit.subscribe(client, who, cheap, external_id="s2", ending_at="2026-01-20T12:00:00Z")
        await kit.subscribe(client, who, yearly, external_id="s3", billing_time="anniversary", name="Backup")
        await kit.subscribe(client, who, cheap, external_id="s4", subscription_at="2026-03-09T23:30:00Z")
        shown = (await get(await portal_of(client, "c1"), "/subscriptions"))["subscriptions"]
        told = (
            "status",
            "plan_name",
            "plan_interval",
            "amount_cents",
            "starts_on",
            "renews_on",
            "ends_on",
            "next_plan_name",
        )
        assert [(one["external_id"], *(one[name] for name in told)) for one in shown] == [
            ("s1", "active", "Team", "monthly", 3000, None, "2026-02-01", None, "cheap"),
            ("s1", "pending", "cheap", "monthly", 1000, "2026-02-01", None, None, None),
            ("s2", "active", "cheap", "monthly", 1000, None, None, "2026-01-20", None),
            ("s3", "active", "y", "yearly", 9900, None, "2027-01-01", None, None),
            ("s4", "pending", "cheap", "monthly", 1000, "2026-03-10", None, None, None),
        ]
        assert [one["has_usage"] for one in shown] == [True, False, False, False, False]
        assert (shown[3]["name"], shown[3]["currency"]) == ("Backup", "EUR")

    async def test_show_their_usage_day_by_day(self, client, portal_of):
        await kit.tax(client, rate="20")
        who = await kit.customer(client, external_id="c1")
        metric = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
        charge = {
            **kit.charge(metric, amount="2"),
            "filters": [
                {
                    "values": {"region": ["eu"]},
                    "properties": {"amount": "5"},
                    "invoice_display_name": "Europe",
                }
            ],
        }
        plan = await kit.plan(client, charge)
        one = await kit.subscribe(client, who, plan, external_id="s1")
        for day, value, region in (("01", 3, "us"), ("02", 1, "eu"), ("02", 1, "us"), ("04", 2, "us")):
            at = kit.epoch(f"2026-01-{day}T10:00")
            await kit.advance(client, f"2026-01-{day}T12:00")
            event = {"transaction_id": f"{day}{region}", "external_subscription_id": "s1", "code": metric["code"],
                     "timestamp": at, "properties": {"value": value, "region": region}}  # fmt: skip
            await post(client, "/events", {"event": event})
        shown = await get(await portal_of(client, "c1"), f"/subscriptions/{one['lago_id']}/usage")
        # 6 units at 2.00 and one at 5.00; taxes are left out.
        usage = shown["usage"]
        assert (usage["amount_cents"], usage["taxes_amount_cents"], usage["total_amount_cents"]) == (
            1700,
            0,
            1700,
        )
        (of_charge,) = usage["charges_usage"]
        assert {one["invoice_display_name"]: (one["units"], one["amount_cents"]) for one in of_charge["filters"]} == {
            "Europe": ("1.0", 500), None: ("6.0", 1200),
        }  # fmt: skip
        days = {
            one["date"]: (one["amount_cents"], [(c["units"], c["amount_cents"]) for c in one["charges"]])
            for one in shown["days"]
        }
        used = {day: told for day, told in days.items() if told[0]}
        assert used == {
            "2026-01-01": (600, [("3.0", 600)]),
            "2026-01-02": (700, [("2.0", 700)]),
            "2026-01-04": (400, [("2.0", 400)]),
        }

    async def test_that_have_not_begun_have_no_usage(self, client, portal_of):
        who = await kit.customer(client, external_id="c1")
        one = await kit.subscribe(client, who, await kit.plan(client), subscription_at="2026-05-01T00:00:00Z")
        answer = await get(
            await portal_of(client, "c1"), f"/subscriptions/{one['lago_id']}/usage", expect=405
        )
        assert answer["code"] == "no_active_subscription"


class TestWallets:
    async def test_show_credits_and_money_in_their_order(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        await wallet(
            client, "c1", code="late", priority=30, granted_credits="5", expiration_at="2026-12-31T00:00:00Z"
        )
        await wallet(client, "c1", code="soon", priority=10, paid_top_up_min_amount_cents=500)
        ended = await wallet(client, "c1", code="ended")
        await call(client, "DELETE", f"/wallets/{ended['lago_id']}")
        shown = (await get(await portal_of(client, "c1"), "/wallets"))["wallets"]
        assert [one["code"] for one in shown] == ["soon", "late"]
        late = shown[1]
        # Five credits at 2.00.
        assert (late["credits_balance"], late["balance_cents"], late["rate_amount"]) == ("5.0", 1000, "2.0")
        assert (late["consumed_credits"], late["consumed_amount_cents"]) == ("0.0", 0)
        assert late["expiration_at"] == "2026-12-31T00:00:00Z"
        assert shown[0]["paid_top_up_min_amount_cents"] == 500

    async def test_are_filled_by_a_purchase_that_is_invoiced(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        made = await wallet(
            client, "c1", paid_top_up_min_amount_cents=1000, paid_top_up_max_amount_cents=5000
        )
        door, path = await portal_of(client, "c1"), f"/wallets/{made['lago_id']}"
        price = (await get(door, f"{path}/top_up_price", paid_credits="12.5"))["top_up_price"]
        assert price == {"paid_credits": "12.5", "amount_cents": 2500, "currency": "EUR"}
        bought = (await post(door, f"{path}/top_ups", {"top_up": {"paid_credits": "12.5"}}))["top_up"]
        assert (bought["status"], bought["paid_credits"], bought["amount_cents"]) == ("pending", "12.5", 2500)
        assert (await get(door, path))["wallet"]["balance_cents"] == 0
        (listed,) = (await get(door, "/invoices"))["invoices"]
        assert (listed["invoice_type"], listed["total_due_amount_cents"]) == ("credit", 2500)
        payment = {"invoice_id": listed["lago_id"], "amount_cents": 2500, "reference": "w"}
        await post(client, "/payments", {"payment": payment})
        assert (await get(door, path))["wallet"]["balance_cents"] == 2500

    async def test_are_filled_within_their_limits(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        made = await wallet(
            client, "c1", paid_top_up_min_amount_cents=1000, paid_top_up_max_amount_cents=5000
        )
        door, path = await portal_of(client, "c1"), f"/wallets/{made['lago_id']}"
        no_number = ["invalid_paid_credits", "invalid_amount"]
        for credits, codes in (
            ("4.9", ["amount_below_minimum"]),
            ("25.1", ["amount_above_maximum"]),
            ("0", ["value_is_mandatory"]),
            ("", ["value_is_mandatory"]),
            *((odd, no_number) for odd in ("-5", "ten", "9" * 30, "NaN")),
        ):
            body = {"paid_credits": credits, "granted_credits": "50", "ignore_paid_top_up_limits": True}
            for answer in (
                await post(door, f"{path}/top_ups", {"top_up": body}, expect=422),
                await get(door, f"{path}/top_up_price", expect=422, paid_credits=credits),
            ):
                assert answer["error_details"] == {"paid_credits": codes}, credits
        listed = await get(client, f"/wallets/{made['lago_id']}/wallet_transactions")
        assert listed["wallet_transactions"] == []

    async def test_give_nothing_away(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        made = await wallet(client, "c1")
        body = {
            "paid_credits": "1",
            "granted_credits": "1000",
            "voided_credits": "1",
            "wallet_id": "x",
            "status": "settled",
        }
        door = await portal_of(client, "c1")
        await post(door, f"/wallets/{made['lago_id']}/top_ups", {"top_up": body})
        listed = await get(client, f"/wallets/{made['lago_id']}/wallet_transactions")
        (one,) = listed["wallet_transactions"]
        assert (one["transaction_status"], one["status"], one["credit_amount"]) == (
            "purchased",
            "pending",
            "1.0",
        )

    async def test_are_filled_once_for_one_key_and_for_nobody_else(self, client, portal_of):
        for external_id in ("c1", "c2"):
            await kit.customer(client, external_id=external_id)
        made = await wallet(client, "c1")
        path, body = f"/wallets/{made['lago_id']}/top_ups", {"top_up": {"paid_credits": "7"}}
        mine, other = await portal_of(client, "c1"), await portal_of(client, "c2")
        for door in (mine, other):
            door.headers["Idempotency-Key"] = "same"
        first = await post(mine, path, body)
        assert await post(mine, path, body) == first
        assert (await post(other, path, body, expect=404))["code"] == "wallet_not_found"
        listed = await get(client, f"/wallets/{made['lago_id']}/wallet_transactions")
        assert len(listed["wallet_transactions"]) == 1


class TestInvoices:
    async def test_come_by_eight_and_are_searched(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        await kit.customer(client, external_id="c2")
        mine = [await one_off(client, "c1", cents) for cents in range(101, 110)]
        await one_off(client, "c2", 999)
        door = await portal_of(client, "c1")
        page = await get(door, "/invoices")
        assert [one["total_amount_cents"] for one in page["invoices"]] == list(range(109, 101, -1))
        assert (page["meta"]["total_count"], page["meta"]["total_pages"]) == (9, 2)
        (last,) = (await get(door, "/invoices", page="2", per_page="100"))["invoices"]
        assert (last["number"], last["payment_status"]) == (mine[0]["number"], "pending")
        (found,) = (await get(door, "/invoices", search_term=mine[3]["number"][-7:]))["invoices"]
        assert found["lago_id"] == mine[3]["lago_id"]
        assert (await get(door, "/invoices", search_term="c2"))["invoices"] == []

    async def test_are_those_that_were_issued(self, client, portal_of):
        who = await kit.customer(client, external_id="c1", billing_configuration={"invoice_grace_period": 3})
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000))
        voided = await one_off(client, "c1", 100)
        await post(client, f"/invoices/{voided['lago_id']}/void", {})
        await kit.advance(client, "2026-02-01T01:00")
        (draft,) = (await get(client, "/invoices", status="draft"))["invoices"]
        door = await portal_of(client, "c1")
        assert (await get(door, "/invoices"))["invoices"] == []
        for hidden in (draft, voided):
            answer = await post(door, f"/invoices/{hidden['lago_id']}/download", {}, expect=404)
            assert answer["code"] == "invoice_not_found"

    async def test_are_downloaded(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        bill = await one_off(client, "c1", 100)
        door = await portal_of(client, "c1")
        file = (await post(door, f"/invoices/{bill['lago_id']}/download", {}))["invoice"]
        assert (file["number"], file["xml_url"]) == (bill["number"], None)
        assert (await door.get(file["file_url"])).content.startswith(b"%PDF")
        again = (await post(door, f"/invoices/{bill['lago_id']}/download", {}))["invoice"]
        assert again == file


class TestPages:
    @pytest.mark.parametrize(
        ("kind", "known_as", "pays"),
        [
            ("stripe", "cus_1", True),
            ("adyen", "ada", True),
            pytest.param("adyen", None, False, id="adyen, before a card is left"),
            pytest.param("moneyhash", None, False, id="moneyhash, before they are made there"),
            ("cashfree", None, True),
            ("flutterwave", None, True),
            ("gocardless", "CU1", False),
        ],
    )
    def test_are_offered_where_one_would_be_made(self, kind, known_as, pays):
        linked: Any = SimpleNamespace(payment_provider_id=UUID(int=1), provider_customer_id=known_as)
        assert service.pays_on_pages(linked, make_adapters({})[kind].abilities) is pays

    async def test_are_of_invoices_and_purchases_of_ones_own(self, client, portal_of):
        """Nobody pays by a provider here, so that there is no page; of others it is not even told that they are there."""
        for name in ("ada", "bob"):
            await kit.customer(client, external_id=name, currency="EUR")
        filled = await wallet(client, "ada")
        ada, bob = await portal_of(client, "ada"), await portal_of(client, "bob")
        assert (await get(ada, "/me"))["pays_on_pages"] is False
        made = (await post(ada, f"/wallets/{filled['lago_id']}/top_ups", {"top_up": {"paid_credits": "5"}}))[
            "top_up"
        ]
        assert made["is_paid_on_page"] is False
        invoice = await one_off(client, "ada", 4200)
        places = [
            f"/wallet_transactions/{made['lago_id']}/payment_url",
            f"/invoices/{invoice['lago_id']}/payment_url",
        ]
        for place in places:
            answer = await post(ada, place, None, expect=422)
            assert answer["error_details"] == {"base": ["no_linked_payment_provider"]}
            await post(bob, place, None, expect=404)


class TestOthers:
    """What is somebody else's is not there: another customer's, and another organization's."""

    async def test_are_never_seen(self, client, make_organization, portal_of):
        stranger = await make_organization("2026-01-01T00:00:00Z", name="Other")
        await kit.customer(client, external_id="me")
        owned = []
        for owner, external_id in ((client, "you"), (stranger.client, "me")):
            who = await kit.customer(owner, external_id=external_id, name="Hidden")
            plan = await kit.plan(owner, kit.charge(await kit.metric(owner)), amount_cents=100)
            subscription = await kit.subscribe(owner, who, plan)
            purse = await wallet(owner, external_id, granted_credits="5")
            owned.append((subscription, purse, await one_off(owner, external_id, 100)))
        door = await portal_of(client, "me")
        for subscription, purse, bill in owned:
            for method, path, body, code in (
                ("GET", f"/subscriptions/{subscription['lago_id']}/usage", None, "subscription"),
                ("GET", f"/wallets/{purse['lago_id']}", None, "wallet"),
                ("GET", f"/wallets/{purse['lago_id']}/top_up_price?paid_credits=1", None, "wallet"),
                ("POST", f"/wallets/{purse['lago_id']}/top_ups", {"top_up": {"paid_credits": "1"}}, "wallet"),
                ("POST", f"/invoices/{bill['lago_id']}/download", {}, "invoice"),
            ):
                assert (await call(door, method, path, body, expect=404))["code"] == f"{code}_not_found"
        for path in ("/subscriptions", "/wallets", "/invoices", "/me"):
            answer = await door.get(path)
            assert "Hidden" not in answer.text
            assert [part for part in answer.json().values() if isinstance(part, list) and part] == []

    async def test_who_had_the_external_id_before_are_others(self, client, database, portal_of):
        await kit.customer(client, external_id="c1")
        await one_off(client, "c1", 100)
        await call(client, "DELETE", "/customers/c1")
        await kit.customer(client, external_id="c1")
        door = await portal_of(client, "c1")
        assert (await get(door, "/invoices"))["invoices"] == []
        assert (await get(door, "/me"))["balances"] == []

    async def test_no_id_is_malformed(self, client, portal_of):
        await kit.customer(client, external_id="c1")
        door = await portal_of(client, "c1")
        for path in ("/subscriptions/x/usage", "/wallets/x", "/wallets/x/top_up_price"):
            assert (await door.get(path)).status_code == 404

    async def test_costs_the_same_statements_whatever_there_is(self, client, application, portal_of):
        who = await kit.customer(client, external_id="c1")
        plan = await kit.plan(client, amount_cents=100)
        door = await portal_of(client, "c1")
        counts: list[list[int]] = []
        for _ in range(2):
            await kit.subscribe(client, who, plan)
            await wallet(client, "c1")
            await one_off(client, "c1", 100 + len(counts))
            counts.append(
                [
                    await statements(application, door, path)
                    for path in ("/me", "/subscriptions", "/wallets", "/invoices")
                ]
            )
        assert counts[0] == counts[1]


async def statements(application, door, path: str) -> int:
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):
        seen.append(statement)

    engine = application.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await get(door, path)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


class TestBrandColors:
    async def test_are_six_hexadecimal_digits(self, client):
        (entity,) = (await get(client, "/billing_entities"))["billing_entities"]
        path = f"/billing_entities/{entity['code']}"
        assert entity["brand_color"] is None
        for color in ("red", "#12345", "#1234567", "#12345g", "url(x)", 5, ["#123456"]):
            answer = await call(client, "PUT", path, {"billing_entity": {"brand_color": color}}, expect=422)
            assert answer["error_details"] == {"brand_color": ["invalid_format"]}
        for sent, shown in (("#ABCDEF", "#abcdef"), (None, None)):
            changed = await call(client, "PUT", path, {"billing_entity": {"brand_color": sent}})
            assert changed["billing_entity"]["brand_color"] == shown
