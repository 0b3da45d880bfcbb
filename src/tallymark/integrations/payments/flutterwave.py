"""Flutterwave: hosted payment pages, by its API version 3 (wallets-and-payments §11.4, §12).

Vendor's pages: docs/flutterwave-standard-1, docs/webhooks, docs/transaction-verification of version 3.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tallymark.integrations.payments.events import is_one_time, metadata_of, part, read_event
from tallymark.integrations.payments.http import Api, Explained, segment
from tallymark.integrations.payments.pages import PagesOnly
from tallymark.integrations.payments.units import told_cents, units
from tallymark.rooms.payment_providers.model import (
    Connection,
    Heard,
    Link,
    LinkOrder,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

URL = "https://api.flutterwave.com/v3"
"""One address: whether a key is of the test mode stands in the key."""

SESSION_MINUTES = 30

STATUSES: Mapping[str, PaymentStatus] = {
    "pending": PaymentStatus.PROCESSING,
    "successful": PaymentStatus.SUCCEEDED,
    "failed": PaymentStatus.FAILED,
    "cancelled": PaymentStatus.FAILED,
}
"""§11.5."""


class Flutterwave(PagesOnly):
    """Implements `rooms.payment_providers.ports.PaymentProvider`.

    `secret_key` is the account's, `webhook_secret` what its dashboard is given as "secret hash".
    """

    def __init__(
        self, url: str | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._url, self._clock = url or URL, clock

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """See whether the key is good, by the list of banks. Raises `ProviderRefused`.

        Where events go is set in Flutterwave's dashboard: there is no call for it.
        """
        await self._api(connection).ask("GET", "/banks/NG")
        return connection

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """A page for the amount due, open for 30 min. Raises `ProviderRefused`.

        Pages that are asked for with the same key have the same reference, which Flutterwave takes a payment for only once.
        """
        if not order.person.email:
            raise ProviderRefused("Flutterwave needs the customer's e-mail address", code="missing_email")
        customer = {
            "email": order.person.email,
            **({"name": order.person.name} if order.person.name else {}),
            **({"phonenumber": order.person.phone} if order.person.phone else {}),
        }
        asked = {
            "tx_ref": order.idempotency_key,
            "amount": units(order.amount_cents, order.currency),
            "currency": order.currency,
            "session_duration": SESSION_MINUTES,
            "customer": customer,
            "customizations": {"title": order.reference, "description": order.title},
            "meta": dict(order.metadata),
            **({"redirect_url": connection.success_redirect_url} if connection.success_redirect_url else {}),
        }
        asked_at = self._clock()
        answer = _data(await self._api(connection).ask("POST", "/payments", asked))
        if not isinstance(answer.get("link"), str):
            raise ProviderRefused("Flutterwave gives no address of the page", code="payment_provider_error")
        return Link(
            url=answer["link"],
            provider_link_id=order.idempotency_key,
            expires_at=asked_at + timedelta(minutes=SESSION_MINUTES),
        )

    async def cancel(self, connection: Connection, order: Order) -> None:
        """Pay back in full what came in when nobody waited for it any more. Raises `ProviderRefused`.

        Nothing else is collected: a payment without a name was never made, one that is pending is canceled by nobody, and given back
        once it comes in. A refund has no key at Flutterwave; of what is paid back in full it refuses a second one.
        """
        if order.provider_payment_id is None:
            return
        found = await self._find(connection, order.provider_payment_id)
        if found.get("status") != "successful":
            return
        paid = told_cents(found.get("amount"), found.get("currency"))
        if (paid, found.get("currency")) != (order.amount_cents, order.currency):
            raise ProviderRefused("another amount was paid than is to go back", code="refund_failed")
        asked = {"amount": units(order.amount_cents, order.currency)}
        path = f"/transactions/{segment(order.provider_payment_id)}/refund"
        _data(await self._api(connection).ask("POST", path, asked))

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """Nothing: Flutterwave takes no page back, it ends by its session."""

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """The header `verif-hash` is the secret itself (§12.1). Raises `BadSignature`."""
        secret = connection.secrets.get("webhook_secret")
        if not secret or not hmac.compare_digest(secret.encode(), headers.get("verif-hash", "").encode()):
            raise BadSignature("the secret is another")

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What became of a transaction: not what the event says, which anybody wrote who knows the secret, but what the API says.

        Raises `ProviderRefused` where the two disagree, `ProviderUnavailable` where the API does not know of the success yet.
        A transaction that is of no page of ours is somebody else's.
        """
        event = read_event(body)
        if event.get("event") != "charge.completed":
            return ()
        told = part(event, "data")
        found = await self._find(connection, told.get("id"))
        metadata = metadata_of(found, "meta")
        if not is_one_time(metadata):
            return ()
        _agree(told, found)
        status = str(found.get("status"))
        if (payment_status := STATUSES.get(status)) is None:
            raise ProviderRefused(f"a status that is not known: {status}", code="unknown_status")
        failure = found.get("processor_response") if payment_status is PaymentStatus.FAILED else None
        return (
            PaymentTold(
                outcome=Outcome(
                    payment_status=payment_status,
                    status=status,
                    provider_payment_id=str(found["id"]),
                    error_message=failure if isinstance(failure, str) else None,
                ),
                metadata=metadata,
                amount_cents=told_cents(found.get("amount"), found.get("currency")),
                currency=str(found.get("currency")),
            ),
        )

    async def _find(self, connection: Connection, name: object) -> Mapping[str, Any]:
        if isinstance(name, bool) or not isinstance(name, int | str):
            raise ProviderRefused("a transaction has no id", code="invalid_event")
        found = _data(await self._api(connection).ask("GET", f"/transactions/{segment(str(name))}/verify"))
        if str(found.get("id")) != str(name):
            raise ProviderRefused("Flutterwave answers with another transaction", code="verification_failed")
        return found

    def _api(self, connection: Connection) -> Api:
        return Api(
            url=self._url,
            explain=_explain,
            headers={"Authorization": f"Bearer {connection.secrets.get('secret_key')}"},
        )


def _explain(body: Mapping[str, Any]) -> Explained:
    message = body.get("message")
    return Explained(message=message if isinstance(message, str) else None)


def _data(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    data = answer.get("data")
    if answer.get("status") != "success" or not isinstance(data, dict):
        raise ProviderRefused(_explain(answer).message or "Flutterwave answers without data", details=answer)
    return data


def _agree(told: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """See whether an event and the API speak of the same (§12.1)."""
    if found.get("status") == "pending" and told.get("status") != "pending":
        raise ProviderUnavailable("Flutterwave's API does not know yet what its event says")
    for name in ("status", "currency", "tx_ref"):
        if told.get(name) != found.get(name):
            raise ProviderRefused(
                f"{name} is {told.get(name)!r} in the event, {found.get(name)!r} in truth",
                code="verification_failed",
            )
    code = found.get("currency")
    if told_cents(told.get("amount"), code) != told_cents(found.get("amount"), code):
        raise ProviderRefused(
            f"amount is {told.get('amount')} in the event, {found.get('amount')} in truth",
            code="verification_failed",
        )
