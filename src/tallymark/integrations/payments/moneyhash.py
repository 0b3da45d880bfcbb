"""MoneyHash: cards that are saved and charged, and pages, by its API version 1.4 (wallets-and-payments §11.3, §11.4, §12).

Vendor's pages: docs/programmatic-access, docs/create-an-intent, docs/recurring-payments, docs/api-idempotency,
docs/webhook-types, docs/webhooks-signature; its extension for Magento shows what requests and answers hold.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tallymark.integrations.payments import moneyhash_events as events
from tallymark.integrations.payments.events import part
from tallymark.integrations.payments.http import Api, Explained, RefusedByVendor, segment
from tallymark.integrations.payments.units import NOT_EXACT, decimals, units
from tallymark.rooms.payment_providers.model import (
    Abilities,
    BankAccount,
    Connection,
    Heard,
    Link,
    LinkOrder,
    MethodSaved,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    Person,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

URL = "https://web.moneyhash.io"
"""One address: a key is of the test mode or of the live one."""

SETUP_UNITS = "5.00"
"""What a customer pays, or has held, while they leave a card; which of the two the account's flow says."""

_INTENTS = "/api/v1.4/payments/intent/"
_MOST_DECIMALS = 2
_LINK_SECONDS = 24 * 60 * 60
_LONGEST_REFERENCE = 50
_IN_PROGRESS = 409


