"""An organization with one of everything that can be moved, made over the public API."""

from __future__ import annotations

from typing import Any

import httpx
from tests import kit

from tallymark.integrations.lago import LagoApi
from tallymark.moving.run import Import
from tallymark.moving.shadow import Shadow
from tallymark.moving.sides import Source, Target

Json = dict[str, Any]
START = "2025-01-10T09:00:00Z"
NAME = "https://billing.example"


async def no_pause(_: float) -> None:
    """What tests sleep."""


def source_of(client: httpx.AsyncClient) -> Source:
    return Source(api=LagoApi(client, sleep=no_pause, concurrency=4), name=NAME)


def target_of(organization: Any, database: Any) -> Target:
    return Target(
        api=LagoApi(organization.client, sleep=no_pause),
        database=database,
        organization_id=organization.id,
        is_simulated=True,
    )


def importing(there: Any, here: Any, database: Any, **more: Any) -> Import:
    return Import(source=source_of(there.client), target=target_of(here, database), **more)


def shadowing(there: Any, here: Any, database: Any, **more: Any) -> Shadow:
    return Shadow(source=source_of(there.client), target=target_of(here, database), **more)


async def catalog(client: httpx.AsyncClient) -> dict[str, Json]:
    """Taxes, entities, sections, metrics, add-ons, features, plans of every sort, coupons."""
    await kit.tax(client, "20", code="vat", name="VAT")
    await kit.post(client, "/taxes", {"tax": {"name": "City", "code": "city", "rate": "1.5"}})
    section = {"name": "Terms", "code": "terms", "details": "Net 30"}
    await kit.post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
    entity = {"code": "branch", "name": "Branch", "net_payment_term": 14, "country": "FR"}
    await kit.post(client, "/billing_entities", {"billing_entity": entity})
    settings = {"billing_entity": {"tax_codes": ["city"], "invoice_custom_section_codes": ["terms"]}}
    await kit.call(client, "PUT", "/billing_entities/branch", settings)
    calls = await kit.metric(client, code="calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    seats = await kit.metric(client, "unique_count_agg", code="seats", recurring=True)
    jobs = await kit.metric(client, code="jobs")
    setup: Json = {"name": "Support", "code": "support", "amount_cents": 700, "amount_currency": "EUR"}
    body: Json = {"add_on": {**setup, "tax_codes": ["city"]}}
    sold = (await kit.post(client, "/add_ons", body))["add_on"]
    feature = {"code": "sso", "name": "SSO", "privileges": [{"code": "provider", "value_type": "string"}]}
    await kit.post(client, "/features", {"feature": feature})
    plans = await _plans(client, calls, seats, jobs, sold)
    coupons: list[Json] = [
        {
            "code": "large",
            "coupon_type": "fixed_amount",
            "amount_cents": 60_000,
            "amount_currency": "EUR",
            "frequency": "once",
            "reusable": False,
        },
        {
            "code": "ten",
            "coupon_type": "percentage",
            "percentage_rate": "10",
            "frequency": "recurring",
            "frequency_duration": 20,
        },
        {
            "code": "gone",
            "coupon_type": "fixed_amount",
            "amount_cents": 50,
            "amount_currency": "EUR",
            "frequency": "forever",
            "expiration": "time_limit",
            "expiration_at": "2025-02-01T00:00:00Z",
        },
    ]
    for coupon in coupons:
        body = {"name": coupon["code"], "expiration": "no_expiration", **coupon}
        await kit.post(client, "/coupons", {"coupon": body})
    return {"calls": calls, "seats": seats, "jobs": jobs, **plans}


async def _plans(
    client: httpx.AsyncClient, calls: Json, seats: Json, jobs: Json, sold: Json
) -> dict[str, Json]:
    graduated = kit.charge(
        calls, "graduated",
        graduated_ranges=[
            {"from_value": 0, "to_value": 10, "per_unit_amount": "2", "flat_amount": "0"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "1", "flat_amount": "3"},
        ],
    )  # fmt: skip
    eu = {"values": {"region": ["eu"]}, "properties": graduated["properties"], "invoice_display_name": "EU"}
    support = {"add_on_id": sold["lago_id"], "charge_model": "standard", "units": "2", "pay_in_advance": True,
               "prorated": True, "properties": {"amount": "7"}}  # fmt: skip
    usage = await kit.plan(
        client, {**graduated, "filters": [eu], "code": "calls"}, {**kit.charge(seats, amount="5"), "code": "seats"},
        code="usage", amount_cents=3100, metadata={"team": "core"}, description="By use",
    )  # fmt: skip
    package = kit.charge(jobs, "package", amount="3", package_size=10, free_units=0)
    ahead = await kit.plan(
        client, {**package, "pay_in_advance": True, "code": "jobs"}, code="ahead", amount_cents=6200,
        pay_in_advance=True, tax_codes=["city"], fixed_charges=[{**support, "code": "support"}],
    )  # fmt: skip
    yearly = await kit.plan(
        client, {**kit.charge(calls, amount="1"), "code": "calls"}, code="yearly", interval="yearly",
        amount_cents=36_500, bill_charges_monthly=True, minimum_commitment={"amount_cents": 100_000},
    )  # fmt: skip
    trial = await kit.plan(client, code="trial", amount_cents=3000, pay_in_advance=True, trial_period=60)
    small = await kit.plan(client, code="small", amount_cents=1000, pay_in_advance=True)
    levels = await kit.plan(
        client, kit.charge(calls, amount="1"), code="levels", usage_thresholds=[{"amount_cents": 5000}]
    )
    await kit.post(client, "/plans/usage/entitlements", {"entitlements": {"sso": {"provider": "okta"}}})
    return {
        "usage": usage, "ahead": ahead, "yearly": yearly, "trial": trial, "small": small, "levels": levels,
    }  # fmt: skip


async def seller(client: httpx.AsyncClient) -> dict[str, Json]:
    """All of it, at the beginning of a life; usage of two months comes with `live`."""
    things = await catalog(client)
    acme = await kit.customer(
        client, external_id="acme", email="pay@acme.test", country="DE", currency="EUR", net_payment_term=7,
        metadata=[{"key": "crm", "value": "17", "display_in_invoice": True}],
        shipping_address={"city": "Berlin"}, billing_configuration={"document_locale": "de"},
    )  # fmt: skip
    globex = await kit.customer(
        client,
        external_id="globex",
        timezone="America/New_York",
        billing_entity_code="branch",
        tax_codes=["vat"],
    )
    initech = await kit.customer(client, external_id="initech")
    for code in ("large", "ten", "gone"):
        body = {"external_customer_id": "acme", "coupon_code": code}
        await kit.post(client, "/applied_coupons", {"applied_coupon": body})
    await kit.subscribe(client, acme, things["usage"], external_id="acme-usage", name="Usage")
    await kit.subscribe(
        client, acme, things["ahead"], external_id="acme-ahead", billing_time="anniversary",
        plan_overrides={"amount_cents": 5000},
    )  # fmt: skip
    await kit.subscribe(client, globex, things["yearly"], external_id="globex-yearly")
    await kit.subscribe(client, globex, things["small"], external_id="globex-small")
    await kit.subscribe(client, initech, things["trial"], external_id="initech-trial")
    wallet = {
        "external_customer_id": "acme", "name": "Prepaid", "code": "prepaid", "rate_amount": "1", "currency": "EUR",
        "paid_credits": "40", "granted_credits": "30", "priority": 3,
        "recurring_transaction_rules": [{"trigger": "interval", "interval": "monthly", "granted_credits": "5"}],
    }  # fmt: skip
    await kit.post(client, "/wallets", {"wallet": wallet})
    (bought,) = (await kit.get(client, "/invoices", invoice_type="credit"))["invoices"]
    paid = {
        "invoice_id": bought["lago_id"],
        "amount_cents": 4000,
        "reference": "wire",
        "paid_at": "2025-01-10",
    }
    await kit.post(client, "/payments", {"payment": paid})
    alert = {"alert_type": "current_usage_amount", "code": "much", "thresholds": [{"value": "100000"}]}
    await kit.post(client, "/subscriptions/acme-usage/alerts", {"alert": alert})
    entitled = {"entitlements": {"sso": {"provider": "google"}}}
    await kit.call(client, "PATCH", "/subscriptions/acme-usage/entitlements", entitled)
    return things


async def use(*clients: httpx.AsyncClient, month: str, day: str = "12") -> None:
    """The same usage in each of some organizations; transaction ids tell the months apart."""

    def event(name: str, of: str, code: str, **properties: Any) -> Json:
        return {
            "transaction_id": f"{month}-{name}", "external_subscription_id": of, "code": code,
            "timestamp": kit.epoch(f"{month}-{day}T10:00"), "properties": properties,
        }  # fmt: skip

    events = [
        event("eu", "acme-usage", "calls", value=17, region="eu"),
        event("other", "acme-usage", "calls", value=4, region="us"),
        event("seat", "acme-usage", "seats", value=f"user of {month}"),
        event("jobs", "acme-ahead", "jobs", value=7),
        event("more", "acme-ahead", "jobs", value=8),
        event("yearly", "globex-yearly", "calls", value=120),
    ]
    for client in clients:
        await kit.post(client, "/events/batch", {"events": events})
