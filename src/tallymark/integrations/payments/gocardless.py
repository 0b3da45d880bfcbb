"""GoCardless, by its API of version 2015-07-06: bank debits by mandates (wallets-and-payments §11–§14).

An account's own access token says by its prefix whether it is of the sandbox. A webhook names what changed and no more: what is true
now is looked up, for webhooks come late, twice and in any order.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallymark.integrations.payments import gocardless_api as vendor
from tallymark.integrations.payments.gocardless_api import Resource
from tallymark.integrations.payments.http import Api, RefusedByVendor, read_json, segment
from tallymark.rooms.payment_providers.model import (
    Abilities,
    BankAccount,
    Connection,
    Heard,
    Link,
    LinkOrder,
    MethodLost,
    MethodSaved,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    Person,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
    RefundTold,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

SCHEMES = {
    "GBP": "bacs",
    "EUR": "sepa_core",
    "SEK": "autogiro",
    "DKK": "betalingsservice",
    "AUD": "becs",
    "NZD": "becs_nz",
    "CAD": "pad",
    "USD": "ach",
}
"""By what scheme a customer's currency is debited; `DEFAULT_SCHEME` where they have another, or none yet (§12.3)."""

DEFAULT_SCHEME = "bacs"
NO_MANDATE = "no_mandate_error"
LIVE_MANDATES = frozenset({"pending_customer_approval", "pending_submission", "submitted", "active"})
"""Those that a payment can be asked of."""

LONGEST_DESCRIPTION = 100
_KEY = "idempotency_key"
"""Under what name a refund carries the key that it was asked for with: GoCardless compares a refund with what was paid back before it
looks at keys, so that one that was made already is looked for first."""

_CANCEL = "cancel-"
"""How keys begin of what is paid back since nobody waits for it."""

_TOLD = frozenset({"paid_out", "failed", "cancelled", "customer_approval_denied", "charged_back"})
"""What is told of payments that something follows from."""

_STATUSES = {
    **dict.fromkeys(
        ("pending_customer_approval", "pending_submission", "submitted", "confirmed"),
        PaymentStatus.PROCESSING,
    ),
    "paid_out": PaymentStatus.SUCCEEDED,
    **dict.fromkeys(
        ("cancelled", "customer_approval_denied", "failed", "charged_back"), PaymentStatus.FAILED
    ),
}

_REFUND_STATUSES = {
    **dict.fromkeys(("created", "pending_submission", "submitted", "refund_settled"), RefundStatus.PENDING),
    "paid": RefundStatus.SUCCEEDED,
    **dict.fromkeys(("cancelled", "bounced", "funds_returned", "failed"), RefundStatus.FAILED),
}


def status_of(word: str) -> PaymentStatus:
    """What a status of a payment means (§11.5); one that is not listed decides nothing yet."""
    return _STATUSES.get(word, PaymentStatus.PROCESSING)


def refund_status_of(word: str) -> RefundStatus:
    """What a status of a refund means (§14); one that is not listed decides nothing yet."""
    return _REFUND_STATUSES.get(word, RefundStatus.PENDING)


