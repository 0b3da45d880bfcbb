"""`tallymark explain fee`: an amount, step by step."""

import httpx
from tests.cli.conftest import tallymark


def test_a_fee_is_explained_from_its_events_to_its_cents(start):
    """250 calls: 100 at 0.20 and 150 at 0.15, 1.00 flat on the first tier: 43.50."""
    server = start(TALLYMARK_ADMIN_API_KEY="adm")
    admin = httpx.Client(base_url=server.url, headers={"X-Admin-API-Key": "adm"}, timeout=30)
    made = admin.post(
        "/admin/organizations", json={"name": "Hooli", "test_clock": {"frozen_time": "2026-01-01T00:00:00Z"}}
    ).json()
    api = httpx.Client(
        base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {made['api_key']}"}, timeout=30
    )
    metric = {"name": "Calls", "code": "calls", "aggregation_type": "sum_agg", "field_name": "n"}
    metric = api.post("/billable_metrics", json={"billable_metric": metric}).json()["billable_metric"]
    tiers = [
        {"from_value": 0, "to_value": 100, "per_unit_amount": "0.20", "flat_amount": "1"},
        {"from_value": 101, "to_value": None, "per_unit_amount": "0.15", "flat_amount": "0"},
    ]
    charge = {
        "billable_metric_id": metric["lago_id"],
        "charge_model": "graduated",
        "properties": {"graduated_ranges": tiers},
    }
    plan = {
        "name": "P",
        "code": "p",
        "interval": "monthly",
        "amount_cents": 0,
        "amount_currency": "EUR",
        "pay_in_advance": False,
        "charges": [charge],
    }
    api.post("/plans", json={"plan": plan})
    subscription = {"external_customer_id": "c", "plan_code": "p", "external_id": "s"}
    api.post("/subscriptions", json={"subscription": subscription})
    event = {
        "transaction_id": "1",
        "external_subscription_id": "s",
        "code": "calls",
        "properties": {"n": 250},
    }
    api.post("/events", json={"event": event})
    api.post("/test_clock/advance", json={"test_clock": {"to": "2026-02-02T00:00:00Z"}})
    (fee,) = api.get("/fees", params={"fee_type": "charge"}).json()["fees"]
    assert fee["amount_cents"] == 4350

    told = tallymark("explain", "fee", fee["lago_id"], "--data-dir", server.data_dir)
    assert told.returncode == 0, told.stderr
    words = " ".join(told.stdout.split())
    assert "Calls (EUR)" in words
    assert "sum_agg of 1 events of calls = 250" in words
    assert "0 to 100: 100 at 0.2 + 1 = 21" in words
    assert "100 to above: 150 at 0.15 + 0 = 22.5" in words
    assert words.endswith("half away from zero = 4350 cents")

    unknown = tallymark("explain", "fee", plan_id := metric["lago_id"], "--data-dir", server.data_dir)
    assert (unknown.returncode, unknown.stderr.strip()) == (1, f"tallymark: there is no fee {plan_id}")
