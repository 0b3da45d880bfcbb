"""`tallymark explain`: an amount, step by step."""

import httpx
from tests.cli.conftest import tallymark


def shop(server):
    """An organization whose clock stands at the first of January 2026, and a client of it."""
    admin = httpx.Client(base_url=server.url, headers={"X-Admin-API-Key": "adm"}, timeout=30)
    made = admin.post(
        "/admin/organizations", json={"name": "Hooli", "test_clock": {"frozen_time": "2026-01-01T00:00:00Z"}}
    ).json()
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=30)


def test_an_invoice_is_explained_from_its_fees_to_its_total(start):
    """69.21 with 10 % off is 62.29; 19 % of it are 11.8351; 5.00 are there already."""
    server = start(TALLYMARK_ADMIN_API_KEY="adm")
    api = shop(server)
    api.post(
        "/taxes", json={"tax": {"name": "VAT", "code": "vat", "rate": "19", "applied_to_organization": True}}
    )
    plan = {
        "name": "Seats",
        "code": "p",
        "interval": "monthly",
        "amount_cents": 6921,
        "amount_currency": "EUR",
        "pay_in_advance": False,
    }
    api.post("/plans", json={"plan": plan})
    api.post("/customers", json={"customer": {"external_id": "c", "currency": "EUR"}})
    coupon = {
        "name": "Ten",
        "code": "ten",
        "coupon_type": "percentage",
        "percentage_rate": "10",
        "frequency": "once",
        "expiration": "no_expiration",
    }
    api.post("/coupons", json={"coupon": coupon})
    api.post("/applied_coupons", json={"applied_coupon": {"external_customer_id": "c", "coupon_code": "ten"}})
    wallet = {"external_customer_id": "c", "rate_amount": "1", "granted_credits": "5", "code": "bonus"}
    api.post("/wallets", json={"wallet": wallet})
    api.post(
        "/subscriptions",
        json={"subscription": {"external_customer_id": "c", "plan_code": "p", "external_id": "s"}},
    )
    api.post("/test_clock/advance", json={"test_clock": {"to": "2026-02-02T00:00:00Z"}})
    (invoice,) = api.get("/invoices").json()["invoices"]
    assert invoice["total_amount_cents"] == 6913

    told = tallymark("explain", "invoice", invoice["lago_id"], "--data-dir", server.data_dir)
    assert told.returncode == 0, told.stderr
    words = " ".join(told.stdout.split())
    assert words.startswith(f"Invoice {invoice['number']} (EUR)")
    assert "1 fees Seats (subscription) 6921 together 6921" in words
    assert "2 coupons Ten (ten): 10 % of 6921 -692 692 of Seats together -692" in words
    assert "3 taxes VAT: 19 % of 6229 = 1183.51 1184 together 1184" in words
    assert "4 wallets wallet bonus -500 together -500" in words
    assert words.endswith("taxes 1184 subtotal with taxes 7413 wallets -500 total 6913")

    unknown = tallymark(
        "explain", "invoice", tax_id := "01a22468-e486-755b-8a9f-b36b7ad00a6a", "--data-dir", server.data_dir
    )
    assert (unknown.returncode, unknown.stderr.strip()) == (1, f"tallymark: there is no invoice {tax_id}")


def test_a_fee_is_explained_from_its_events_to_its_cents(start):
    """250 calls: 100 at 0.20 and 150 at 0.15, 1.00 flat on the first tier: 43.50."""
    server = start(TALLYMARK_ADMIN_API_KEY="adm")
    api = shop(server)
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
