"""Answers of the catalogue, subscriptions, usage and bills have what the contract's OpenAPI document asks for.

The document is read where it lies beside this checkout, as the acceptance scenarios are; without it nothing is held.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests import kit
from tests.api.contract import Contract
from tests.kit import call, get, post

DOCUMENT = Path(__file__).parents[3] / "shared" / "openapi" / "lago.json"

KNOWN = (
    # Properties and details have the keys of their model alone, options those that were sent.
    ".properties.",
    ".amount_details.",
    ".presentation_group_keys[].options: missing",
    # The pages are followed where they tell of another shape (docs/differences.md).
    ".fixed_charges: missing",
    ".fixed_charges[].units: number",
    ".fixed_charge.units: number",
    ".plan.metadata: missing",
    ".applicable_invoice_custom_sections: missing",
    ".applied_invoice_custom_sections: missing",
    ".applied_usage_thresholds: missing",
    ".error_details: missing",
    ".fees[].applied_taxes: missing",
    ".charge_model: not in the list",
    ".config.select_options: missing",
    ".entitlements[].entitlement: missing",
    ".entitlement: missing",
    # The document calls objects strings.
    ".request_body: string",
    ".request_response: string",
)


def tiers(price):
    first = {"from_value": 0, "to_value": 2, price: "1", "flat_amount": "1"}
    return [first, {"from_value": 3, "to_value": None, price: "1", "flat_amount": "0"}]


@pytest.fixture
async def held(make_organization):
    """A client whose answers are held against the document; `deviations` are what they lack."""
    if not DOCUMENT.exists():
        pytest.skip("the contract's document does not lie beside this checkout")
    contract = Contract(json.loads(DOCUMENT.read_text()))
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    client.deviations = set()

    async def hold(response):
        if response.status_code == 200:
            path = response.request.url.path.removeprefix("/api/v1")
            await response.aread()
            for found in contract.deviations(response.request.method, path, response.json()):
                client.deviations.add(f"{response.request.method} {path} {found}")

    client.event_hooks["response"].append(hold)
    yield client
    unknown = [found for found in client.deviations if not any(known in found for known in KNOWN)]
    assert not unknown, "\n".join(sorted(unknown))


async def sell(client):
    """A plan with every model of charge and everything that a plan may have."""
    tax = (await kit.tax(client))["code"]
    metric = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
    add_on = {
        "name": "Seat",
        "code": "seat",
        "amount_cents": 500,
        "amount_currency": "EUR",
        "tax_codes": [tax],
    }
    seat = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]["lago_id"]
    graduated = {"graduated_ranges": tiers("per_unit_amount")}
    models = {
        "graduated": graduated,
        "graduated_percentage": {"graduated_percentage_ranges": tiers("rate")},
        "volume": {"volume_ranges": tiers("per_unit_amount")},
        "package": {"amount": "1", "package_size": 2, "free_units": 1},
        "percentage": {"rate": "1", "fixed_amount": "0.1", "per_transaction_min_amount": "1"},
        "standard": {
            "amount": "3",
            "pricing_group_keys": ["team"],
            "presentation_group_keys": [{"value": "user"}],
        },
    }
    filters = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    charges = [
        {**kit.charge(metric, model, **properties), "code": model, "tax_codes": [tax]}
        for model, properties in models.items()
    ]
    charges[-1] |= {"filters": filters, "min_amount_cents": 100_000}
    fixed = {"add_on_id": seat, "charge_model": "graduated", "properties": graduated, "units": "2"}
    plan = await kit.plan(
        client,
        *charges,
        code="p",
        amount_cents=1000,
        fixed_charges=[{**fixed, "tax_codes": [tax]}],
        minimum_commitment={"amount_cents": 500_000, "invoice_display_name": "Least", "tax_codes": [tax]},
        usage_thresholds=[{"amount_cents": 100_000_000, "threshold_display_name": "Much"}],
        metadata={"a": "b"},
        tax_codes=[tax],
    )
    return plan, metric


async def test_of_the_catalogue(held):
    await sell(held)
    for path in ("/taxes", "/billable_metrics", "/add_ons", "/add_ons/seat", "/plans", "/plans/p"):
        await get(held, path)
    for path in (
        "charges",
        "charges/standard",
        "charges/standard/filters",
        "fixed_charges",
        "fixed_charges/seat",
    ):
        await get(held, f"/plans/p/{path}")
    coupon = {"name": "k", "code": "k", "coupon_type": "percentage", "percentage_rate": "10"}
    coupon |= {"frequency": "forever", "expiration": "no_expiration"}
    await post(held, "/coupons", {"coupon": coupon})
    await get(held, "/coupons")
    await call(held, "PUT", "/plans/p", {"plan": {"name": "New"}})
    await call(held, "DELETE", "/plans/p")


async def test_of_entitlements(held):
    await sell(held)
    sso = {"code": "by", "value_type": "select", "config": {"select_options": ["okta"]}}
    for code, privileges in (("seats", [{"code": "max", "value_type": "integer"}]), ("sso", [sso])):
        await post(held, "/features", {"feature": {"code": code, "privileges": privileges}})
    await call(held, "PUT", "/features/seats", {"feature": {"name": "Seats"}})
    for path in ("/features", "/features/seats"):
        await get(held, path)
    plan, own = "/plans/p/entitlements", "/subscriptions/s/entitlements"
    await post(held, plan, {"entitlements": {"seats": {"max": 1}}})
    await call(held, "PATCH", plan, {"entitlements": {"sso": {"by": "okta"}}})
    for path in (plan, f"{plan}/seats", "/plans/p"):
        await get(held, path)
    await kit.subscribe(held, await kit.customer(held), {"code": "p"}, external_id="s")
    await call(held, "PATCH", own, {"entitlements": {"seats": {"max": 2}}})
    for path in (own, "/subscriptions/s"):
        await get(held, path)
    for path in (f"{own}/sso/privileges/by", f"{own}/sso", f"{plan}/seats/privileges/max", f"{plan}/sso"):
        await call(held, "DELETE", path)
    for path in ("/features/seats/privileges/max", "/features/sso"):
        await call(held, "DELETE", path)


async def test_of_logs(held):
    await kit.tax(held)
    answer = await held.delete("/taxes/x")
    await post(held, "/features", {"feature": {"code": "f"}})
    entry, _ = (await get(held, "/activity_logs"))["activity_logs"]
    await get(held, f"/activity_logs/{entry['activity_id']}")
    for path in ("/api_logs", f"/api_logs/{answer.headers['x-request-id']}"):
        await get(held, path)


async def test_of_a_life(held):
    plan, metric = await sell(held)
    who = await kit.customer(
        held, external_id="c", email="a@b.co", currency="EUR", metadata=[{"key": "k", "value": "v"}]
    )
    made = await kit.subscribe(held, who, plan, external_id="s", plan_overrides={"amount_cents": 2000})
    event = {"properties": {"value": 3, "region": "eu", "team": "a", "user": "x"}}
    await kit.send(held, made, metric, 3, 4)
    await kit.send(held, made, metric, 3, **event)
    await kit.usage(held, who, made)
    for path in ("/customers", "/customers/c", "/subscriptions", "/subscriptions/s", "/events"):
        await get(held, path)
    for path in ("charges", "fixed_charges", "lifetime_usage"):
        await get(held, f"/subscriptions/s/{path}")
    await call(held, "PUT", "/subscriptions/s", {"subscription": {"name": "N"}})
    await kit.advance(held, "2026-02-02")
    (invoice,) = await kit.invoices(held, who)
    assert len(invoice["fees"]) > 8
    for path in (
        "/customers/c/past_usage?external_subscription_id=s",
        "/fees",
        f"/fees/{invoice['fees'][0]['lago_id']}",
    ):
        await get(held, path)
    await call(held, "DELETE", "/subscriptions/s")
    await call(held, "DELETE", "/customers/c")


async def test_of_what_is_owed(held):
    """Months with something in them and without, an invoice that is overdue, asked for and paid."""
    plan, metric = await sell(held)
    who = await kit.customer(held, external_id="c", email="a@b.co", currency="EUR")
    made = await kit.subscribe(held, who, plan, external_id="s")
    await kit.send(held, made, metric, 3, 4)
    await kit.advance(held, "2026-03-03")
    (january, february) = await kit.invoices(held, who)
    for name in ("gross_revenue", "invoice_collection", "invoiced_usage", "overdue_balance", "mrr", "usage"):
        await get(held, f"/analytics/{name}")
    asked = {
        "external_customer_id": "c",
        "lago_invoice_ids": [january["lago_id"], february["lago_id"]],
    }
    request = (await post(held, "/payment_requests", {"payment_request": asked}))["payment_request"]
    for path in ("/payment_requests", "/customers/c/payment_requests"):
        await get(held, path)
    paid = {"payment_request_id": request["lago_id"], "amount_cents": request["amount_cents"]}
    await post(held, "/payments", {"payment": {**paid, "reference": "all of it"}})
    for path in ("/payments", "/customers/c/payments", "/payment_receipts"):
        await get(held, path)
