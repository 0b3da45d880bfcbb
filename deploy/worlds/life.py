"""A small world with something of everything, made over the API alone, so that any release can make its own.

What a release does not know yet (404, 405) is left out. Clocks are simulated: the world is the same each time, but for ids and keys.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tallymark.app import running
from tallymark.settings import Settings

Json = dict[str, Any]

START = "2025-01-10T09:00:00Z"
ADMIN_KEY = "upgrades"
UNKNOWN = (404, 405)


class Unknown(Exception):
    """This release has no such thing."""


class Seller:
    """Talks to a release's API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Json:
        answer = await self.http.request(method, path, json=body, params=query or None)
        if answer.status_code in UNKNOWN:
            raise Unknown(path)
        if answer.status_code != 200:
            raise AssertionError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        found: Json = answer.json() if answer.content else {}
        return found

    async def make(self, path: str, root: str, /, **fields: Any) -> Json:
        found: Json = (await self.call("POST", path, {root: fields}))[root]
        return found

    async def advance(self, to: str) -> None:
        instant = datetime.fromisoformat(to).replace(tzinfo=UTC).isoformat()
        answer = await self.call("POST", "/test_clock/advance", {"test_clock": {"to": instant}})
        assert not answer.get("errors"), answer["errors"]

    async def send(self, subscription: str, code: str, *values: Any, at: str, field: str = "value") -> None:
        events = [
            {
                "transaction_id": f"{subscription}-{code}-{at}-{number}",
                "external_subscription_id": subscription,
                "code": code,
                "timestamp": int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) + number,
                "properties": {field: value, "region": "eu" if number % 2 else "us"},
            }
            for number, value in enumerate(values)
        ]
        await self.call("POST", "/events/batch", {"events": events})


def charge(of: Json, model: str, **properties: Any) -> Json:
    return {"billable_metric_id": of["lago_id"], "charge_model": model, "properties": properties}