class MoneyHash:
    """Implements `rooms.payment_providers.ports.PaymentProvider`.

    `api_key` is an account's, `flow_id` the payment flow that its customers are led through; without one they simply purchase.
    `signature_key` is fetched.
    """

    abilities = Abilities(keeps_customers=True, saves_methods=True, charges=True, has_pages=True)

    def __init__(self, url: str | None = None) -> None:
        self._url = url or URL

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """Fetch what events are signed by, which a wrong key is refused. Raises `ProviderRefused`.

        Each intent says itself where its events go: nothing is registered.
        """
        del inbound_url
        answer = await self._api(connection).ask("GET", "/api/v1/organizations/get-webhook-signature-key/")
        key = part(answer, "data").get("webhook_signature_secret")
        if not isinstance(key, str) or not key:
            raise ProviderRefused("MoneyHash gives no signature key", code="missing_signature_key")
        return replace(connection, secrets={**connection.secrets, "signature_key": key})

    async def close(self, connection: Connection) -> None:
        """Nothing was registered."""

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        """Make a customer; asked again within 24 h it is the same one. Raises `ProviderRefused`."""
        first, _, rest = (person.name or person.external_id).strip().partition(" ")
        told = {"first_name": first, "last_name": rest, "email": person.email, "phone_number": person.phone}
        asked = {name: value for name, value in told.items() if value}
        key = _key(f"customer-{connection.id}-{person.customer_id}")
        answer = await self._api(connection).ask("POST", "/api/v1.4/customers/", asked, headers=key)
        name = part(answer, "data").get("id")
        if not isinstance(name, str) or not name:
            raise ProviderRefused("MoneyHash gives no id of the customer", code="missing_customer_id")
        return name

    async def update_customer(self, connection: Connection, person: Person) -> None:
        """Nothing: changes are pushed to Stripe only (§12.2)."""

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        """A page on which a card is saved, by an intent of 5.00 (§12.3). Raises `ProviderRefused`."""
        if not person.provider_customer_id:
            raise ProviderRefused("the customer is not known to MoneyHash", code="missing_customer")
        if not (currency := person.currency or person.entity_currency):
            raise ProviderRefused("the customer has no currency", code="missing_currency")
        asked = {
            **_whither(connection),
            **_redirects(connection),
            "amount": SETUP_UNITS,
            "amount_currency": currency,
            "customer": person.provider_customer_id,
            "tokenize_card": True,
            "merchant_initiated": False,
            **_agreement(str(person.customer_id)),
            "custom_fields": {
                "lago_customer_id": str(person.customer_id),
                "payment_type": events.SETUP,
            },
        }
        return _page(events.intent_of(await self._api(connection).ask("POST", _INTENTS, asked)))

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        """None: cards come by events."""
        return None

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        """None: customers have no balance there."""
        return ()

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        """Charge a saved card by an intent of the merchant's; what it was refused for is told.

        MoneyHash answers the same key the same for 24 h, and charges once.
        """
        api, name = self._api(connection), order.provider_payment_id
        if name is None:
            try:
                asked = _charged(connection, order)
                name = await _make(api, asked, key=order.idempotency_key)
            except ProviderRefused as refused:
                return Outcome(
                    payment_status=PaymentStatus.FAILED,
                    status="FAILED",
                    error_code=refused.code,
                    error_message=refused.message,
                )
        try:
            # What is answered to a key is the first answer; what became of it meanwhile, the intent says.
            return await _settled(api, name)
        except (ProviderUnavailable, ProviderRefused):
            # It was asked for: whatever it comes to, events tell.
            return Outcome(
                payment_status=PaymentStatus.PROCESSING, status="UNPROCESSED", provider_payment_id=name
            )

    async def cancel(self, connection: Connection, order: Order) -> None:
        """Close the intent, or pay back what came in. Raises `ProviderRefused`.

        Whether one was asked for that nobody knows the name of, is found out by its key: it answers with that intent, or is
        used up by one that takes no money. Either is closed.
        """
        api, name = self._api(connection), order.provider_payment_id
        if name is None:
            name = await _make(api, _harmless(connection, order), key=order.idempotency_key)
        intent = await _read(api, name)
        if events.is_open(intent):
            await _close(api, name)
            intent = await _read(api, name)  # what was pending may have come in just before
        if events.is_open(intent):
            raise ProviderUnavailable("MoneyHash has not closed the intent yet")
        if (transaction := events.paid_transaction(intent)) is not None:
            key = f"cancel-{order.idempotency_key}"
            await _refund(api, transaction, order.amount_cents, order.currency, key=key)

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """A page for the amount due, for 24 h. Raises `ProviderRefused`."""
        asked = {
            **_whither(connection),
            **_redirects(connection),
            "amount": _amount(order.amount_cents, order.currency),
            "amount_currency": order.currency,
            "merchant_reference": order.reference[:_LONGEST_REFERENCE],
            "expires_after_seconds": _LINK_SECONDS,
            **({"customer": name} if (name := order.person.provider_customer_id) else {}),
            "custom_fields": dict(order.metadata),
        }
        return _page(await _made(self._api(connection), asked, key=order.idempotency_key))

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """Close a page's intent; one that is paid or over is no matter. Raises `ProviderRefused`."""
        if link.provider_link_id is not None:
            await _close(self._api(connection), link.provider_link_id)

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Pay back what came in beyond what was due; refunds of credit notes are made by hand (§14). Raises `ProviderRefused`.

        What MoneyHash takes on counts as paid back: it tells by no event that is heard here.
        """
        api = self._api(connection)
        transaction = events.paid_transaction(await _read(api, order.provider_payment_id))
        if transaction is None:
            raise ProviderRefused("there is nothing to pay back", code="refund_failed")
        await _refund(api, transaction, order.amount_cents, order.currency, key=order.idempotency_key)
        return RefundOutcome(refund_status=RefundStatus.SUCCEEDED, status="REFUNDED")

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """`t=…,v3=…`: HMAC-SHA256 in hex over the body in base64 and the time (§12.1). Raises `BadSignature`."""
        key = connection.secrets.get("signature_key")
        parts = dict(
            piece.strip().partition("=")[::2]
            for piece in headers.get("moneyhash-signature", "").split(",")
        )  # fmt: skip
        time, signature = parts.get("t"), parts.get("v3")
        if not key or not time or not signature:
            raise BadSignature("a key, a time and a signature are needed")
        signed = hmac.new(key.encode(), base64.b64encode(body) + time.encode(), hashlib.sha256)
        if not hmac.compare_digest(signed.hexdigest().encode(), signature.encode()):
            raise BadSignature("the signature is another")

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What an event tells of an intent, its transaction or a card. Raises `ProviderRefused` for what can't be read.

        An attempt that failed is not the end of an intent, which another of the account's providers may be asked for next: what
        became of it, the intent says. One that came to nothing is closed.
        """
        heard = events.understand(body)
        match heard:
            case (PaymentTold(outcome=Outcome(payment_status=PaymentStatus.FAILED) as told) as payment,):
                assert told.provider_payment_id is not None, "intents have names"
                return (
                    replace(payment, outcome=await _settled(self._api(connection), told.provider_payment_id)),
                )
            case _:
                return heard

    def _api(self, connection: Connection) -> Api:
        return Api(
            url=self._url,
            explain=_explain,
            headers={"X-Api-Key": str(connection.secrets.get("api_key"))},
        )


def _explain(body: Mapping[str, Any]) -> Explained:
    status = part(body, "status")
    words = [
        error if isinstance(error, str) else "; ".join(f"{field}: {why}" for field, why in error.items())
        for error in status.get("errors") or ()
        if isinstance(error, str | dict)
    ]
    message = ", ".join(words) or status.get("message")
    return Explained(message=message if isinstance(message, str) else None)


