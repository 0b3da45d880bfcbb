"""MoneyHash, played on 127.0.0.1: the calls of its API 1.4 that are made here, and events as it signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.loopback import Asked

KEY = "EfCa.zRPM"
SIGNATURE_KEY = "mh-organization-key"
INTENTS = "/api/v1.4/payments/intent/"


def enveloped(data: Any) -> tuple[int, Any]:
    return 200, {"status": {"code": 200, "message": "success", "errors": []}, "data": data}


def refused(status: int, *errors: Any) -> tuple[int, Any]:
    return status, {"status": {"code": status, "message": "failed", "errors": list(errors)}, "data": {}}


class Intents:
    """Intents as MoneyHash keeps them: one for a key, charged by what `charge` says, closed unless paid. Customers count up."""

    def __init__(self, charge: str = "SUCCESSFUL") -> None:
        self.charge = charge
        self.known: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, dict[str, Any]] = {}
        self.refunds: list[tuple[str, Any, str]] = []
        self.customers: dict[str, dict[str, Any]] = {}

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers["x-api-key"] != KEY:
            return refused(403, "Invalid API key")
        if asked.path.endswith("/get-webhook-signature-key/"):
            return enveloped({"webhook_signature_secret": SIGNATURE_KEY})
        if asked.path == "/api/v1.4/customers/":
            made = {"id": f"cus-{len(self.customers) + 1}", **asked.body}
            return enveloped(self.customers.setdefault(asked.headers["x-idempotency-key"], made))
        rest = asked.path.removeprefix(INTENTS)
        if asked.path.endswith("/refund/"):
            self.refunds.append((asked.path.split("/")[-3], asked.body, asked.headers["x-idempotency-key"]))
            (paid,) = [one for one in self.known.values() if one["status"] == "PROCESSED"]
            paid["active_transaction"]["status"] = "FULLY_REFUNDED"
            return enveloped({})
        if asked.method == "POST" and not rest:
            return enveloped(self._made(asked))
        intent = self.known.get(rest.split("/")[0])
        if intent is None:
            return refused(404, "Not found")
        if rest.endswith("/close/"):
            if intent["status"] != "UNPROCESSED":
                return refused(400, "Intent can not be closed")
            intent["status"] = "CLOSED"
        return enveloped({"intent": intent})

    def _made(self, asked: Asked) -> dict[str, Any]:
        key = asked.headers.get("x-idempotency-key", str(len(self.known)))
        if key not in self.by_key:
            name = f"int{len(self.known)}"
            self.by_key[key] = {
                "id": name,
                "status": "UNPROCESSED",
                "embed_url": f"https://web.moneyhash.io/payments/embed/{name}/",
            }
            self.known[name] = {"status": "UNPROCESSED", **asked.body, "id": name}
            if asked.body.get("merchant_initiated"):
                self.known[name]["active_transaction"] = {"id": f"t-{name}", "status": self.charge}
                if self.charge == "SUCCESSFUL":
                    self.known[name]["status"] = "PROCESSED"
        return self.by_key[key]

    def pay(self, name: str) -> bytes:
        """Somebody pays on an intent's page; the event that tells of it."""
        intent = self.known[name]
        intent["status"] = "PROCESSED"
        intent["active_transaction"] = {"id": f"t-{name}", "status": "SUCCESSFUL"}
        shown = ("id", "amount", "amount_currency", "custom_fields")
        return of_intent(**{field: intent[field] for field in shown})


def of_intent(kind: str = "intent.processed", **intent: Any) -> bytes:
    """As the vendor's page on the types of webhooks shows one."""
    data = {"intent_id": intent["id"], "intent": intent}
    return json.dumps({"type": kind, "intent_type": "PAYMENT", "data": data}).encode()


def of_card(kind: str, **card: Any) -> bytes:
    return json.dumps({"type": kind, "data": {"card_token": card}}).encode()


def signed(body: bytes, *, time: str = "1698744604") -> dict[str, str]:
    """The header that an event comes with."""
    text = base64.b64encode(body) + time.encode()
    digest = hmac.new(SIGNATURE_KEY.encode(), text, hashlib.sha256).hexdigest()
    return {"moneyhash-signature": f"t={time},v3={digest}"}
