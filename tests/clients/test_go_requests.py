"""Requests as the official Go client sends them, and answers as strictly as it reads them (platform §18).

The client itself is not run: its module can't be had wherever these tests run, and there is no Go that they could count on. What
is known of it is what the specification says: base addresses, headers, what it leaves out, and which types it reads.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
COUNTS = (
    "current_page",
    "next_page",
    "prev_page",
    "total_pages",
    "total_count",
    "events_count",
    "status_code",
)


class Go:
    """Calls as the client does: base address and `/api/v1/`; the ingest service has an address of its own."""

    def __init__(self, url: str, api_key: str, *, ingest_url: str | None = None) -> None:
        self.url, self.api_key, self.ingest_url = url, api_key, ingest_url

    def send(self, method: str, path: str, body: Any = None, *, query: Any = None, expect: int = 200) -> Any:
        """The answer, as far as its types are those that Go reads. Whatever is below 400 is a success to it."""
        is_ingest = self.ingest_url is not None and method == "POST" and path in ("events", "events/batch")
        host = urlsplit(self.ingest_url if is_ingest and self.ingest_url else self.url)
        headers = {
            "Host": host.netloc,
            "User-Agent": "lago-go-client github.com/getlago/lago-go-client/v1",
            "Authorization": f"Bearer {self.api_key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        }
        assert host.hostname is not None
        connection = HTTPConnection(host.hostname, host.port, timeout=30)
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        connection.request(method, _target(path, query or {}), content, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.headers.get("Content-Encoding") == "gzip":
            text = gzip.decompress(text)
        assert answer.status == expect, text
        assert answer.headers["Content-Type"].startswith("application/json"), "Go ignores any other body"
        found = json.loads(text, parse_constant=_refuse)
        _check(found)
        if answer.status >= 400:
            assert found["status"] == answer.status
            assert isinstance(found["error"], str)
            _check_details(found.get("error_details"))
        return found


def _target(path: str, query: dict[str, Any]) -> str:
    """Ids stand in the path as they are, but for what no request line can hold; numbers and booleans of the query are texts."""
    shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    pairs = "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in shown.items())
    return f"/api/v1/{path.replace(' ', '%20')}" + (f"?{pairs}" if pairs else "")


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def _check(found: Any, name: str = "") -> None:
    """Integers, instants and ids as Go's structures have them; it fails on any other."""
    if isinstance(found, dict):
        for key, value in found.items():
            _check(value, key)
    elif isinstance(found, list):
        for value in found:
            _check(value, name)
    elif found is None:
        return
    elif (name.endswith("_cents") and "precise" not in name) or name in COUNTS:
        assert type(found) is int, f"{name}: {found!r}"
    elif name.endswith("_at") and isinstance(found, str):
        assert RFC_3339.fullmatch(found), f"{name}: {found!r}"
        datetime.fromisoformat(found)
    elif name == "lago_id" or (name.startswith("lago_") and name.endswith("_id")):
        UUID(found)


def _check_details(details: Any) -> None:
    """By field lists of texts; in a batch, by the number of what was refused."""
    for key, value in (details or {}).items():
        if isinstance(value, dict):
            int(key)
            _check_details(value)
        else:
            assert isinstance(value, list), f"{key}: {value!r}"
            assert all(isinstance(one, str) for one in value)


