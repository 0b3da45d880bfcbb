"""Cashfree, played on 127.0.0.1: the calls about payment links that are made here, and events as it signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.loopback import Asked

CLIENT_ID = "TEST10957773ed79"
SECRET = "cfsk_ma_test_secret"


class Links:
    """Links as Cashfree keeps them: an id is given away once, and only an active one is canceled."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers["x-client-secret"] != SECRET:
            return 401, {"message": "authentication Failed", "code": "request_failed"}
        name = asked.path.removeprefix("/links").strip("/").partition("/")[0]
        if asked.method == "GET" or name:
            if name not in self.known:
                return 404, {"message": "Link not found", "code": "link_not_found"}
            if asked.path.endswith("/cancel"):
                if self.known[name]["link_status"] != "ACTIVE":
                    return 400, {"message": "Link is not active", "code": "link_not_active"}
                self.known[name]["link_status"] = "CANCELLED"
            return 200, self.known[name]
        body = asked.body
        if body["link_id"] in self.known:
            return 409, {"message": "Link with link_id already exists", "code": "link_already_exists"}
        self.known[body["link_id"]] = {
            **body,
            "cf_link_id": 1576977,
            "link_status": "ACTIVE",
            "link_url": f"https://payments-test.cashfree.com/links/{body['link_id']}",
        }
        return 200, self.known[body["link_id"]]

    def pay(self, link: dict[str, Any]) -> bytes:
        """Somebody pays a link; the event that tells of it."""
        link["link_status"] = "PAID"
        same = ("cf_link_id", "link_id", "link_currency", "link_amount", "link_notes")
        return event(link_amount_paid=link["link_amount"], **{name: link[name] for name in same})


def event(status: str = "PAID", kind: str = "PAYMENT_LINK_EVENT", **others: Any) -> bytes:
    """As the vendor's page on payment link webhooks shows one."""
    data = {
        "cf_link_id": 1576977,
        "link_id": "link-7f3",
        "link_status": status,
        "link_currency": "INR",
        "link_amount": "200.12",
        "link_amount_paid": "200.12",
        "link_partial_payments": False,
        "link_notes": {"payment_type": "one-time", "lago_invoice_id": "i1"},
        "order": {"order_amount": "200.12", "transaction_id": 1021206, "transaction_status": "SUCCESS"},
        **others,
    }
    return json.dumps({"data": data, "type": kind, "version": 1}).encode()


def signed(body: bytes, *, timestamp: str = "1617695238078") -> dict[str, str]:
    """The headers that an event comes with."""
    digest = hmac.new(SECRET.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return {
        "x-webhook-signature": base64.b64encode(digest).decode(),
        "x-webhook-timestamp": timestamp,
    }