class GoCardless:
    """Implements `rooms.payment_providers.ports.PaymentProvider`.

    A connection has the secrets `access_token` and `webhook_secret`, which is made with it and given to GoCardless by hand.
    """

    abilities = Abilities(keeps_customers=True, saves_methods=True, charges=True, refunds=True)

    def __init__(self, url: str | None = None) -> None:
        self._url = url

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """See whether the token is good. Raises `ProviderRefused`."""
        del inbound_url
        await self._api(connection).ask("GET", "/creditors", params={"limit": "1"})
        return connection

    async def close(self, connection: Connection) -> None:
        """The address was given to GoCardless by hand, and is taken from it so."""
        del connection

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        """Make a customer; asked again for the same person, it is the same. Raises `ProviderRefused`."""
        made = await vendor.create(
            self._api(connection), "customers", _customer(person), key=f"customer-{person.customer_id}"
        )
        return str(made["id"])

    async def update_customer(self, connection: Connection, person: Person) -> None:
        """Changes are pushed to Stripe only (§12.2)."""
        del connection, person

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        """A page on which the customer gives a mandate. Raises `ProviderRefused`."""
        if person.provider_customer_id is None:
            raise ProviderRefused(
                "a mandate is given by a customer that GoCardless knows", code="customer_missing"
            )
        api = self._api(connection)
        request = await vendor.create(
            api,
            "billing_requests",
            {
                "mandate_request": {"scheme": SCHEMES.get(person.currency or "", DEFAULT_SCHEME)},
                "links": {"customer": person.provider_customer_id},
                "metadata": {"lago_customer_id": str(person.customer_id)},
            },
        )
        back = connection.success_redirect_url
        flow = await vendor.create(
            api,
            "billing_request_flows",
            {
                "links": {"billing_request": request["id"]},
                **({"redirect_uri": back, "exit_uri": back} if back else {}),
            },
        )
        url, expires_at = vendor.text(flow, "authorisation_url"), vendor.text(flow, "expires_at")
        if url is None:
            raise ProviderRefused("GoCardless names no page", code="payment_provider_error")
        return Link(
            url=url,
            provider_link_id=vendor.text(flow, "id"),
            expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        )

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        """The first live mandate of a customer, which is what they are charged by (§12.3)."""
        if person.provider_customer_id is None:
            return None
        api = self._api(connection)
        mandate = await _live_mandate(api, person.provider_customer_id)
        return None if mandate is None else await _saved(api, mandate)

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        """None: customers have no balance there."""
        return ()

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        """Ask for a payment of the chosen mandate, else of the first live one; by the same key it is the same payment.

        GoCardless tries a payment that fails no second time by itself: when to ask again is decided here.
        """
        api = self._api(connection)
        try:
            mandate = order.provider_method_id or await _mandate_of(api, order)
            if mandate is None:
                return _failed("the customer has no live mandate", NO_MANDATE)
            asked = {
                "amount": order.amount_cents,
                "currency": order.currency,
                "description": order.reference[-LONGEST_DESCRIPTION:],
                "metadata": _metadata(order),
                "retry_if_possible": False,
                "links": {"mandate": mandate},
            }
            return _outcome(await vendor.create(api, "payments", asked, key=order.idempotency_key))
        except ProviderRefused as refused:
            return _failed(refused.message, refused.code)

    async def cancel(self, connection: Connection, order: Order) -> None:
        """Cancel a payment that is not at the banks yet, and pay back one that came in.

        One that is at the banks can neither be canceled nor paid back: if it comes in, that is told, and it is paid back then.
        Raises `ProviderRefused` when the money cannot be paid back.
        """
        api = self._api(connection)
        payment = await _find_payment(api, order)
        if payment is not None and payment.get("status") in (
            "pending_customer_approval",
            "pending_submission",
        ):
            payment = await _call_off(api, str(payment["id"]))
        if payment is None or payment.get("status") not in ("confirmed", "paid_out"):
            return
        left = int(payment["amount"]) - int(payment.get("amount_refunded") or 0)
        if left > 0:
            await _pay_back(api, payment, left, key=f"{_CANCEL}{order.idempotency_key}", metadata={})

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """There are no pages to pay on (§11.4). Raises `ProviderRefused`."""
        del connection, order
        raise ProviderRefused("GoCardless has no page to pay on", code="feature_not_supported")

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """There are no pages to take back."""
        del connection, link

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Pay back; by the same key it is the same refund (§14)."""
        api = self._api(connection)
        try:
            payment = await vendor.get(api, "payments", order.provider_payment_id)
            made = await _pay_back(
                api, payment, order.amount_cents, key=order.idempotency_key, metadata=order.metadata
            )
        except ProviderRefused as refused:
            return RefundOutcome(
                refund_status=RefundStatus.FAILED,
                status="failed",
                error_code=refused.code,
                error_message=refused.message,
            )
        return _refund_outcome(made)

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """See whether the body is signed with the connection's secret: HMAC-SHA256, in hexadecimal. Raises `BadSignature`."""
        secret = connection.secrets.get("webhook_secret") or ""
        should = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
        given = headers.get("webhook-signature") or ""
        if not secret or not hmac.compare_digest(should.encode(), given.encode()):
            raise BadSignature("the body is not signed with this secret")

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What the events of a webhook tell, in order; what they name is looked up."""
        try:
            read = read_json(body)
            events = read["events"]
        except (ValueError, TypeError, KeyError):
            return []
        api = self._api(connection)
        return [heard for event in events if (heard := await _tell(api, event)) is not None]

    def _api(self, connection: Connection) -> Api:
        return vendor.api_of(connection.secrets.get("access_token") or "", self._url)


async def _tell(api: Api, event: Resource) -> Heard | None:
    links, details = vendor.part(event, "links"), vendor.part(event, "details")
    try:
        match event.get("resource_type"), event.get("action"):
            case "payments", action if action in _TOLD:
                return _payment_told(await vendor.get(api, "payments", str(links.get("payment"))), event)
            case "refunds", _:
                return _refund_told(await vendor.get(api, "refunds", str(links.get("refund"))), event)
            case "mandates", "created":
                mandate = await vendor.get(api, "mandates", str(links.get("mandate")))
                return await _saved(api, mandate) if mandate.get("status") in LIVE_MANDATES else None
            case "mandates", "cancelled" if details.get("origin") == "api":
                return MethodLost(provider_method_id=str(links.get("mandate")))
    except RefusedByVendor as refused:
        if refused.status != 404:
            raise
    return None


def _payment_told(payment: Resource, event: Resource) -> PaymentTold:
    """What a payment is now. One that GoCardless will try again has not failed: another beside it would collect twice."""
    outcome = _outcome(payment)
    if outcome.payment_status is PaymentStatus.FAILED:
        is_tried_again = vendor.part(event, "details").get("will_attempt_retry") is True
        if event.get("action") == "failed" and is_tried_again:
            outcome = replace(outcome, payment_status=PaymentStatus.PROCESSING)
        else:
            code, message = _why(event)
            outcome = replace(outcome, error_code=code or outcome.status, error_message=message)
    return PaymentTold(
        outcome=outcome,
        metadata=vendor.strings(payment),
        amount_cents=int(payment["amount"]),
        currency=vendor.text(payment, "currency"),
    )


def _why(event: Resource) -> tuple[str | None, str | None]:
    """Why something came to nothing, as the event says it: a code, and words."""
    details = vendor.part(event, "details")
    return vendor.text(details, "cause"), vendor.text(details, "description")


def _refund_told(refund: Resource, event: Resource) -> RefundTold | None:
    """What became of a refund; nothing of what was paid back because nobody waited for it."""
    metadata = vendor.strings(refund)
    if metadata.get(_KEY, "").startswith(_CANCEL):
        return None
    outcome = _refund_outcome(refund)
    if outcome.refund_status is RefundStatus.FAILED:
        code, message = _why(event)
        outcome = replace(outcome, error_code=code or outcome.status, error_message=message)
    return RefundTold(
        outcome=outcome,
        provider_payment_id=vendor.text(vendor.part(refund, "links"), "payment"),
        metadata=metadata,
    )


async def _saved(api: Api, mandate: Resource) -> MethodSaved:
    links = vendor.part(mandate, "links")
    account: Resource = {}
    if (account_id := vendor.text(links, "customer_bank_account")) is not None:
        account = await vendor.get(api, "customer_bank_accounts", account_id)
    found = {
        "type": vendor.text(mandate, "scheme"),
        "brand": vendor.text(account, "bank_name"),
        "last4": vendor.text(account, "account_number_ending"),
    }
    return MethodSaved(
        provider_method_id=str(mandate["id"]),
        provider_customer_id=vendor.text(links, "customer"),
        details={name: value for name, value in found.items() if value is not None},
    )


async def _mandate_of(api: Api, order: Order) -> str | None:
    if order.provider_customer_id is None:
        return None
    mandate = await _live_mandate(api, order.provider_customer_id)
    return None if mandate is None else str(mandate["id"])


async def _live_mandate(api: Api, customer_id: str) -> Resource | None:
    async for mandate in vendor.each_of(api, "mandates", {"customer": customer_id}):
        if mandate.get("status") in LIVE_MANDATES:
            return mandate
    return None


async def _find_payment(api: Api, order: Order) -> Resource | None:
    """A payment by its name, else by what it was asked for with; None for one that never was."""
    if order.provider_payment_id is not None:
        return await vendor.get(api, "payments", order.provider_payment_id)
    if order.provider_customer_id is None:
        return None
    async for payment in vendor.each_of(api, "payments", {"customer": order.provider_customer_id}):
        if vendor.strings(payment).get("lago_payment_id") == str(order.payment_id):
            return payment
    return None


async def _call_off(api: Api, payment_id: str) -> Resource:
    """Cancel a payment; what it is then, which may be at the banks."""
    try:
        return vendor.one(
            await api.ask("POST", f"/payments/{segment(payment_id)}/actions/cancel", {}), "payments"
        )
    except RefusedByVendor as refused:
        if refused.code != "cancellation_failed":
            raise
    return await vendor.get(api, "payments", payment_id)


async def _pay_back(
    api: Api, payment: Resource, amount_cents: int, *, key: str, metadata: Mapping[str, str]
) -> Resource:
    """A refund, made unless there is one with this key. Raises `ProviderUnavailable` when another came between."""
    payment_id = str(payment["id"])
    async for refund in vendor.each_of(api, "refunds", {"payment": payment_id}):
        if vendor.strings(refund).get(_KEY) == key:
            return refund
    asked = {
        "amount": amount_cents,
        "total_amount_confirmation": int(payment.get("amount_refunded") or 0) + amount_cents,
        "metadata": {_KEY: key, **dict(list(metadata.items())[:2])},
        "links": {"payment": payment_id},
    }
    try:
        return await vendor.create(api, "refunds", asked, key=key)
    except RefusedByVendor as refused:
        if refused.code == "total_amount_confirmation_invalid":
            raise ProviderUnavailable("something else of the payment was paid back meanwhile") from None
        raise


def _customer(person: Person) -> dict[str, Any]:
    """A customer as GoCardless takes them: by a company's name, for a person's parts are not known apart.

    A region of the United States has two letters there.
    """
    is_region = person.country != "US" or len(person.state or "") == 2
    told = {
        "company_name": person.name or person.external_id,
        "email": person.email,
        "address_line1": person.address_line1,
        "address_line2": person.address_line2,
        "city": person.city,
        "postal_code": person.zipcode,
        "region": person.state if is_region else None,
        "country_code": person.country,
    }
    metadata = {"lago_customer_id": str(person.customer_id), "external_customer_id": person.external_id}
    return {**{name: value for name, value in told.items() if value}, "metadata": metadata}


def _metadata(order: Order) -> dict[str, str]:
    """What a payment is known by when it is told of: three names are all that GoCardless keeps."""
    known = {"lago_payment_id": str(order.payment_id), **order.metadata}
    others = (
        ("lago_invoice_id", "lago_customer_id")
        if "lago_invoice_id" in known
        else ("lago_payable_id", "lago_payable_type")
    )
    return {name: known[name] for name in ("lago_payment_id", *others) if name in known}


def _outcome(payment: Resource) -> Outcome:
    word = str(payment.get("status"))
    return Outcome(payment_status=status_of(word), status=word, provider_payment_id=str(payment["id"]))


def _failed(message: str, code: str | None) -> Outcome:
    return Outcome(
        payment_status=PaymentStatus.FAILED, status="failed", error_code=code, error_message=message
    )


def _refund_outcome(refund: Resource) -> RefundOutcome:
    word = str(refund.get("status"))
    return RefundOutcome(
        refund_status=refund_status_of(word), status=word, provider_refund_id=str(refund["id"])
    )
