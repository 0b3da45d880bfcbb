"""What an account at Stripe has in it and does, as far as adapters ask for it: what `tests/stripe_server.py` serves.

Numbers, words and errors are those of Stripe's test mode; what is not asked for by anybody is not here.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

try:
    from tests.stripe_banks import instructions
except ModuleNotFoundError:  # run by hand, where a package of another project has the name `tests`
    from stripe_banks import instructions  # type: ignore[import-not-found, no-redef]

SECRET_KEY = "sk_test_of_tallymark"

_DECLINED = ("card_declined", "generic_decline", "Your card was declined.")
_POOR = ("card_declined", "insufficient_funds", "Your card has insufficient funds.")

METHODS: Mapping[str, dict[str, Any]] = {
    "pm_card_visa": {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2032}},
    "pm_card_mastercard": {"type": "card", "card": {"brand": "mastercard", "last4": "4444", "exp_month": 12, "exp_year": 2031}},
    "pm_card_chargeCustomerFail": {"type": "card", "card": {"brand": "visa", "last4": "0341", "exp_month": 8, "exp_year": 2032}, "declines": _DECLINED},
    "pm_card_chargeDeclinedInsufficientFunds": {"type": "card", "card": {"brand": "visa", "last4": "9995", "exp_month": 8, "exp_year": 2032}, "declines": _POOR},
    "pm_card_authenticationRequired": {"type": "card", "card": {"brand": "visa", "last4": "3184", "exp_month": 8, "exp_year": 2032}, "authenticates": True},
    "pm_sepa_debit": {"type": "sepa_debit", "sepa_debit": {"last4": "3201", "country": "AT"}, "processes": True},
}  # fmt: skip
"""By Stripe's names for testing: the methods that somebody can leave, and how each behaves."""

_CURRENCIES = {
    "sepa_debit": "eur",
    "us_bank_account": "usd",
    "bacs_debit": "gbp",
    "boleto": "brl",
    "crypto": "usd",
}

Answer = tuple[int, dict[str, Any]]


class Problem(Exception):
    """An error as Stripe sends it."""

    def __init__(self, status: int, kind: str, message: str, code: str | None = None, **more: Any) -> None:
        super().__init__(message)
        told = {"type": kind, "message": message, "code": code, **more}
        self.answer: Answer = (status, {"error": {k: v for k, v in told.items() if v is not None}})


@dataclass(frozen=True)
class Sent:
    """An event on its way."""

    type: str
    url: str
    body: bytes
    headers: dict[str, str]


def invalid(message: str, code: str | None = None, **more: Any) -> Problem:
    return Problem(400, "invalid_request_error", message, code, **more)


def missing(what: str, id: str) -> Problem:
    return Problem(404, "invalid_request_error", f"No such {what}: '{id}'", "resource_missing")


