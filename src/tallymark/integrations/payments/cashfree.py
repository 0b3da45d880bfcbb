"""Cashfree: payment links, by its Payment Gateway API, version 2025-01-01 (wallets-and-payments §11.4, §12).

Vendor's pages: docs/api-reference/payments, "Payment Links" and its webhooks; "Webhook signature verification".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tallymark.integrations.payments.events import (
    is_one_time,
    metadata_of,
    part,
    read_event,
)
from tallymark.integrations.payments.http import Api, Explained, RefusedByVendor, segment
from tallymark.integrations.payments.pages import PagesOnly
from tallymark.integrations.payments.units import NOT_EXACT, told_cents, units
from tallymark.rooms.payment_providers.model import (
    Connection,
    Heard,
    Link,
    LinkOrder,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused

VERSION = "2025-01-01"
LIVE_URL = "https://api.cashfree.com/pg"
SANDBOX_URL = "https://sandbox.cashfree.com/pg"
VALID_FOR = timedelta(hours=24)

# Credentials of the sandbox say so themselves, both of them.
_SANDBOX_ID, _SANDBOX_SECRET = "TEST", "cfsk_ma_test_"

_LONGEST_ID, _LONGEST_PURPOSE = 50, 500
_ID = re.compile(r"[A-Za-z0-9_-]+")

_MOST_NOTES = 5
_NOTES_FIRST = ("payment_type", "lago_invoice_id", "lago_payable_id", "lago_payable_type", "lago_customer_id")
"""A link has room for five: these find what is paid."""

_LONGEST_REFUND_ID = 40

REFUNDS: Mapping[str, RefundStatus] = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "ONHOLD": RefundStatus.PENDING,
    "CANCELLED": RefundStatus.FAILED,
    "FAILED": RefundStatus.FAILED,
}

_NO_LINK = "/links/no-such-link"


class Cashfree(PagesOnly):
    """Implements `rooms.payment_providers.ports.PaymentProvider`.

    `client_id` and `client_secret` are those of the Payment Gateway. `url` stands in for both of Cashfree's addresses.
    """

    def __init__(
        self, url: str | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._url, self._clock = url, clock

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """See whether the credentials are good by asking for a link that there is not. Raises `ProviderRefused`.

        Each link says itself where to tell of what is paid: nothing is registered.
        """
        del inbound_url
        try:
            await self._api(connection).ask("GET", _NO_LINK)
        except RefusedByVendor as refused:
            if refused.is_unauthorized:
                raise
        return connection

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """A link on which the amount is paid at once, within 24 h. Raises `ProviderRefused`."""
        api, link_id = self._api(connection), _link_id(order.idempotency_key)
        asked = _asked(connection, order, link_id, expires_at=self._clock() + VALID_FOR)
        try:
            link = await api.ask("POST", "/links", asked)
        except RefusedByVendor as refused:
            if refused.is_unauthorized or (known := await _find(api, f"/links/{link_id}")) is None:
                raise
            link = known  # asked for before: an id is given to one link only
        if not _asks_for(link, order):
            await self.expire_link(connection, Link(url="", provider_link_id=link_id))
            raise ProviderRefused(
                f"Cashfree asks for {link.get('link_amount')} {link.get('link_currency')} in place of "
                f"{asked['link_amount']} {order.currency}",
                code=NOT_EXACT,
            )
        if not isinstance(link.get("link_url"), str):
            raise ProviderRefused("Cashfree gives no address of the link", code="payment_provider_error")
        return Link(url=link["link_url"], provider_link_id=link_id)

    async def cancel(self, connection: Connection, order: Order) -> None:
        """Pay back in full what was paid by a link when nobody waited for it any more. Raises `ProviderRefused`.

        Nothing else is collected: a payment without a name was never made.
        """
        if order.provider_payment_id is None:
            return
        amount = units(order.amount_cents, order.currency)
        key = f"cancel-{order.idempotency_key}"
        given_back = await _give_back(self._api(connection), order.provider_payment_id, amount, key)
        if given_back is not None and given_back.refund_status is RefundStatus.FAILED:
            raise ProviderRefused(given_back.error_message or given_back.status, code="refund_failed")

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Pay back what a link was paid beyond what was due; refunds of credit notes are made by hand (§14). Raises `ProviderRefused`."""
        amount = units(order.amount_cents, order.currency)
        api, name = self._api(connection), order.provider_payment_id
        outcome = await _give_back(api, name, amount, order.idempotency_key)
        if outcome is None:
            raise ProviderRefused("nothing was paid by the link", code="refund_failed")
        return outcome

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """Cancel a link; Cashfree refuses that for one that is paid or over, which is no matter. Raises `ProviderRefused`."""
        if link.provider_link_id is None:
            return
        try:
            await self._api(connection).ask("POST", f"/links/{segment(link.provider_link_id)}/cancel")
        except RefusedByVendor as refused:
            if refused.is_unauthorized:
                raise

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """Base64 of HMAC-SHA256 over the timestamp and the body, by the client secret (§12.1). Raises `BadSignature`."""
        secret = connection.secrets.get("client_secret")
        signature = headers.get("x-webhook-signature") or headers.get("x-cashfree-signature")
        timestamp = headers.get("x-webhook-timestamp") or headers.get("x-cashfree-timestamp")
        if not secret or not signature or not timestamp:
            raise BadSignature("a secret, a signature and its timestamp are needed")
        signed = hmac.digest(secret.encode(), timestamp.encode() + body, hashlib.sha256)
        if not hmac.compare_digest(base64.b64encode(signed), signature.strip().encode()):
            raise BadSignature("the signature is another")

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What was paid by a link. Raises `ProviderRefused` for what can't be read.

        Links are paid at once and in full: of one that is EXPIRED, CANCELLED or, as another system's may be, PARTIALLY_PAID,
        nothing follows. A payment goes by the id of its link: told twice, it counts once.
        """
        event = read_event(body)
        link, metadata = part(event, "data"), metadata_of(part(event, "data"), "link_notes")
        is_paid = event.get("type") == "PAYMENT_LINK_EVENT" and link.get("link_status") == "PAID"
        if not is_paid or not is_one_time(metadata):  # links can be made by hand, too
            return ()
        name = link.get("link_id")
        if not isinstance(name, str) or not name:
            raise ProviderRefused("a link that is paid has no id", code="invalid_event")
        return (
            PaymentTold(
                outcome=Outcome(
                    payment_status=PaymentStatus.SUCCEEDED, status="PAID", provider_payment_id=name
                ),
                metadata=metadata,
                amount_cents=told_cents(link.get("link_amount_paid"), link.get("link_currency")),
                currency=str(link.get("link_currency")),
            ),
        )

    def _api(self, connection: Connection) -> Api:
        known = {**connection.options, **connection.secrets}
        client_id, client_secret = str(known.get("client_id")), str(known.get("client_secret"))
        is_sandbox = client_id.startswith(_SANDBOX_ID) or client_secret.startswith(_SANDBOX_SECRET)
        return Api(
            url=self._url or (SANDBOX_URL if is_sandbox else LIVE_URL),
            explain=_explain,
            headers={"x-api-version": VERSION, "x-client-id": client_id, "x-client-secret": client_secret},
        )


def _explain(body: Mapping[str, Any]) -> Explained:
    message, code = body.get("message"), body.get("code")
    return Explained(
        message=message if isinstance(message, str) else None, code=code if isinstance(code, str) else None
    )


def _asked(
    connection: Connection, order: LinkOrder, link_id: str, *, expires_at: datetime
) -> Mapping[str, Any]:
    if not order.person.phone:
        raise ProviderRefused("Cashfree needs the customer's phone number", code="missing_phone")
    customer = {
        "customer_phone": order.person.phone,
        **({"customer_email": order.person.email} if order.person.email else {}),
        **({"customer_name": order.person.name} if order.person.name else {}),
    }
    webhook_url = connection.inbound_url or ""
    # It tells addresses with TLS only; another one is refused together with the link.
    tells = webhook_url.startswith("https://")
    return {
        "link_id": link_id,
        "link_amount": units(order.amount_cents, order.currency),
        "link_currency": order.currency,
        "link_purpose": order.title[:_LONGEST_PURPOSE],
        "link_partial_payments": False,
        "link_auto_reminders": False,
        "link_notify": {"send_sms": False, "send_email": False},
        "link_expiry_time": expires_at.isoformat(timespec="seconds"),
        "customer_details": customer,
        "link_notes": _notes(order.metadata),
        "link_meta": {
            **({"notify_url": webhook_url} if tells else {}),
            **(
                {"return_url": connection.success_redirect_url}
                if connection.success_redirect_url
                else {}
            ),
        },
    }  # fmt: skip


def _notes(metadata: Mapping[str, str]) -> Mapping[str, str]:
    first = [key for key in _NOTES_FIRST if key in metadata]
    kept = [*first, *(key for key in metadata if key not in _NOTES_FIRST)][:_MOST_NOTES]
    return {key: metadata[key] for key in kept}


def _link_id(key: str) -> str:
    """A link's id in Cashfree's letters and length, the same for the same key.

    >>> _link_id("link-1"), len(_link_id("a key with spaces"))
    ('link-1', 50)
    """
    if len(key) <= _LONGEST_ID and _ID.fullmatch(key):
        return key
    return hashlib.sha256(key.encode()).hexdigest()[:_LONGEST_ID]


async def _find(api: Api, path: str) -> Mapping[str, Any] | None:
    try:
        return await api.ask("GET", path)
    except RefusedByVendor:
        return None


async def _give_back(api: Api, link_id: str, amount: Decimal, key: str) -> RefundOutcome | None:
    """Refund the order that a link was paid by; None where it was not. The same key refunds once, for it is the refund's id."""
    orders = await api.ask_for_list(f"/links/{segment(link_id)}/orders", params={"status": "PAID"})
    paid = [one.get("order_id") for one in orders if one.get("order_status") == "PAID"]
    if not paid:
        return None
    if len(paid) > 1 or not isinstance(paid[0], str):
        raise ProviderRefused("a link was paid by more than one order", code="refund_failed")
    refund_id = hashlib.sha256(key.encode()).hexdigest()[:_LONGEST_REFUND_ID]
    path = f"/orders/{segment(paid[0])}/refunds"
    try:
        found = await api.ask("POST", path, {"refund_amount": amount, "refund_id": refund_id})
    except RefusedByVendor as refused:
        if refused.is_unauthorized or (known := await _find(api, f"{path}/{refund_id}")) is None:
            raise
        found = known
    status = str(found.get("refund_status"))
    return RefundOutcome(
        refund_status=REFUNDS.get(status, RefundStatus.PENDING),
        status=status,
        provider_refund_id=refund_id,
        error_message=text if isinstance(text := found.get("status_description"), str) else None,
    )


def _asks_for(link: Mapping[str, Any], order: LinkOrder) -> bool:
    if link.get("link_currency") != order.currency:
        return False
    try:
        return told_cents(link.get("link_amount"), order.currency) == order.amount_cents
    except ProviderRefused:
        return False