async def build(url: str, data_dir: Path) -> Json:
    """Live two months of four customers in a migrated database; what the API tells of them in the end, and the key to ask it."""
    options = Settings(admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=data_dir)
    async with running(options, url) as parts:
        transport = httpx.ASGITransport(parts.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            body = {"name": "Acme", "email": "ops@acme.test", "test_clock": {"frozen_time": START}}
            made = await http.post(
                "http://test/admin/organizations", json=body, headers={"X-Admin-API-Key": ADMIN_KEY}
            )
            key = made.json()["api_key"]
            http.headers["Authorization"] = f"Bearer {key}"
            seller = Seller(http)
            await offer(seller)
            await live(seller)
            return {"api_key": key, "figures": await figures(http)}


async def offer(seller: Seller) -> None:
    """What is sold: taxes, metrics of every kind, plans, coupons, add-ons."""
    await seller.make("/taxes", "tax", name="VAT", code="vat", rate="20", applied_to_organization=True)
    await seller.make("/taxes", "tax", name="City", code="city", rate="1.5")
    metrics = {}
    for code, kind in (
        ("calls", "count_agg"),
        ("traffic", "sum_agg"),
        ("peak", "max_agg"),
        ("seats", "unique_count_agg"),
        ("level", "latest_agg"),
        ("disk", "weighted_sum_agg"),
    ):
        more: Json = {} if kind == "count_agg" else {"field_name": "value"}
        if kind == "weighted_sum_agg":
            more |= {"weighted_interval": "seconds", "recurring": True}
        if code == "seats":
            more |= {"recurring": True}
        if code == "traffic":
            more |= {"filters": [{"key": "region", "values": ["eu", "us"]}]}
        metrics[code] = await seller.make(
            "/billable_metrics", "billable_metric", name=code, code=code, aggregation_type=kind, **more
        )
    add_on = await seller.make(
        "/add_ons", "add_on", name="Set-up", code="setup", amount_cents=12000, amount_currency="EUR"
    )
    tiers = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "2"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
    ]
    filtered = charge(metrics["traffic"], "standard", amount="0.35")
    filtered["filters"] = [{"values": {"region": ["eu"]}, "properties": {"amount": "0.4"}}]
    usage = [
        charge(metrics["calls"], "package", amount="3", package_size=5, free_units=2),
        filtered,
        charge(metrics["peak"], "volume", volume_ranges=tiers),
        charge(metrics["seats"], "graduated", graduated_ranges=tiers),
        charge(metrics["level"], "standard", amount="0.015"),
        charge(metrics["disk"], "standard", amount="2"),
    ]
    common: Json = {"interval": "monthly", "amount_currency": "EUR"}
    await seller.make(
        "/plans",
        "plan",
        name="Pro",
        code="pro",
        amount_cents=4999,
        pay_in_advance=False,
        charges=usage,
        minimum_commitment={"amount_cents": 9000},
        tax_codes=["city"],
        **common,
    )
    in_advance = charge(metrics["calls"], "percentage", rate="1.5", fixed_amount="0.1") | {
        "billable_metric_id": metrics["traffic"]["lago_id"],
        "pay_in_advance": True,
    }
    fixed = {
        "add_on_id": add_on["lago_id"],
        "charge_model": "standard",
        "units": "2",
        "properties": {"amount": "7"},
    }
    await seller.make(
        "/plans",
        "plan",
        name="Prepaid",
        code="prepaid",
        amount_cents=3100,
        pay_in_advance=True,
        charges=[in_advance],
        fixed_charges=[fixed],
        usage_thresholds=[{"amount_cents": 50000, "threshold_display_name": "Half way"}],
        **common,
    )
    await seller.make(
        "/plans", "plan", name="Free", code="free", amount_cents=0, pay_in_advance=False, **common
    )
    coupon: Json = {"coupon_type": "percentage", "percentage_rate": "10", "frequency": "forever"}
    await seller.make("/coupons", "coupon", name="Ten", code="ten", expiration="no_expiration", **coupon)
    with suppress(Unknown):
        privileges = [{"code": "max", "name": "Most", "value_type": "integer"}]
        await seller.make("/features", "feature", code="regions", name="Regions", privileges=privileges)
        await seller.call("POST", "/plans/pro/entitlements", {"entitlements": {"regions": {"max": 3}}})
    with suppress(Unknown):
        await seller.make(
            "/webhook_endpoints",
            "webhook_endpoint",
            webhook_url="https://hooks.acme.test/",
            signature_algo="hmac",
        )


async def live(seller: Seller) -> None:
    """What happens in two months: usage, an upgrade, an end, wallets, coupons, payments, a credit note, a void invoice, a draft."""
    for number, zone in enumerate(("UTC", "America/New_York", "Asia/Tokyo", "Europe/Berlin"), start=1):
        more: Json = {"billing_configuration": {"invoice_grace_period": 5}} if number == 4 else {}
        await seller.make(
            "/customers",
            "customer",
            external_id=f"c{number}",
            name=f"Customer {number}",
            currency="EUR",
            timezone=zone,
            email=f"c{number}@acme.test",
            metadata=[{"key": "crm", "value": str(number), "display_in_invoice": False}],
            **more,
        )
    for customer, plan in (("c1", "pro"), ("c2", "prepaid"), ("c3", "pro"), ("c4", "pro")):
        await seller.make(
            "/subscriptions",
            "subscription",
            external_customer_id=customer,
            plan_code=plan,
            external_id=f"s-{customer}",
        )
    await seller.make("/applied_coupons", "applied_coupon", external_customer_id="c1", coupon_code="ten")
    await seller.make(
        "/wallets",
        "wallet",
        external_customer_id="c3",
        name="Credits",
        rate_amount="1",
        currency="EUR",
        paid_credits="0",
        granted_credits="40",
    )
    with suppress(Unknown):
        await seller.call(
            "POST",
            "/subscriptions/s-c1/alerts",
            {
                "alert": {
                    "alert_type": "current_usage_amount",
                    "code": "much",
                    "thresholds": [{"code": "warn", "value": 1000}],
                }
            },
        )
    await use(seller, "2025-01-20")
    await seller.advance("2025-02-01T12:00")
    await seller.call("POST", "/invoices", one_off("c1"))
    first = (await seller.call("GET", "/invoices", external_customer_id="c1"))["invoices"]
    bill = (await seller.call("GET", f"/invoices/{first[-1]['lago_id']}"))["invoice"]
    with suppress(Unknown):
        paid = {
            "invoice_id": bill["lago_id"],
            "amount_cents": bill["total_amount_cents"],
            "reference": "bank 1",
        }
        await seller.make("/payments", "payment", **paid)
        fee = next(one for one in bill["fees"] if one["amount_cents"] > 1000)
        items = [{"fee_id": fee["lago_id"], "amount_cents": 500}]
        asked = {"credit_note": {"invoice_id": bill["lago_id"], "items": items}}
        told = (await seller.call("POST", "/credit_notes/estimate", asked))["estimated_credit_note"]
        credit = {"credit_amount_cents": told["max_creditable_amount_cents"], "refund_amount_cents": 0}
        await seller.make(
            "/credit_notes", "credit_note", invoice_id=bill["lago_id"], reason="other", items=items, **credit
        )
    with suppress(Unknown):
        third = (await seller.call("GET", "/invoices", external_customer_id="c3"))["invoices"]
        await seller.call("POST", f"/invoices/{third[0]['lago_id']}/void")
    await use(seller, "2025-02-10")
    await seller.make(
        "/subscriptions", "subscription", external_customer_id="c2", plan_code="pro", external_id="s-c2"
    )
    await seller.call("DELETE", "/subscriptions/s-c3")
    await seller.advance("2025-03-02T12:00")
    await use(seller, "2025-03-01T18:00")


