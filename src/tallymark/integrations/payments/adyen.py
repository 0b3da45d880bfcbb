"""Adyen, by its Checkout API v71 and its standard notifications in JSON (wallets-and-payments §11–§14).

Cards are stored by a page on which nothing is paid, and charged as unscheduled payments without the customer. What becomes of payments
is told by notifications; nothing is registered for them, their address and their key are set in Adyen's Customer Area.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tallymark.domain.money import CURRENCIES
from tallymark.integrations.payments import adyen_notices
from tallymark.integrations.payments.http import Api, Explained, RefusedByVendor, segment
from tallymark.integrations.payments.units import to_vendor
from tallymark.rooms.organizations.access import system_now
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
    Person,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
)
from tallymark.rooms.payment_providers.ports import ProviderRefused

VERSION = "v71"
"""Of the Checkout API."""

TEST_URL = "https://checkout-test.adyen.com"
LIVE_URL = "https://{prefix}-checkout-live.adyenpayments.com/checkout"

SETUP_DAYS = 69
"""How long a customer may leave a card on the page made for it; Adyen allows 70."""

LONGEST_REFERENCE = 80
LONGEST_KEY = 64
_LONGEST_NAME = 20
_LONGEST_VALUE = 80
_PREFIX = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")

_IN_PROGRESS = "704"
"""The same request is being worked on: its answer comes later."""

_OTHER_ACCOUNT = "901"
"""There is no such merchant account, or the key is not for it."""

_DECIMALS = {
    **{code: 2 for code, known in CURRENCIES.items() if known.subunits == 100},
    **{code: 0 for code, known in CURRENCIES.items() if known.subunits == 1},
    **{code: 3 for code, known in CURRENCIES.items() if known.subunits == 1000},
    # Where Adyen differs from ISO 4217, and where we do.
    "CLP": 2,
    "CVE": 0,
    "HUF": 2,
    "IDR": 0,
    "ISK": 2,
}
"""By how many decimals Adyen counts each currency."""

_NOT_TAKEN = frozenset({"BIF", "CLF", "MGA", "MRO"})
"""What it has no number of decimals for."""

_STATUSES = {
    **dict.fromkeys(("AuthorisedPending", "Received"), PaymentStatus.PROCESSING),
    **dict.fromkeys(
        ("Authorised", "SentForSettle", "SettleScheduled", "Settled", "Refunded"), PaymentStatus.SUCCEEDED
    ),
    **dict.fromkeys(("Cancelled", "CaptureFailed", "Error", "Expired", "Refused"), PaymentStatus.FAILED),
}


def status_of(word: str) -> PaymentStatus:
    """What a status of Adyen's means (§11.5); one that is not listed decides nothing yet."""
    return _STATUSES.get(word, PaymentStatus.PROCESSING)


def decimals_of(currency: str) -> int:
    """By how many decimals Adyen counts a currency. Raises `ProviderRefused`."""
    if currency not in _DECIMALS or currency in _NOT_TAKEN:
        raise ProviderRefused(f"Adyen takes no payments in {currency}", code="currency_not_supported")
    return _DECIMALS[currency]