class Account:
    """Everything in memory; what a test or a person does to it beside the API are the methods at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}
        self.outbox: list[Sent] = []
        self.found: set[str] = set()
        """The customers whom a search finds: whoever was made just now is not among them."""
        self._numbers = itertools.count(1)
        self._behaviour: dict[str, dict[str, Any]] = {}
        self._secrets: dict[str, str] = {}

    # Customers and methods.

    def account(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"id": "acct_1", "object": "account", "country": "DE", "default_currency": "eur"}

    def create_customer(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._put("customer", "cus", {"invoice_settings": {"default_payment_method": None}, "default_source": None, "metadata": {}, **params})  # fmt: skip

    def update_customer(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        customer = self.get("customer", id)
        metadata = {**customer["metadata"], **params.pop("metadata", {})}
        if "invoice_settings" in params:
            params["invoice_settings"] = {**customer["invoice_settings"], **params["invoice_settings"]}
        changed = {name: value or None for name, value in {**params, "metadata": metadata}.items()}
        changed["metadata"] = metadata
        before = {name: customer.get(name) for name in changed if customer.get(name) != changed[name]}
        customer.update(changed)
        if before:
            self.tell("customer.updated", customer, previous_attributes=before)
        return customer

    def fund(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        """To which accounts a customer sends money: the same whenever it is asked."""
        number = int(self.get("customer", id)["id"].rsplit("_", 1)[-1])
        found = instructions(number, params["currency"], params["bank_transfer"])
        if isinstance(found, str):
            raise invalid(found, "parameter_invalid")
        return found

    def search_customers(self, params: dict[str, Any]) -> dict[str, Any]:
        name, _, value = params["query"].partition(":")
        name, value = name.removeprefix("metadata['").removesuffix("']"), value.strip("'")
        found = [
            one
            for one in self.all("customer")
            if one["id"] in self.found and one["metadata"].get(name) == value
        ]
        return {"object": "search_result", "data": found, "has_more": False, "url": "/v1/customers/search"}

    def attach(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        self.get("customer", params["customer"])
        if id not in METHODS:
            raise missing("PaymentMethod", id)
        shown = {k: v for k, v in METHODS[id].items() if k in ("type", METHODS[id]["type"])}
        method = self._put("payment_method", "pm", {**shown, "customer": params["customer"]})
        self._behaviour[method["id"]] = METHODS[id]
        return method

    def detach(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        method = self.get("payment_method", id)
        before, method["customer"] = method["customer"], None
        self.tell("payment_method.detached", method, previous_attributes={"customer": before})
        return method

    def list_methods(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._page("payment_method", params, customer=params["customer"], type=params.get("type"))

    # Payments.

    def create_intent(self, params: dict[str, Any]) -> dict[str, Any]:
        self._check_amount(params)
        self.get("customer", params["customer"])
        method_id = params.get("payment_method")
        if method_id is not None and self.get("payment_method", method_id)["customer"] != params["customer"]:
            raise invalid(f"The payment method {method_id} does not belong to the customer.", "payment_method_customer_mismatch")  # fmt: skip
        if method_id is not None and self.get("payment_method", method_id)["type"] not in params["payment_method_types"]:  # fmt: skip
            raise invalid("The PaymentMethod provided is not allowed for this PaymentIntent.", "payment_intent_incompatible_payment_method")  # fmt: skip
        if params.get("off_session") and not params.get("confirm"):
            raise invalid("off_session can only be used with confirm=true.")
        intent = self._new_intent(params, method_id)
        return self._confirm(intent, params) if params.get("confirm") else intent

    def _new_intent(self, params: dict[str, Any], method_id: str | None) -> dict[str, Any]:
        kept = ("amount", "currency", "customer", "description", "payment_method_types", "setup_future_usage")
        return self._put(
            "payment_intent",
            "pi",
            {name: params.get(name) for name in kept}
            | {
                "metadata": params.get("metadata", {}),
                "amount_received": 0,
                "status": "requires_confirmation",
                "payment_method": method_id,
                "last_payment_error": None,
                "next_action": None,
                "cancellation_reason": None,
            },
        )

    def _check_amount(self, params: dict[str, Any]) -> None:
        amount, currency = params["amount"], params["currency"]
        least = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "isk": 6000, "huf": 17500}.get(currency, 1)
        if amount < least:
            raise invalid("Amount must convert to at least 50 cents.", "amount_too_small", param="amount")
        if amount % {"kwd": 10, "bhd": 10, "jod": 10, "isk": 100, "ugx": 100}.get(currency, 1):
            raise invalid(f"Invalid amount for {currency}.", "parameter_invalid_integer", param="amount")
        for kind in params["payment_method_types"]:
            if _CURRENCIES.get(kind, currency) != currency:
                raise invalid(f"The currency provided ({currency}) is invalid for {kind}.", "payment_intent_invalid_parameter")  # fmt: skip

    def _confirm(self, intent: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        behaviour = self._behaviour.get(intent["payment_method"] or "", {})
        if "customer_balance" in params["payment_method_types"] and intent["payment_method"] is None:
            transfer = params["payment_method_options"]["customer_balance"]["bank_transfer"]
            kind = "display_bank_transfer_instructions"
            intent["status"], intent["next_action"] = "requires_action", {"type": kind, kind: transfer}
        elif "declines" in behaviour:
            code, decline_code, message = behaviour["declines"]
            raise self._refused(intent, code, message, decline_code=decline_code)
        elif behaviour.get("authenticates") and not params.get("is_on_page"):
            if params.get("off_session") or params.get("error_on_requires_action"):
                raise self._refused(intent, "authentication_required", "Your card was declined. This transaction requires authentication.", decline_code="authentication_required")  # fmt: skip
            where = {"url": f"{self.url}/authenticate/{intent['id']}", "return_url": params.get("return_url")}
            intent["status"] = "requires_action"
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": where}
        elif behaviour.get("processes"):
            intent["status"] = "processing"
            self.tell("payment_intent.processing", intent)
        else:
            self._succeed(intent)
        return intent

    def _succeed(self, intent: dict[str, Any]) -> None:
        intent.update(status="succeeded", amount_received=intent["amount"], next_action=None)
        self.tell("payment_intent.succeeded", intent)

    def _refused(self, intent: dict[str, Any], code: str, message: str, **more: Any) -> Problem:
        self._fail(intent, code, message, **more)
        return Problem(402, "card_error", message, code, payment_intent=dict(intent), **more)

    def _fail(self, intent: dict[str, Any], code: str, message: str, **more: Any) -> None:
        error = {"type": "card_error", "code": code, "message": message, **more}
        intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)  # fmt: skip
        self.tell("payment_intent.payment_failed", intent)

    def cancel_intent(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        intent = self.get("payment_intent", id)
        if intent["status"] in ("succeeded", "canceled", "processing"):
            raise invalid(f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.", "payment_intent_unexpected_state", payment_intent=dict(intent))  # fmt: skip
        intent.update(status="canceled", next_action=None, cancellation_reason=params.get("cancellation_reason"))  # fmt: skip
        self.tell("payment_intent.canceled", intent)
        return intent

    def list_intents(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._page("payment_intent", params, customer=params.get("customer"))

    # Refunds.

    def create_refund(self, params: dict[str, Any]) -> dict[str, Any]:
        intent = self.get("payment_intent", params["payment_intent"])
        if intent["status"] != "succeeded":
            raise invalid("This PaymentIntent does not have a successful charge to refund.")
        made = [one for one in self.all("refund") if one["payment_intent"] == intent["id"] and one["status"] != "failed"]  # fmt: skip
        left = intent["amount"] - sum(one["amount"] for one in made)
        if left == 0:
            raise invalid("Charge has already been refunded.", "charge_already_refunded")
        amount = params.get("amount", left)
        if amount > left:
            raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount")
        is_slow = self._behaviour.get(intent["payment_method"] or "", {}).get("processes", False)
        return self._put(
            "refund",
            "re",
            {
                "amount": amount,
                "currency": intent["currency"],
                "payment_intent": intent["id"],
                "reason": params.get("reason"),
                "metadata": params.get("metadata", {}),
                "status": "pending" if is_slow else "succeeded",
            },
        )

    def list_refunds(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._page("refund", params, payment_intent=params.get("payment_intent"))

    # Checkout.

    def create_session(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("customer"):
            self.get("customer", params["customer"])
        if "success_url" not in params:
            raise invalid("Missing required param: success_url.", "parameter_missing", param="success_url")
        if params["mode"] == "payment":
            price = params["line_items"][0]["price_data"]
            self._check_amount({**params, "amount": price["unit_amount"], "currency": price["currency"]})
        session = self._put("checkout.session", "cs", {"status": "open", "payment_intent": None, "metadata": {}, **params})  # fmt: skip
        session.update(url=f"{self.url}/pay/{session['id']}", expires_at=session["created"] + 86_400)
        return session

    def expire_session(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        session = self.get("checkout.session", id)
        if session["status"] != "open":
            raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
        session.update(status="expired", url=None)
        return session

    # Where events are sent.

    def create_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        if not params["url"].startswith(("https://", "http://")):
            raise invalid("Invalid URL: an explicit scheme (such as https) must be provided.", "url_invalid", param="url")  # fmt: skip
        endpoint = self._put("webhook_endpoint", "we", {"status": "enabled", **params})
        self._secrets[endpoint["id"]] = f"whsec_{endpoint['id']}"
        return {**endpoint, "secret": self._secrets[endpoint["id"]]}

    def update_endpoint(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        endpoint = self.get("webhook_endpoint", id)
        endpoint.update(params)
        return endpoint

    def delete_endpoint(self, params: dict[str, Any], id: str) -> dict[str, Any]:
        self.get("webhook_endpoint", id)
        del self.objects["webhook_endpoint"][id]
        return {"id": id, "object": "webhook_endpoint", "deleted": True}

    def list_endpoints(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._page("webhook_endpoint", params)

    # What customers, banks and days do.

    def fill(self, page: str, method: str = "pm_card_visa") -> dict[str, Any]:
        """A customer leaves a method on a page, or pays by it; `page` is its address or its id. Raises `Problem` for a decline."""
        session = self.get("checkout.session", page.rsplit("/", 1)[-1])
        assert session["status"] == "open", f"the page is {session['status']}"
        left = self.attach({"customer": session["customer"]}, method)
        if session["mode"] == "setup":
            data = session.get("setup_intent_data", {})
            intent = self._put("setup_intent", "seti", {"customer": session["customer"], "payment_method": left["id"], "status": "succeeded", "metadata": data.get("metadata", {})})  # fmt: skip
            session.update(status="complete", setup_intent=intent["id"])
            self.tell("setup_intent.succeeded", intent)
            return session
        if session["payment_intent"] is None:
            price = session["line_items"][0]["price_data"]
            asked = {
                "amount": price["unit_amount"],
                "currency": price["currency"],
                **session["payment_intent_data"],
            }
            session["payment_intent"] = self._new_intent({**session, "metadata": {}, **asked}, None)["id"]
        intent = self.get("payment_intent", session["payment_intent"])
        intent["payment_method"] = left["id"]
        self._confirm(intent, {**session, "is_on_page": True})
        session["status"] = "complete"
        return session

    def authenticate(self, intent_id: str, *, succeeds: bool = True) -> None:
        """A customer confirms a payment with their bank, or does not."""
        intent = self.get("payment_intent", intent_id)
        assert intent["status"] == "requires_action", intent["status"]
        if succeeds:
            self._succeed(intent)
        else:
            self._fail(intent, "payment_intent_authentication_failure", "We are unable to authenticate your payment method.")  # fmt: skip

    def settle(self, intent_id: str) -> None:
        """A debit that a bank had in hand has come in, or a transfer."""
        self._succeed(self.get("payment_intent", intent_id))

    def bounce(self, intent_id: str) -> None:
        """A debit that a bank had in hand is not paid."""
        self._fail(
            self.get("payment_intent", intent_id), "charge_exceeds_source_limit", "The bank returned it."
        )

    def settle_refund(self, refund_id: str, status: str = "succeeded") -> None:
        refund = self.get("refund", refund_id)
        refund["status"] = status
        if status == "failed":
            refund["failure_reason"] = "lost_or_stolen_card"
            self.tell("refund.failed", refund)
        self.tell("charge.refund.updated", refund)
        self.tell("refund.updated", refund)

    def dispute(self, intent_id: str, *, status: str = "lost", reason: str = "fraudulent") -> None:
        """A customer's bank has decided on a dispute."""
        intent = self.get("payment_intent", intent_id)
        self.tell("charge.dispute.closed", self._put("dispute", "dp", {"payment_intent": intent["id"], "status": status, "reason": reason}))  # fmt: skip

    def take(self) -> list[Sent]:
        """The events that were sent since the last time."""
        taken, self.outbox = self.outbox, []
        return taken

    # Keeping.

    def get(self, kind: str, id: str) -> dict[str, Any]:
        try:
            return self.objects.get(kind, {})[id]
        except KeyError:
            raise missing(kind, id) from None

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind, the latest first."""
        return list(reversed(self.objects.get(kind, {}).values()))

    def _put(self, kind: str, prefix: str, values: dict[str, Any]) -> dict[str, Any]:
        made = {
            "id": f"{prefix}_{next(self._numbers)}",
            "object": kind,
            "created": int(time.time()),
            **values,
        }
        if kind != "refund":
            made["livemode"] = False
        self.objects.setdefault(kind, {})[made["id"]] = made
        return made

    def _page(self, kind: str, params: dict[str, Any], **wanted: Any) -> dict[str, Any]:
        since = params.get("created", {}).get("gte", 0)
        found = [
            one
            for one in self.all(kind)
            if one["created"] >= since and all(v is None or one[k] == v for k, v in wanted.items())
        ]
        if "starting_after" in params:
            ids = [one["id"] for one in found]
            found = found[ids.index(params["starting_after"]) + 1 :]
        limit = params.get("limit", 10)
        return {
            "object": "list",
            "data": found[:limit],
            "has_more": len(found) > limit,
            "url": f"/v1/{kind}s",
        }

    def tell(self, kind: str, found: dict[str, Any], **more: Any) -> None:
        """Send an event to whoever is registered for it."""
        event = {"id": f"evt_{next(self._numbers)}", "object": "event", "type": kind, "created": int(time.time()), "livemode": False, "data": {"object": found, **more}}  # fmt: skip
        body = json.dumps(event, indent=2).encode()
        for endpoint in self.all("webhook_endpoint"):
            if kind in endpoint["enabled_events"] and not endpoint.get("disabled"):
                self.outbox.append(Sent(kind, endpoint["url"], body, {"Stripe-Signature": sign(body, self._secrets[endpoint["id"]]), "Content-Type": "application/json"}))  # fmt: skip


def sign(body: bytes, secret: str, at: int | None = None) -> str:
    """How Stripe signs an event."""
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


ROUTES: Mapping[str, Callable[..., dict[str, Any]]] = {
    "GET /v1/account": Account.account,
    "POST /v1/customers": Account.create_customer,
    "GET /v1/customers/search": Account.search_customers,
    "GET /v1/customers/*": lambda account, params, id: account.get("customer", id),
    "POST /v1/customers/*": Account.update_customer,
    "POST /v1/customers/*/funding_instructions": Account.fund,
    "GET /v1/payment_methods": Account.list_methods,
    "GET /v1/payment_methods/*": lambda account, params, id: account.get("payment_method", id),
    "POST /v1/payment_methods/*/attach": Account.attach,
    "POST /v1/payment_methods/*/detach": Account.detach,
    "GET /v1/payment_intents": Account.list_intents,
    "POST /v1/payment_intents": Account.create_intent,
    "GET /v1/payment_intents/*": lambda account, params, id: account.get("payment_intent", id),
    "POST /v1/payment_intents/*/cancel": Account.cancel_intent,
    "GET /v1/refunds": Account.list_refunds,
    "POST /v1/refunds": Account.create_refund,
    "POST /v1/checkout/sessions": Account.create_session,
    "GET /v1/checkout/sessions/*": lambda account, params, id: account.get("checkout.session", id),
    "POST /v1/checkout/sessions/*/expire": Account.expire_session,
    "GET /v1/webhook_endpoints": Account.list_endpoints,
    "POST /v1/webhook_endpoints": Account.create_endpoint,
    "POST /v1/webhook_endpoints/*": Account.update_endpoint,
    "DELETE /v1/webhook_endpoints/*": Account.delete_endpoint,
}
