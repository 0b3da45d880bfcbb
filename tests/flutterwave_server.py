"""Flutterwave, played on 127.0.0.1: the calls of its API v3 that are made here, and events as it sends them."""

from __future__ import annotations

import json
from typing import Any

from tests.loopback import Asked

KEY = "FLWSECK_TEST-1-X123"


class Pages:
    """Pages by the reference that each was asked for with, and the transactions that were made on them."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[str, Any]] = {}
        self.transactions: dict[str, dict[str, Any]] = {}

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return 401, {"status": "error", "message": "Invalid authorization key", "data": None}
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["banks", _]:
                return _success([])
            case "POST", ["payments"]:
                page = self.pages.setdefault(asked.body["tx_ref"], asked.body)
                return _success({"link": f"https://checkout.flutterwave.com/v3/hosted/pay/{page['tx_ref']}"})
            case "GET", ["transactions", name, "verify"]:
                return _success(self.transactions[name])
        raise AssertionError(asked.path)

    def pay(self, reference: str) -> bytes:
        """Somebody pays on a page; the event that tells of it, without what the page was made with."""
        page, name = self.pages[reference], 4_975_363 + len(self.transactions)
        paid = {
            "id": name,
            "tx_ref": reference,
            "amount": page["amount"],
            "currency": page["currency"],
            "charged_amount": page["amount"] + 14,
            "app_fee": 14,
            "processor_response": "Approved",
            "status": "successful",
        }
        self.transactions[str(name)] = {**paid, "meta": page["meta"]}
        return json.dumps({"event": "charge.completed", "data": paid}).encode()


def _success(data: Any) -> tuple[int, Any]:
    return 200, {"status": "success", "message": "OK", "data": data}
