"""Adyen, played on 127.0.0.1: the calls of its Checkout API v71 that are made here, and notifications as it signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from typing import Any

from tests.loopback import Asked, Loopback, loopback

KEY = "AQE-api-key"
ACCOUNT = "TallymarkCOM"
HMAC_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"


class Adyen:
    """`cards` says what each stored card answers; what is asked twice with one key happens once, and is answered the same."""

    def __init__(self) -> None:
        self.server: Loopback
        self.cards: dict[str, dict[str, Any]] = {}
        self.answered: dict[str, tuple[int, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self.modifications: list[tuple[str, str, dict[str, Any]]] = []
        self.is_away = False

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def asked(self) -> list[Asked]:
        return self.server.asked

    def answer(self, asked: Asked) -> tuple[int, Any] | None:
        if self.is_away:
            return None
        if asked.headers.get("x-api-key") != KEY:
            return 401, _error(401, "000", "HTTP Status Response - Unauthorized", "security")
        key = asked.headers.get("idempotency-key")
        if key is not None and len(key) > 64:
            return 400, _error(400, "700", "Idempotency key too long", "validation")
        if key is not None and key in self.answered:
            return self.answered[key]
        answer = self._do(asked)
        if key is not None:
            self.answered[key] = answer
        return answer

    def _do(self, asked: Asked) -> tuple[int, Any]:
        version, *path = asked.path.strip("/").split("/")
        assert version == "v71"
        body = asked.body
        if asked.method == "PATCH":
            return self._expire(path[1], body)
        if body.get("merchantAccount") != ACCOUNT:
            return 403, _error(403, "901", "Invalid Merchant Account", "security")
        if len(body.get("reference", "")) > 80:
            return 422, _error(422, "132", "Required field 'reference' is too long", "validation")
        match path:
            case ["paymentMethods"]:
                return 200, {"paymentMethods": []}
            case ["paymentLinks"]:
                return self._make_link(body)
            case ["payments"]:
                return self._pay(body)
            case ["payments", paid, "refunds" | "reversals" as what]:
                return self._modify(paid, what, body)
        raise AssertionError(asked.path)

    def _make_link(self, body: dict[str, Any]) -> tuple[int, Any]:
        if problem := _wrong_metadata(body):
            return problem
        name = f"PL{len(self.links) + 1:016X}"
        self.links[name] = {
            "expiresAt": "2026-12-02T10:00:00Z",
            **body,
            "id": name,
            "status": "active",
            "url": f"https://test.adyen.link/{name}",
        }
        return 201, self.links[name]

    def _expire(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        assert body == {"status": "expired"}
        link = self.links.get(name)
        if link is None or link["status"] != "active":
            return 422, _error(422, "14_011", "Payment link is not active", "validation")
        link["status"] = "expired"
        return 200, link

    def _pay(self, body: dict[str, Any]) -> tuple[int, Any]:
        if problem := _wrong_metadata(body):
            return problem
        stored = body["paymentMethod"]["storedPaymentMethodId"]
        if stored not in self.cards:
            return 422, _error(422, "800", "Contract not found", "validation")
        reference = f"PSP{len(self.payments) + 1:013d}"
        self.payments[reference] = body
        return 200, {
            "pspReference": reference,
            "merchantReference": body["reference"],
            **self.cards[stored],
        }

    def _modify(self, paid: str, what: str, body: dict[str, Any]) -> tuple[int, Any]:
        if paid not in self.payments:
            return 422, _error(422, "167", "Original pspReference required for this operation", "validation")
        self.modifications.append((paid, what, body))
        return 201, {
            "merchantAccount": ACCOUNT,
            "paymentPspReference": paid,
            "pspReference": f"MOD{len(self.modifications):013d}",
            "status": "received",
            **({"amount": body["amount"]} if "amount" in body else {}),
        }


def _wrong_metadata(body: dict[str, Any]) -> tuple[int, Any] | None:
    told = body.get("metadata", {})
    if len(told) > 20:
        return 422, _error(422, "177", "Metadata size exceeds limit", "validation")
    if any(len(name) > 20 for name in told):
        return 422, _error(422, "178", "Metadata key size exceeds limit", "validation")
    if any(len(value) > 80 for value in told.values()):
        return 422, _error(422, "179", "Metadata value size exceeds limit", "validation")
    return None


def _error(status: int, code: str, message: str, kind: str) -> dict[str, Any]:
    return {"status": status, "errorCode": code, "message": message, "errorType": kind}


def item(
    code: str, *, key: str = HMAC_KEY, extra: dict[str, Any] | None = None, **told: Any
) -> dict[str, Any]:
    """An item of a notification, signed."""
    made = {
        "eventCode": code,
        "success": "true",
        "eventDate": "2026-12-01T10:00:00+01:00",
        "merchantAccountCode": ACCOUNT,
        "merchantReference": "Acme - Invoice ACM-001",
        "pspReference": "8515131751004933",
        "amount": {"value": 1999, "currency": "EUR"},
        **told,
    }
    fields = [made.get(name, "") for name in ("pspReference", "originalReference", "merchantAccountCode")]
    fields += [
        made["merchantReference"],
        made["amount"]["value"],
        made["amount"]["currency"],
        code,
        made["success"],
    ]
    digest = hmac.new(bytes.fromhex(key), ":".join(map(str, fields)).encode(), hashlib.sha256).digest()
    made["additionalData"] = {**(extra or {}), "hmacSignature": base64.b64encode(digest).decode()}
    return made


def notification(*items: dict[str, Any]) -> bytes:
    wrapped = [{"NotificationRequestItem": each} for each in items]
    return json.dumps({"live": "false", "notificationItems": wrapped}).encode()


@asynccontextmanager
async def adyen() -> Any:
    vendor = Adyen()
    async with loopback(vendor.answer) as vendor.server:
        yield vendor