def one_off(customer: str) -> Json:
    fee = {"add_on_code": "setup", "units": "2"}
    return {"invoice": {"external_customer_id": customer, "currency": "EUR", "fees": [fee]}}


async def use(seller: Seller, at: str) -> None:
    """Each subscription that runs uses something of everything."""
    running = (await seller.call("GET", "/subscriptions", **{"status[]": "active"}))["subscriptions"]
    for subscription in sorted(one["external_id"] for one in running):
        await seller.send(subscription, "calls", *range(9), at=at)
        await seller.send(subscription, "traffic", 3, "7.25", 100, at=at)
        await seller.send(subscription, "peak", 4, 12, at=at)
        await seller.send(subscription, "seats", "ann", "bob", "cid", at=at)
        await seller.send(subscription, "level", 250, 300, at=at)
        await seller.send(subscription, "disk", 5, at=at)
    await seller.send("nobody", "calls", 1, at=at)


INVOICE = ("number", "invoice_type", "status", "payment_status", "currency", "issuing_date", "fees_amount_cents",
           "coupons_amount_cents", "credit_notes_amount_cents", "prepaid_credit_amount_cents", "taxes_amount_cents", "total_amount_cents")  # fmt: skip
NOTE = ("number", "credit_status", "total_amount_cents", "balance_amount_cents", "taxes_amount_cents")
WALLET = ("name", "status", "balance_cents", "credits_balance", "consumed_credits")
SUBSCRIPTION = ("external_id", "plan_code", "status", "started_at", "terminated_at")


async def figures(http: httpx.AsyncClient) -> Json:
    """What may be different after no upgrade: documents and balances, as the API tells them."""
    seller = Seller(http)
    found: Json = {}
    for path, names in (("invoices", INVOICE), ("credit_notes", NOTE), ("wallets", WALLET)):
        shown: list[Json] = []
        for customer in ("c1", "c2", "c3", "c4"):
            with suppress(Unknown):
                shown += (await seller.call("GET", f"/{path}", external_customer_id=customer, per_page=100))[
                    path
                ]
        found[path] = sorted([[one.get(name) for name in names] for one in shown], key=str)
    listed = await seller.call(
        "GET", "/subscriptions", per_page=100, **{"status[]": ["active", "terminated"]}
    )
    found["subscriptions"] = sorted(
        [[one[name] for name in SUBSCRIPTION] for one in listed["subscriptions"]], key=str
    )
    usage = await seller.call("GET", "/customers/c1/current_usage", external_subscription_id="s-c1")
    found["usage"] = [
        [one["billable_metric"]["code"], one["units"], one["amount_cents"]]
        for one in usage["customer_usage"]["charges_usage"]
    ]
    return found
