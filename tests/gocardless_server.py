"""GoCardless, played on 127.0.0.1: the calls of its API that are made here, and webhooks as it signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from typing import Any

from tests.loopback import Asked, Loopback, loopback

TOKEN = "sandbox_token"
SECRET = "ED7D658C-D8EB-4941-948B-3973214F2D49"
PREFIXES = {
    "customers": "CU",
    "customer_bank_accounts": "BA",
    "mandates": "MD",
    "billing_requests": "BRQ",
    "billing_request_flows": "BRF",
    "payments": "PM",
    "refunds": "RF",
}


class GoCardless:
    """Keeps resources by kind and id. A key that was used already is answered by a conflict that names what was made with it."""

    def __init__(self) -> None:
        self.server: Loopback
        self.kept: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in PREFIXES}
        self.keys: dict[tuple[str, str], str] = {}
        self.is_away = False
        self.loses_answers = False

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def asked(self) -> list[Asked]:
        return self.server.asked

    def keep(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A resource that is there already; its id counts up by kind."""
        made = {"id": f"{PREFIXES[kind]}{len(self.kept[kind]) + 1:03d}", **fields}
        self.kept[kind][made["id"]] = made
        return made

    def answer(self, asked: Asked) -> tuple[int, Any] | None:
        if self.is_away:
            return None
        assert asked.headers["gocardless-version"] == "2015-07-06"
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, _error(
                401, "invalid_api_usage", "access_token_not_found", "No access token was found"
            )
        answer = self._do(asked)
        return None if self.loses_answers else answer

    def _do(self, asked: Asked) -> tuple[int, Any]:
        kind, *rest = asked.path.strip("/").split("/")
        match asked.method, rest:
            case "GET", [] if kind == "creditors":
                return 200, {
                    "creditors": [],
                    "meta": {"cursors": {"before": None, "after": None}, "limit": 1},
                }
            case "GET", []:
                return self._list(kind, dict(asked.query))
            case "GET", [name] if name in self.kept[kind]:
                return 200, {kind: self.kept[kind][name]}
            case "GET", [_]:
                return 404, _error(404, "invalid_api_usage", "resource_not_found", "Resource not found")
            case "POST", []:
                return self._make(kind, asked.body[kind], asked.headers.get("idempotency-key"))
            case "POST", [name, "actions", "cancel"]:
                return self._cancel(self.kept["payments"][name])
        raise AssertionError(asked.path)

    def _list(self, kind: str, query: dict[str, str]) -> tuple[int, Any]:
        """The newest first, two to a page, so that whoever asks has to turn pages."""
        query.pop("limit")
        after = query.pop("after", None)
        found = [
            each
            for each in reversed(self.kept[kind].values())
            if all(self._is(each, *pair) for pair in query.items())
        ]
        begin = next((at + 1 for at, each in enumerate(found) if each["id"] == after), 0)
        page = found[begin : begin + 2]
        cursor = page[-1]["id"] if begin + 2 < len(found) else None
        return 200, {kind: page, "meta": {"cursors": {"before": None, "after": cursor}, "limit": 2}}

    def _is(self, each: dict[str, Any], name: str, value: str) -> bool:
        links = each["links"]
        if name == "customer" and "mandate" in links:
            links = self.kept["mandates"][links["mandate"]]["links"]
        return bool(links.get(name) == value)

    def _make(self, kind: str, fields: dict[str, Any], key: str | None) -> tuple[int, Any]:
        if len(fields.get("metadata", {})) > 3:
            return 422, _invalid("metadata", "can only have 3 keys")
        # What a refund says of the total is looked at before its key.
        if kind == "refunds" and (problem := self._wrong_refund(fields)):
            return problem
        if key is not None and (before := self.keys.get((kind, key))):
            error = _error(
                409, "invalid_state", "idempotent_creation_conflict", "A resource has already been created"
            )
            error["error"]["errors"][0]["links"] = {"conflicting_resource_id": before}
            return 409, error
        begin = {"payments": "pending_submission", "refunds": "created"}.get(kind)
        if kind == "payments":
            mandate = self.kept["mandates"].get(fields["links"]["mandate"], {"status": "cancelled"})
            if mandate["status"] == "cancelled":
                return 422, _error(422, "invalid_state", "mandate_is_inactive", "Mandate is inactive")
        if kind == "refunds":
            self.kept["payments"][fields["links"]["payment"]]["amount_refunded"] += fields["amount"]
        more: dict[str, Any] = {"status": begin} if begin else {}
        if kind == "payments":
            more["amount_refunded"] = 0
        if kind == "billing_request_flows":
            more["authorisation_url"] = "https://pay-sandbox.gocardless.com/billing/static/flow?id=BRF001"
            more["expires_at"] = "2026-12-08T10:00:00.000Z"
        made = self.keep(kind, **fields, **more)
        if key is not None:
            self.keys[kind, key] = made["id"]
        return 201, {kind: made}

    def _wrong_refund(self, fields: dict[str, Any]) -> tuple[int, Any] | None:
        paid = self.kept["payments"][fields["links"]["payment"]]
        if paid["status"] not in ("confirmed", "paid_out"):
            return 422, _error(
                422, "invalid_state", "refund_payment_invalid_state", "Payment cannot be refunded"
            )
        if fields["total_amount_confirmation"] != paid["amount_refunded"] + fields["amount"]:
            return 422, _error(
                422, "invalid_state", "total_amount_confirmation_invalid", "Total does not match"
            )
        return None

    def _cancel(self, paid: dict[str, Any]) -> tuple[int, Any]:
        if paid["status"] != "pending_submission":
            return 422, _error(422, "invalid_state", "cancellation_failed", "Payment cannot be cancelled")
        paid["status"] = "cancelled"
        return 200, {"payments": paid}


def _error(status: int, kind: str, reason: str, message: str) -> dict[str, Any]:
    errors = [{"reason": reason, "message": message}]
    return {
        "error": {"message": message, "errors": errors, "type": kind, "code": status, "request_id": "r-1"}
    }


def _invalid(field: str, message: str) -> dict[str, Any]:
    errors = [{"field": field, "message": message, "request_pointer": f"/{field}"}]
    return {
        "error": {"message": "Validation failed", "errors": errors, "type": "validation_failed", "code": 422}
    }


def event(kind: str, action: str, links: dict[str, str], **details: Any) -> dict[str, Any]:
    return {
        "id": "EV123",
        "created_at": "2026-12-01T10:00:00.000Z",
        "resource_type": kind,
        "action": action,
        "links": links,
        "details": {"origin": "bank", "cause": action, "description": "", **details},
        "metadata": {},
    }


def webhook(*events: dict[str, Any], secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a webhook, signed."""
    body = json.dumps({"events": events, "meta": {"webhook_id": "WB123"}}).encode()
    return {"webhook-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}, body


@asynccontextmanager
async def gocardless() -> Any:
    vendor = GoCardless()
    async with loopback(vendor.answer) as vendor.server:
        yield vendor
