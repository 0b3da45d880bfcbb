"""Requests byte by byte as the official Ruby client sends them (platform §18): it needs no Ruby to be held to its word."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

CUSTOMER = {
    "external_id": "halden & rowe/1", "name": "Halden & Rowe", "country": None, "address_line1": None, "city": None,
    "email": None, "logo_url": None, "phone": None, "timezone": None, "currency": "EUR", "net_payment_term": None,
    "tax_codes": None, "billing_configuration": None, "metadata": None, "shipping_address": None,
    "finalize_zero_amount_invoice": None, "invoice_custom_section_codes": None, "integration_customers": None,
}  # fmt: skip
"""Attributes that nobody sets are sent as null."""


class Ruby:
    """Writes requests as Ruby's Net::HTTP puts them on the wire, one connection each."""

    def __init__(self, url: str, api_key: str) -> None:
        self.base, self.api_key = url, api_key

    def send(
        self, method: str, path: str, body: Any = None, *, whole_url: bool = False, length: bool = True
    ) -> tuple[int, Any]:
        """The status and the answer; `whole_url` puts scheme and host into the request's first line."""
        host = urlsplit(self.base)
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {self.base if whole_url else ''}{path} HTTP/1.1",
            "Content-Type: application/json",
            f"Authorization: Bearer {self.api_key}",
            "User-Agent: Lago Ruby v1.30.0",
            "Accept-Encoding: identity",
            "Accept: */*",
            f"Host: {host.netloc}",
            "Connection: close",
            *([f"Content-Length: {len(content)}"] if length else []),
        ]
        with socket.create_connection((host.hostname, host.port), timeout=30) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + content)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, found = answer.partition(b"\r\n\r\n")
        assert b"content-type: application/json" in head.lower()
        return int(head.split()[1]), json.loads(found)


def test_nulls_ids_whole_urls_and_empty_bodies(live):
    ruby = Ruby(live.url, live.api_key)

    status, made = ruby.send("POST", "/api/v1/customers", {"customer": CUSTOMER})
    assert (status, made["customer"]["external_id"]) == (200, "halden & rowe/1")
    assert (made["customer"]["country"], made["customer"]["currency"]) == (None, "EUR")

    # Ids are percent-encoded; the target is the whole URL for wallets, their alerts, past usage and lists of charges.
    customer = "halden%20%26%20rowe%2F1"
    status, found = ruby.send("GET", f"/api/v1/customers/{customer}", length=False)
    assert (status, found["customer"]["name"]) == (200, "Halden & Rowe")

    wallet = {"name": "Main", "code": "main", "rate_amount": "1", "currency": "EUR", "granted_credits": "5",
              "expiration_at": None, "recurring_transaction_rules": None, "applies_to": None}  # fmt: skip
    nested = f"/api/v1/customers/{customer}/wallets"
    status, made = ruby.send("POST", nested, {"wallet": wallet}, whole_url=True)
    assert (status, made["wallet"]["code"]) == (200, "main")
    status, listed = ruby.send("GET", f"{nested}?page=1&per_page=5", whole_url=True, length=False)
    assert (status, [one["code"] for one in listed["wallets"]]) == (200, ["main"])
    alert = {"alert_type": "wallet_balance_amount", "code": "low", "name": None,
             "thresholds": [{"value": "100", "code": None, "recurring": None}]}  # fmt: skip
    status, made = ruby.send("POST", f"{nested}/main/alerts", {"alert": alert}, whole_url=True)
    assert (status, made["alert"]["code"]) == (200, "low")
    status, _ = ruby.send("DELETE", f"{nested}/main/alerts/low", whole_url=True)
    assert status == 200

    # `Content-Type: application/json` comes with an empty body too.
    status, gone = ruby.send("DELETE", f"/api/v1/customers/{customer}")
    assert (status, gone["customer"]["external_id"]) == (200, "halden & rowe/1")
    assert ruby.send("GET", f"/api/v1/customers/{customer}")[0] == 404


def test_usage_by_group_with_brackets_and_past_usage(live):
    """20 of 50 units at 1.00 are red; nothing was invoiced yet."""
    ruby = Ruby(live.url, live.api_key)
    metric = {"name": "Calls", "code": "calls", "aggregation_type": "sum_agg", "field_name": "n", "recurring": False,
              "description": None, "expression": None, "filters": None}  # fmt: skip
    _, made = ruby.send("POST", "/api/v1/billable_metrics", {"billable_metric": metric})
    charge = {"billable_metric_id": made["billable_metric"]["lago_id"], "charge_model": "standard",
              "properties": {"amount": "1", "pricing_group_keys": ["team"]}}  # fmt: skip
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
            "pay_in_advance": False, "charges": [charge], "minimum_commitment": None, "usage_thresholds": None}  # fmt: skip
    assert ruby.send("POST", "/api/v1/plans", {"plan": plan})[0] == 200
    assert ruby.send("POST", "/api/v1/customers", {"customer": {"external_id": "c"}})[0] == 200
    subscription = {
        "external_customer_id": "c",
        "plan_code": "p",
        "external_id": "s",
        "name": None,
        "ending_at": None,
    }
    assert ruby.send("POST", "/api/v1/subscriptions", {"subscription": subscription})[0] == 200
    events = [
        {"transaction_id": team, "external_subscription_id": "s", "code": "calls", "timestamp": None,
         "properties": {"n": n, "team": team}}
        for team, n in (("red", 20), ("blue", 30))
    ]  # fmt: skip
    assert ruby.send("POST", "/api/v1/events/batch", {"events": events})[0] == 200

    asked = "/api/v1/customers/c/current_usage?external_subscription_id=s&filter_by_group%5Bteam%5D=red"
    status, usage = ruby.send("GET", asked)
    assert (status, usage["customer_usage"]["amount_cents"]) == (200, 2000)
    past = "/api/v1/customers/c/past_usage?external_subscription_id=s&page=1"
    assert ruby.send("GET", past, whole_url=True) == (200, {"usage_periods": [], "meta": {
        "current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0}})  # fmt: skip
    status, charges = ruby.send("GET", "/api/v1/plans/p/charges?page=1", whole_url=True)
    assert (status, len(charges["charges"])) == (200, 1)


def test_a_dispute_is_lost_by_put_and_by_post(live):
    ruby = Ruby(live.url, live.api_key)
    assert (
        ruby.send(
            "POST",
            "/api/v1/add_ons",
            {"add_on": {"name": "A", "code": "a", "amount_cents": 500, "amount_currency": "EUR"}},
        )[0]
        == 200
    )
    assert (
        ruby.send("POST", "/api/v1/customers", {"customer": {"external_id": "c", "currency": "EUR"}})[0]
        == 200
    )
    for method in ("POST", "PUT"):
        invoice = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "a"}]}
        _, made = ruby.send("POST", "/api/v1/invoices", {"invoice": invoice})
        status, lost = ruby.send(method, f"/api/v1/invoices/{made['invoice']['lago_id']}/lose_dispute")
        assert (status, lost["invoice"]["payment_dispute_lost_at"] is None) == (200, False)
