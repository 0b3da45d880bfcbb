"""What Stripe tells (§12.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import stripe

from tallymark.integrations.payments.stripe import methods
from tallymark.integrations.payments.stripe.amounts import from_stripe
from tallymark.integrations.payments.stripe.calls import ask, plain
from tallymark.integrations.payments.stripe.payments import (
    AUTHENTICATION_REQUIRED,
    outcome_of,
    refund_outcome_of,
)
from tallymark.rooms.payment_providers.model import (
    Connection,
    DisputeLost,
    Heard,
    MethodLost,
    PaymentTold,
    RefundTold,
)
from tallymark.rooms.payment_providers.ports import BadSignature

_PROCESSING = "payment_intent.processing"
_PAYMENTS = frozenset(
    {"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled", _PROCESSING}
)
_REFUNDS = frozenset({"charge.refund.updated", "refund.updated", "refund.failed"})
"""The first is told of some methods only, the others of all."""

TYPES = sorted(
    {
        "setup_intent.succeeded",
        "customer.updated",
        "payment_method.detached",
        "charge.dispute.closed",
        *_PAYMENTS,
        *_REFUNDS,
    }
)
"""What an address is registered for."""


def verify(connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
    """See whether an event is signed by the connection's secret, and not long ago. Raises `BadSignature`."""
    try:
        stripe.WebhookSignature.verify_header(
            body,
            headers.get("stripe-signature"),
            connection.secrets.get("webhook_secret"),
            stripe.Webhook.DEFAULT_TOLERANCE,
        )
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        # Its own text is enough: the error has the whole body with it.
        raise BadSignature(type(error).__name__) from None


async def understand(client: stripe.StripeClient, body: bytes) -> Sequence[Heard]:
    """What a verified event tells; nothing for one that nothing follows from."""
    event = json.loads(body)
    kind, found = str(event["type"]), event["data"]["object"]
    heard: Heard | None = None
    if kind in _PAYMENTS:
        heard = await _payment(client, kind, found)
    elif kind in _REFUNDS:
        heard = RefundTold(
            outcome=refund_outcome_of(found),
            provider_payment_id=found.get("payment_intent"),
            metadata=found.get("metadata") or {},
        )
    elif kind == "setup_intent.succeeded":
        if found.get("customer") and found.get("payment_method"):
            heard = await methods.saved(client, found["customer"], found["payment_method"])
    elif kind == "customer.updated":
        method_id = methods.default_of(found)
        if method_id and _is_default_new(event["data"]):
            heard = await methods.saved(client, found["id"], method_id)
    elif kind == "payment_method.detached":
        heard = MethodLost(provider_method_id=found["id"])
    elif kind == "charge.dispute.closed" and found["status"] == "lost" and found.get("payment_intent"):
        heard = DisputeLost(provider_payment_id=found["payment_intent"], reason=found.get("reason"))
    return [] if heard is None else [heard]


async def _payment(client: stripe.StripeClient, kind: str, intent: Mapping[str, Any]) -> PaymentTold | None:
    metadata = intent.get("metadata") or {}
    if kind == _PROCESSING:
        # Events overtake each other: one that something is under way may come when it is over.
        intent = plain(await ask(client.v1.payment_intents.retrieve_async, intent["id"]))
    outcome = outcome_of(intent)
    is_page = metadata.get("payment_type") == "one-time"
    if outcome.error_code == AUTHENTICATION_REQUIRED and not is_page:
        # The answer to the asking has told of it, and another payment may be waiting for the customer by now (§11.3).
        return None
    amount = intent.get("amount_received") or intent["amount"]
    return PaymentTold(
        outcome=outcome,
        metadata=metadata,
        amount_cents=from_stripe(amount, intent["currency"]),
        currency=str(intent["currency"]).upper(),
    )


def _is_default_new(told: Mapping[str, Any]) -> bool:
    """Whether an event tells of another default: it comes for each change of a name, too."""
    before = told.get("previous_attributes")
    return before is None or "default_source" in before or "invoice_settings" in before