class Adyen:
    """Implements `rooms.payment_providers.ports.PaymentProvider`.

    A connection has the options `merchant_account` and `live_prefix` (blank: the test system), and the secrets `api_key` and `hmac_key`.
    """

    # Nobody is made a customer there by being asked for: a card that is left says who they are (§12.2).
    abilities = Abilities(
        keeps_customers=False, saves_methods=True, charges=True, has_pages=True, refunds=True
    )

    def __init__(self, url: str | None = None) -> None:
        self._url = url

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """See whether the key is good for the merchant account. Raises `ProviderRefused`."""
        del inbound_url
        try:
            await self._api(connection).ask("POST", "/paymentMethods", _account(connection))
        except RefusedByVendor as refused:
            if refused.code != _OTHER_ACCOUNT:
                raise
            # The key is good, and not for this account.
            raise ProviderRefused(refused.message, code=refused.code, details=refused.details) from None
        return connection

    async def close(self, connection: Connection) -> None:
        """Nothing was registered."""
        del connection

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        """Adyen knows a customer once they have left a card (§12.2)."""
        del connection, person
        return None

    async def update_customer(self, connection: Connection, person: Person) -> None:
        """Adyen keeps nothing of a customer that changes."""
        del connection, person

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        """Methods are told by notifications alone (§12.2)."""
        del connection, person
        return None

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        """A page on which nothing is paid, and the card is stored. Raises `ProviderRefused`."""
        currency = person.currency or person.entity_currency
        if currency is None:
            raise ProviderRefused(
                "a card is stored in a currency, and there is none", code="currency_missing"
            )
        decimals_of(currency)
        expires_at = system_now() + timedelta(days=SETUP_DAYS)
        told = {"lago_customer_id": str(person.customer_id), "external_customer_id": person.external_id}
        asked = {
            **_account(connection),
            **_shopper(connection, person),
            "amount": {"currency": currency, "value": 0},
            "reference": f"setup-{person.customer_id}",
            "storePaymentMethodMode": "enabled",
            "recurringProcessingModel": "UnscheduledCardOnFile",
            "expiresAt": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "metadata": _metadata(told),
        }
        return _link(await self._api(connection).ask("POST", "/paymentLinks", asked))

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        """None: customers have no balance there."""
        return ()

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        """Charge the stored card. Asked again with the same key, Adyen answers the same."""
        try:
            asked = {
                **_account(connection),
                "amount": _amount(order.amount_cents, order.currency),
                "reference": order.reference[-LONGEST_REFERENCE:],
                "paymentMethod": {"type": "scheme", "storedPaymentMethodId": order.provider_method_id},
                "shopperReference": order.provider_customer_id,
                "shopperInteraction": "ContAuth",
                "recurringProcessingModel": "UnscheduledCardOnFile",
                "metadata": _metadata({"lago_payment_id": str(order.payment_id), **order.metadata}),
            }
            key = _key(order.idempotency_key)
            answer = await self._api(connection).ask("POST", "/payments", asked, key=key)
        except ProviderRefused as refused:
            return Outcome(
                payment_status=PaymentStatus.FAILED,
                status="Error",
                error_code=refused.code,
                error_message=refused.message,
            )
        return _outcome(answer)

    async def cancel(self, connection: Connection, order: Order) -> None:
        """Reverse a payment: canceled while it is authorised only, paid back in full once it is captured.

        One that Adyen has not told the name of cannot be looked up, and is not asked for again: if it was taken, the notification says
        so, by the payment's id in its metadata, and it is reversed then.
        """
        if order.provider_payment_id is None:
            return
        path = f"/payments/{segment(order.provider_payment_id)}/reversals"
        asked = {**_account(connection), "reference": order.idempotency_key[-LONGEST_REFERENCE:]}
        await self._api(connection).ask("POST", path, asked, key=_key(f"cancel-{order.idempotency_key}"))

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """A page on which an amount is paid, for 24 hours, which is Adyen's own measure. Raises `ProviderRefused`."""
        asked = {
            **_account(connection),
            **_shopper(connection, order.person),
            "amount": _amount(order.amount_cents, order.currency),
            "reference": order.reference[-LONGEST_REFERENCE:],
            "description": order.title,
            "metadata": _metadata(order.metadata),
        }
        key = _key(order.idempotency_key)
        return _link(await self._api(connection).ask("POST", "/paymentLinks", asked, key=key))

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """Have a page expire; one that is paid or over is no matter."""
        if link.provider_link_id is None:
            return
        path = f"/paymentLinks/{segment(link.provider_link_id)}"
        try:
            await self._api(connection).ask("PATCH", path, {"status": "expired"})
        except RefusedByVendor as refused:
            if refused.is_unauthorized:
                raise

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Pay back; whether it came to pass, a notification tells (§14)."""
        try:
            asked = {
                **_account(connection),
                "amount": _amount(order.amount_cents, order.currency),
                "reference": order.idempotency_key[-LONGEST_REFERENCE:],
            }
            path = f"/payments/{segment(order.provider_payment_id)}/refunds"
            answer = await self._api(connection).ask("POST", path, asked, key=_key(order.idempotency_key))
        except ProviderRefused as refused:
            return RefundOutcome(
                refund_status=RefundStatus.FAILED,
                status="refused",
                error_code=refused.code,
                error_message=refused.message,
            )
        return RefundOutcome(
            refund_status=RefundStatus.PENDING,
            status=_text(answer, "status") or "received",
            provider_refund_id=_text(answer, "pspReference"),
        )

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """See whether each item is signed with the connection's key; without one, nothing is believed. Raises `BadSignature`."""
        del headers
        adyen_notices.verify(connection.secrets.get("hmac_key") or "", body)

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What the items for the connection's merchant account tell, in order."""
        account = str(connection.options.get("merchant_account") or "")
        return adyen_notices.understand(account, body, decimals_of)

    def _api(self, connection: Connection) -> Api:
        base = self._url or _host(str(connection.options.get("live_prefix") or "").strip())
        return Api(
            url=f"{base.rstrip('/')}/{VERSION}",
            explain=_explain,
            busy=frozenset({_IN_PROGRESS}),
            headers={"X-API-Key": connection.secrets.get("api_key") or ""},
        )