def sold(go: Go) -> None:
    """A metric, a plan of 1.50 a unit, a customer and their subscription; what is zero or false is left out where it may be."""
    metric = {"name": "Calls", "code": "calls", "aggregation_type": "sum_agg", "field_name": "n"}
    made = go.send("POST", "billable_metrics", {"billable_metric": metric})["billable_metric"]
    assert made["recurring"] is False
    charge = {
        "billable_metric_id": made["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "1.5", "pricing_group_keys": ["team"]},
    }
    plan = {"name": "P", "code": "p", "interval": "monthly", "pay_in_advance": False, "amount_cents": 0, "amount_currency": "EUR", "charges": [charge]}  # fmt: skip
    shown = go.send("POST", "plans", {"plan": plan})["plan"]
    assert (shown["pay_in_advance"], shown["amount_cents"]) == (False, 0)
    go.send("POST", "customers", {"customer": {"external_id": "c"}})
    subscription = {"external_customer_id": "c", "plan_code": "p", "external_id": "s"}
    go.send("POST", "subscriptions", {"subscription": subscription})


def test_what_is_left_out_stays_and_ids_are_not_encoded(live):
    go = Go(live.url, live.api_key)
    customer = {
        "external_id": "ops@halden.test:1 eu",
        "name": "Halden",
        "currency": "EUR",
        "net_payment_term": 30,
        "metadata": [{"key": "tier", "value": "gold", "display_in_invoice": True}],
    }
    made = go.send("POST", "customers", {"customer": customer})["customer"]
    changed = {"external_id": customer["external_id"], "name": "Halden & Rowe"}
    go.send("POST", "customers", {"customer": changed})
    found = go.send("GET", f"customers/{customer['external_id']}")["customer"]
    assert (found["lago_id"], found["name"]) == (made["lago_id"], "Halden & Rowe")
    assert (found["currency"], found["net_payment_term"]) == ("EUR", 30)
    assert [one["value"] for one in found["metadata"]] == ["gold"]

    listed = go.send("GET", "customers", query={"page": "1", "per_page": "1", "has_customer_type": False})
    assert ([one["lago_id"] for one in listed["customers"]], listed["meta"]["total_count"]) == (
        [made["lago_id"]],
        1,
    )
    gone = go.send("DELETE", f"customers/{customer['external_id']}")["customer"]
    assert gone["lago_id"] == made["lago_id"]


def test_events_go_to_the_ingest_service_one_by_one_and_in_batches(live):
    """20.5 and 30 of team red and 10 of blue at 1.50 are 90.75; red alone is 75.75, of 50.5 units."""
    port = urlsplit(live.url).port
    go = Go(live.url, live.api_key, ingest_url=f"http://localhost:{port}")
    sold(go)
    instant = int(datetime.fromisoformat("2026-01-10T00:00:00Z").timestamp())
    event = {"transaction_id": "t1", "external_subscription_id": "s", "code": "calls"}
    first = {**event, "timestamp": str(instant), "properties": {"n": 20.5, "team": "red"}}
    told = go.send("POST", "events", {"event": first})["event"]
    assert (told["transaction_id"], told["external_subscription_id"]) == ("t1", "s")
    others = [
        {**event, "transaction_id": "t2", "timestamp": f"{instant}.25", "properties": {"n": "30", "team": "red"}},
        {**event, "transaction_id": "t3", "properties": {"n": 10, "team": "blue"}},
    ]  # fmt: skip
    assert len(go.send("POST", "events/batch", {"events": others})["events"]) == 2

    wrong = [{**event, "transaction_id": "t4", "code": "unknown"}, {**event, "transaction_id": "t2"}]
    refused = go.send("POST", "events/batch", {"events": wrong}, expect=422)
    assert refused["code"] == "validation_errors"
    assert refused["error_details"].keys() <= {"0", "1"}

    asked = {"external_subscription_id": "s"}
    usage = go.send("GET", "customers/c/current_usage", query={**asked, "apply_taxes": True})[
        "customer_usage"
    ]
    assert usage["amount_cents"] == 9_075
    red = go.send("GET", "customers/c/current_usage", query={**asked, "filter_by_group[team]": "red"})
    (charge,) = red["customer_usage"]["charges_usage"]
    assert (red["customer_usage"]["amount_cents"], charge["units"], charge["events_count"]) == (
        7_575,
        "50.5",
        2,
    )
    refused = go.send("POST", "events/estimate_fees", {"event": event}, expect=422)
    assert refused["error_details"] == {"code": ["does_not_match_an_instant_charge"]}, (
        "asked of the main address"
    )


def test_decimals_are_texts_or_numbers(live):
    """A credit costs 1.50: 10 of them are 15.00, and 2.5 are 3.75."""
    go = Go(live.url, live.api_key)
    go.send("POST", "customers", {"customer": {"external_id": "c", "currency": "EUR"}})
    for code, rate, granted in (("text", "1.5", "10"), ("number", 1.5, "2.5")):
        wallet = {"external_customer_id": "c", "code": code, "name": code, "rate_amount": rate, "currency": "EUR",
                  "granted_credits": granted}  # fmt: skip
        made = go.send("POST", "wallets", {"wallet": wallet})["wallet"]
        go.send("PUT", f"wallets/{made['lago_id']}", {"wallet": {"name": "Main"}})
        found = go.send("GET", f"wallets/{made['lago_id']}")["wallet"]
        assert (found["name"], found["rate_amount"], found["status"]) == ("Main", "1.5", "active")
        assert found["balance_cents"] == {"text": 1_500, "number": 375}[code]
    tax = go.send("POST", "taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 12.5}})["tax"]
    assert tax["rate"] == 12.5
    assert tax["applied_to_organization"] is False


def test_refusals_have_the_shape_that_it_reads(live):
    go = Go(live.url, live.api_key)
    missing = go.send("GET", "customers/nobody", expect=404)
    assert (missing["error"], missing["code"]) == ("Not Found", "customer_not_found")
    wrong = go.send("POST", "customers", {"customer": {"name": "No id", "currency": "XXX"}}, expect=422)
    assert wrong["code"] == "validation_errors"
    assert set(wrong["error_details"]) == {"external_id", "currency"}
    stranger = Go(live.url, "no-key").send("GET", "customers", expect=401)
    assert stranger["error"] == "Unauthorized"
    sold(go)
    assert go.send("DELETE", "subscriptions/s")["subscription"]["status"] == "terminated"
    assert go.send("GET", "subscriptions/s", expect=404)["code"] == "subscription_not_found"


def test_an_invoice_is_read_paid_and_disputed_by_put(live):
    go = Go(live.url, live.api_key)
    add_on = {"name": "Setup", "code": "a", "amount_cents": 500, "amount_currency": "EUR"}
    go.send("POST", "add_ons", {"add_on": add_on})
    go.send("POST", "customers", {"customer": {"external_id": "c", "currency": "EUR"}})
    one_off = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "a", "units": 3}]}
    made = go.send("POST", "invoices", {"invoice": one_off})["invoice"]
    assert made["total_amount_cents"] == 1_500
    path = f"invoices/{made['lago_id']}"
    paid = {"payment_status": "succeeded", "metadata": [{"key": "order", "value": "7"}]}
    assert go.send("PUT", path, {"invoice": paid})["invoice"]["payment_status"] == "succeeded"
    assert go.send("POST", f"{path}/download")["invoice"]["lago_id"] == made["lago_id"]
    lost = go.send("PUT", f"{path}/lose_dispute")["invoice"]
    assert lost["payment_dispute_lost_at"] is not None
    listed = go.send(
        "GET", "invoices", query={"external_customer_id": "c", "payment_overdue": False, "per_page": 10}
    )
    assert [one["lago_id"] for one in listed["invoices"]] == [made["lago_id"]]


def test_the_key_of_webhooks_is_a_public_key(live):
    go = Go(live.url, live.api_key)
    shown = go.send("GET", "webhooks/json_public_key")["webhook"]["public_key"]
    pem = base64.b64decode(shown)
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----")
    assert isinstance(serialization.load_pem_public_key(pem), rsa.RSAPublicKey)