def _key(key: str) -> Mapping[str, str]:
    """MoneyHash takes UUIDs of version 4 for keys and nothing else: one that follows from ours."""
    digest = hashlib.sha256(key.encode()).digest()
    return {"X-Idempotency-Key": str(UUID(bytes=digest[:16], version=4))}


def _amount(amount_cents: int, code: str) -> str:
    """An amount as MoneyHash reads it. Raises `ProviderRefused` for one with three decimals that matter: it takes two.

    >>> _amount(12340, "KWD")
    '12.34'
    """
    amount = units(amount_cents, code)
    if decimals(amount) > _MOST_DECIMALS:
        raise ProviderRefused(
            f"MoneyHash takes amounts of two decimals, which {amount} {code} is not", code=NOT_EXACT
        )
    return f"{amount:f}"


def _whither(connection: Connection) -> Mapping[str, Any]:
    """What a customer is led through, and where is told what comes of it."""
    webhook_url, flow_id = connection.inbound_url, connection.options.get("flow_id")
    if not webhook_url:
        raise ProviderRefused("nobody says where events are to go", code="missing_webhook_url")
    leads = {"flow_id": flow_id} if flow_id else {"operation": "purchase"}
    return {"webhook_url": webhook_url, **leads}


def _redirects(connection: Connection) -> Mapping[str, str]:
    url = connection.success_redirect_url
    return {"successful_redirect_url": url} if url else {}


def _agreement(customer_id: str) -> Mapping[str, Any]:
    """Under what a card is saved and charged later: one agreement for each customer."""
    return {"payment_type": "UNSCHEDULED", "recurring_data": {"agreement_id": customer_id}}


def _charged(connection: Connection, order: Order) -> Mapping[str, Any]:
    customer_id = order.metadata.get("lago_customer_id")
    if not order.provider_method_id or not order.provider_customer_id or not customer_id:
        raise ProviderRefused("there is no card to charge", code="missing_payment_method")
    return {
        **_whither(connection),
        "amount": _amount(order.amount_cents, order.currency),
        "amount_currency": order.currency,
        "merchant_reference": order.reference[:_LONGEST_REFERENCE],
        "customer": order.provider_customer_id,
        "card_token": order.provider_method_id,
        "merchant_initiated": True,
        **_agreement(customer_id),
        "custom_fields": dict(order.metadata),
    }


def _harmless(connection: Connection, order: Order) -> Mapping[str, Any]:
    return {
        **_whither(connection),
        "amount": _amount(order.amount_cents, order.currency),
        "amount_currency": order.currency,
        "custom_fields": {"payment_type": events.CANCELED},
    }


async def _make(api: Api, asked: Mapping[str, Any], *, key: str) -> str:
    """The id of an intent. Where it can't be seen whether there is one now, there may be: `ProviderUnavailable`."""
    return events.intent_id(await _made(api, asked, key=key))


async def _made(api: Api, asked: Mapping[str, Any], *, key: str) -> Mapping[str, Any]:
    try:
        intent = events.intent_of(await api.ask("POST", _INTENTS, asked, headers=_key(key)))
    except RefusedByVendor as refused:
        if refused.status == _IN_PROGRESS:
            raise ProviderUnavailable("MoneyHash is still at what was asked for by this key") from None
        raise
    if not isinstance(intent.get("id"), str):
        raise ProviderUnavailable("MoneyHash answers with no intent")
    return intent


async def _read(api: Api, name: str) -> Mapping[str, Any]:
    return events.intent_of(await api.ask("GET", f"{_INTENTS}{segment(name)}/"))


async def _refund(api: Api, transaction: str, amount_cents: int, code: str, *, key: str) -> None:
    asked = {"amount": _amount(amount_cents, code), "amount_currency": code}
    path = f"/api/v1.4/payments/transactions/{segment(transaction)}/refund/"
    await api.ask("POST", path, asked, headers=_key(key))


async def _settled(api: Api, name: str) -> Outcome:
    """What became of an intent; one that failed is closed, so that nothing comes of it later."""
    outcome = events.outcome_of(await _read(api, name))
    if outcome.payment_status is PaymentStatus.FAILED:
        await _close(api, name)
    return outcome


async def _close(api: Api, name: str) -> None:
    """Close an intent; that is refused for one that is paid or over, which is no matter. Raises `ProviderRefused`."""
    try:
        await api.ask("POST", f"{_INTENTS}{segment(name)}/close/")
    except RefusedByVendor as refused:
        if refused.is_unauthorized:
            raise


def _page(intent: Mapping[str, Any]) -> Link:
    url = intent.get("embed_url")
    if not isinstance(url, str) or not url:
        raise ProviderRefused("MoneyHash gives no address of the page", code="payment_provider_error")
    return Link(url=url, provider_link_id=events.intent_id(intent))
