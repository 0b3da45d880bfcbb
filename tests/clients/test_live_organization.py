"""A live organization: the worker bills at once what has begun, and makes the document, while nobody moves a clock."""

import time

import httpx


def test_an_advance_plan_is_invoiced_soon_after_it_began(start):
    server = start()
    key = next(word for word in server.output.split() if word.count("-") == 4)
    with httpx.Client(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {key}"}) as client:
        plan = {
            "name": "Pro", "code": "pro", "interval": "monthly", "amount_cents": 990, "amount_currency": "EUR",
            "pay_in_advance": True,
        }  # fmt: skip
        assert client.post("/plans", json={"plan": plan}).status_code == 200
        subscription = {
            "external_customer_id": "c", "plan_code": "pro", "external_id": "s", "billing_time": "anniversary",
        }  # fmt: skip
        assert client.post("/subscriptions", json={"subscription": subscription}).status_code == 200
        invoice = _wait_for_document(client)
        assert (invoice["total_amount_cents"], invoice["status"]) == (990, "finalized")
        assert httpx.get(invoice["file_url"]).content.startswith(b"%PDF-")


def _wait_for_document(client: httpx.Client) -> dict:
    for _ in range(100):
        found = client.get("/invoices").json()["invoices"]
        if found and found[0]["file_url"]:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no invoice with a document in time: {found}")