def _host(prefix: str) -> str:
    """Where the API is: by a live account's own prefix, else the test system. Raises `ProviderRefused`.

    The prefix becomes part of a host's name: what is none leads nowhere else.
    """
    if not prefix:
        return TEST_URL
    if not _PREFIX.fullmatch(prefix):
        raise ProviderRefused(
            "the live prefix has letters, digits and hyphens alone", code="invalid_live_prefix"
        )
    return LIVE_URL.format(prefix=prefix)


def _account(connection: Connection) -> dict[str, Any]:
    return {"merchantAccount": connection.options.get("merchant_account")}


def _shopper(connection: Connection, person: Person) -> dict[str, Any]:
    """Who is sent to a page, and where to from there."""
    told = {
        "shopperReference": person.external_id,
        "shopperEmail": person.email,
        "countryCode": person.country,
        "returnUrl": connection.success_redirect_url,
    }
    return {name: value for name, value in told.items() if value}


def _amount(amount_cents: int, currency: str) -> dict[str, Any]:
    return {"currency": currency, "value": to_vendor(amount_cents, currency, decimals_of(currency))}


def _metadata(told: Mapping[str, str]) -> dict[str, str]:
    """What comes back with notifications: Adyen takes names of 20 characters at the most, and values of 80."""
    return {
        name: value
        for name, value in told.items()
        if len(name) <= _LONGEST_NAME and len(value) <= _LONGEST_VALUE
    }


def _key(key: str) -> str:
    """A key as Adyen takes it, of 64 characters at the most; a longer one by what is as good as it."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    word = _text(answer, "resultCode") or "Received"
    status, action = status_of(word), answer.get("action")
    has_failed = status is PaymentStatus.FAILED
    return Outcome(
        payment_status=status,
        status=word,
        provider_payment_id=_text(answer, "pspReference"),
        error_code=(_text(answer, "refusalReasonCode") or word) if has_failed else None,
        error_message=(_text(answer, "refusalReason") or word) if has_failed else None,
        next_action=action if isinstance(action, dict) else None,
    )


def _link(answer: Mapping[str, Any]) -> Link:
    url, expires_at = _text(answer, "url"), _text(answer, "expiresAt")
    if url is None:
        raise ProviderRefused("Adyen names no page", code="payment_provider_error")
    return Link(
        url=url,
        provider_link_id=_text(answer, "id"),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
    )


def _explain(body: Mapping[str, Any]) -> Explained:
    return Explained(message=_text(body, "message"), code=_text(body, "errorCode"))


def _text(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return str(value) if value not in (None, "") else None
