"""What else a world has, so that an upgrade meets rows in nearly every table: whatever may have its own taxes, sections or prices,
rules that top up, thresholds, corrections, exports, people, and what staff do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
from deploy.worlds import members
from deploy.worlds.life import ADMIN_KEY, Json, Seller, charge

from tallymark.api.tenant_limits import Limit
from tallymark.app import Running, running
from tallymark.jobs.deeds import AT_THE_SHELL
from tallymark.people import create_user, make_staff_link
from tallymark.rooms.limits import service as limits
from tallymark.rooms.organizations.switches import Switch, turn
from tallymark.settings import Settings

PASSWORD = "Correct-Horse-1"
ENTITY = "rest"
SECTIONS: Json = {"invoice_custom_section_codes": ["section_0"]}


@asynccontextmanager
async def seller_of(parts: Running, name: str, frozen_time: str) -> AsyncIterator[tuple[Seller, UUID]]:
    """Another organization, under a test clock."""
    transport = httpx.ASGITransport(parts.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
        body = {"name": name, "email": "ops@acme.test", "test_clock": {"frozen_time": frozen_time}}
        made = await http.post(
            "http://test/admin/organizations", json=body, headers={"X-Admin-API-Key": ADMIN_KEY}
        )
        http.headers["Authorization"] = f"Bearer {made.json()['api_key']}"
        yield Seller(http), UUID(made.json()["organization"]["lago_id"])


@asynccontextmanager
async def member_of(parts: Running, organization_id: UUID) -> AsyncIterator[Seller]:
    """Ada, in the web app."""
    transport = httpx.ASGITransport(parts.asgi)
    entered = {"X-Lago-Organization": str(organization_id)}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test/app/v1", headers=entered
    ) as browser:
        known = {"email": "ada@acme.test", "password": PASSWORD}
        (await browser.post("/session", json=known)).raise_for_status()
        yield Seller(browser)


async def add_the_rest(url: str, data_dir: Path) -> None:
    """Fill a second organization of a world that was built, and what belongs to none."""
    options = Settings(admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=data_dir)
    async with running(options, url) as parts:
        async with seller_of(parts, "Rest", "2025-01-01T00:00:00Z") as (seller, organization_id):
            await offer(seller)
            await sell(seller)
            await create_user(url, "ada@acme.test", str(organization_id), ["admin"], password=PASSWORD)
            async with member_of(parts, organization_id) as member:
                await members.choose(member, ENTITY)
            await correct(seller)
            await members.settle(seller)
        await members.add_up(parts.database, organization_id)
        await make_staff_link(url, "ann@ops.test")
        now = datetime.now(UTC)
        async with parts.database.system() as connection:
            by = limits.Setter(staff=AT_THE_SHELL)
            await limits.set_own(connection, organization_id, {Limit.MEMBERS: 50}, by=by, now=now)
            await turn(connection, organization_id, Switch.MUTE_EMAILS, is_on=True, now=now)
        while await parts.chronicler.close_some():
            pass


async def offer(seller: Seller) -> None:
    """A catalogue in which everything has something of its own."""
    for number in range(2):
        await seller.make("/taxes", "tax", name="T", code=f"tax_{number}", rate="20")
        section = {"code": f"section_{number}", "name": f"S{number}", "display_name": "S", "details": "D"}
        await seller.make("/invoice_custom_sections", "invoice_custom_section", **section)
    await seller.make("/pricing_units", "pricing_unit", code="tokens", name="Tokens", short_name="TK")
    seat = {"name": "Seat", "code": "seat", "amount_cents": 700, "amount_currency": "EUR"}
    add_on = await seller.make("/add_ons", "add_on", tax_codes=["tax_0"], **seat)
    summed = {"aggregation_type": "sum_agg", "field_name": "value"}
    regions = [{"key": "region", "values": ["eu", "us"]}]
    metric = await seller.make(
        "/billable_metrics", "billable_metric", name="M", code="m", filters=regions, **summed
    )
    at_once = await seller.make("/billable_metrics", "billable_metric", name="A", code="at_once", **summed)
    fixed = {
        "code": "seat", "add_on_id": add_on["lago_id"], "charge_model": "standard", "units": "3", "properties": {"amount": "2"},
        "tax_codes": ["tax_1"],
    }  # fmt: skip
    priced = charge(metric, "standard", amount="0.5") | {
        "code": "c", "tax_codes": ["tax_0"], "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "0.4"}}],
    }  # fmt: skip
    loose = charge(at_once, "standard", amount="5") | {
        "pay_in_advance": True,
        "invoiceable": False,
        "code": "loose",
    }
    tokens = charge(metric, "standard", amount="2") | {
        "code": "tokens", "applied_pricing_unit": {"code": "tokens", "conversion_rate": "0.5"},
    }  # fmt: skip
    monthly: Json = {"interval": "monthly", "amount_currency": "EUR", "pay_in_advance": False}
    await seller.make(
        "/plans", "plan", name="Rest", code="rest", amount_cents=900, charges=[priced], fixed_charges=[fixed], tax_codes=["tax_0"],
        minimum_commitment={"amount_cents": 5000, "tax_codes": ["tax_0"]},
        usage_thresholds=[{"amount_cents": 10_000, "threshold_display_name": "first"}], **monthly,
    )  # fmt: skip
    await seller.make(
        "/plans", "plan", name="Loose", code="loose", amount_cents=100, charges=[loose, tokens], **monthly
    )
    for code, target in (
        ("of_plans", {"plan_codes": ["rest"]}),
        ("of_metrics", {"billable_metric_codes": ["m"]}),
    ):
        terms = {
            "coupon_type": "percentage",
            "percentage_rate": "5",
            "frequency": "forever",
            "expiration": "no_expiration",
        }
        await seller.make("/coupons", "coupon", name="C", code=code, applies_to=target, **terms)
    for code in ("regions", "seats"):
        privileges = [{"code": "max", "name": "Most", "value_type": "integer"}]
        await seller.make("/features", "feature", code=code, name="F", privileges=privileges)
        await seller.call("PATCH", "/plans/rest/entitlements", {"entitlements": {code: {"max": 3}}})


async def sell(seller: Seller) -> None:
    """Customers with something of their own of everything, and a month of theirs."""
    own = {
        "tax_codes": ["tax_0"],
        "invoice_custom_section_codes": ["section_1"],
        "email_settings": ["invoice.finalized"],
    }
    await seller.call("PUT", f"/billing_entities/{ENTITY}", {"billing_entity": own})
    who: Json = {"currency": "EUR", "email": "rest@acme.test", "name": "Rest"}
    await seller.make("/customers", "customer", external_id="rest", tax_codes=["tax_1"], **SECTIONS, **who)
    grace: Json = {"billing_configuration": {"invoice_grace_period": 30}}
    await seller.make("/customers", "customer", external_id="late", **grace, **who)
    for owner, plan, name in (("rest", "rest", "rest"), ("rest", "loose", "loose"), ("late", "rest", "late")):
        bought = {"external_customer_id": owner, "plan_code": plan, "external_id": name}
        await seller.make("/subscriptions", "subscription", invoice_custom_section=SECTIONS, **bought)
    await seller.call("DELETE", "/subscriptions/rest/entitlements/seats")
    await seller.call("PUT", "/subscriptions/rest/fixed_charges/seat", {"fixed_charge": {"units": "5"}})
    await seller.make(
        "/applied_coupons", "applied_coupon", external_customer_id="rest", coupon_code="of_plans"
    )
    rule = {
        "trigger": "interval",
        "interval": "monthly",
        "granted_credits": "5",
        "invoice_custom_section": SECTIONS,
    }
    await seller.make(
        "/wallets", "wallet", external_customer_id="rest", name="W", rate_amount="1", currency="EUR", granted_credits="3", paid_credits="2",
        recurring_transaction_rules=[rule], applies_to={"billable_metric_codes": ["m"]}, invoice_custom_section=SECTIONS,
    )  # fmt: skip
    await seller.send("rest", "m", 400, 5, at="2025-01-20")
    await seller.send("loose", "at_once", 2, at="2025-01-20")
    await seller.send("late", "m", 7, at="2025-01-20")
    await seller.advance("2025-02-02T12:00")
    history = {"lifetime_usage": {"external_historical_usage_amount_cents": 5}}
    await seller.call("PUT", "/subscriptions/rest/lifetime_usage", history)
    await seller.make("/data_exports", "data_export", resource_type="invoices")
    once = {"Idempotency-Key": "once"}
    tax = {"tax": {"name": "T", "code": "once", "rate": "1"}}
    (await seller.http.post("/taxes", json=tax, headers=once)).raise_for_status()


async def correct(seller: Seller) -> None:
    """Events that were others, a payment that is asked for, an invoice with words on it."""
    bills = (await seller.call("GET", "/invoices", external_customer_id="rest"))["invoices"]
    owed = [one for one in bills if one["status"] == "finalized" and one["total_due_amount_cents"]]
    noted = {"invoice": {"metadata": [{"key": "a", "value": "b"}]}}
    await seller.call("PUT", f"/invoices/{owed[0]['lago_id']}", noted)
    await seller.advance("2025-03-10T12:00")
    asked = {"external_customer_id": "rest", "lago_invoice_ids": [owed[0]["lago_id"]]}
    await seller.make("/payment_requests", "payment_request", **asked)
    await seller.send("rest", "m", 9, at="2025-03-08")
    amended = {"external_subscription_id": "rest", "reason": "r", "properties": {"value": 3}}
    await seller.call("POST", "/events/rest-m-2025-03-08-0/amend", {"event": amended})
    backfill = {
        "external_subscription_id": "rest",
        "code": "m",
        "from": "2025-03-01",
        "to": "2025-03-02",
        "reason": "r",
    }
    begun = await seller.make("/event_backfills", "event_backfill", **backfill)
    event = {"transaction_id": "brought", "timestamp": 1740808800, "properties": {"value": 1}}
    await seller.call("POST", f"/event_backfills/{begun['lago_id']}/events", {"events": [event]})
    await seller.send("rest", "m", 2, at="2025-01-21")  # of a period that is billed
    await seller.send("rest", "m", "many", at="2025-03-09")
