"""Payments and refunds at Stripe: asked for once, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import stripe

from tallymark.integrations.payments.stripe.amounts import Inexpressible, to_stripe
from tallymark.integrations.payments.stripe.calls import Refused, Stuck, ask, plain, was_replayed
from tallymark.integrations.payments.stripe.methods import (
    CUSTOMER_BALANCE,
    pays_by_transfer,
    transfer_options,
    types_for,
)
from tallymark.integrations.payments.stripe.pages import where_to
from tallymark.integrations.payments.units import NOT_EXACT
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.payment_providers.model import (
    Connection,
    Order,
    Outcome,
    PaymentStatus,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
)
from tallymark.rooms.payment_providers.ports import ProviderRefused

STATUSES = {
    "processing": PaymentStatus.PROCESSING,
    "requires_capture": PaymentStatus.PROCESSING,
    "requires_action": PaymentStatus.PROCESSING,
    "requires_confirmation": PaymentStatus.PROCESSING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.FAILED,
    "requires_payment_method": PaymentStatus.FAILED,
}
"""What Stripe's words for a payment come to (§11.5)."""

_REFUND_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
"""And those for a refund, where it is decided (§14)."""

_REASONS = {
    "duplicated_charge": "duplicate",
    "fraudulent_charge": "fraudulent",
    "product_unsatisfactory": "requested_by_customer",
    "order_change": "requested_by_customer",
    "order_cancellation": "requested_by_customer",
}

AUTHENTICATION_REQUIRED = "authentication_required"

_REMEMBERED = timedelta(hours=20)
"""Stripe remembers a key for 24 hours; this is less, whatever the clocks say."""

_KEY = "tallymark_key"
"""Under this name a refund's metadata have the key that it was asked for by."""


async def charge(client: stripe.StripeClient, connection: Connection, order: Order) -> Outcome:
    """Ask for a payment, without the customer where that is possible (§11.3)."""
    if order.provider_payment_id is not None:
        return outcome_of(await _read(client, order.provider_payment_id))
    if _may_be_forgotten(order.payment_id) and (found := await _find(client, order)) is not None:
        return outcome_of(found)
    try:
        params = _charge_params(order)
    except (Inexpressible, ProviderRefused) as error:
        code = error.code if isinstance(error, ProviderRefused) else NOT_EXACT
        return _failed(code, str(error))
    without_customer = {"off_session": True, "error_on_requires_action": True}
    with_customer = {"return_url": where_to(connection)}
    is_india = order.person is not None and order.person.country == "IN"
    is_left = is_india or pays_by_transfer(order.person)
    waits = bool(connection.options.get("supports_3ds")) or order.waits_for_customer
    try:
        try:
            return await _confirm(
                client, {**params, **(with_customer if is_left else without_customer)}, order.idempotency_key
            )
        except Refused as refused:
            if refused.code != AUTHENTICATION_REQUIRED or not waits:
                raise
        return await _confirm(client, {**params, **with_customer}, f"{order.idempotency_key}-on-session")
    except Refused as refused:
        return await _refusal(client, order, refused)
    except Stuck:
        if (found := await _find(client, order)) is None:
            raise
        return outcome_of(found)


async def cancel(client: stripe.StripeClient, order: Order) -> None:
    """Take back whatever was asked for by an order: what is pending is canceled, what came in is paid back in full.

    A debit that a bank has in hand can be neither; it is told of once it came in, and asked to be taken back then.
    """
    if order.provider_payment_id is not None:
        await _take_back(client, await _read(client, order.provider_payment_id))
    async for intent in _intents_of(client, order):
        if intent["id"] != order.provider_payment_id:
            await _take_back(client, intent)


async def refund(client: stripe.StripeClient, order: RefundOrder) -> RefundOutcome:
    """Pay back a part of a payment. A refund that the same key asked for is told of, however long ago that was."""
    made = await ask(
        client.v1.refunds.list_async, params={"payment_intent": order.provider_payment_id, "limit": 100}
    )
    async for one in made.auto_paging_iter():
        known = plain(one)
        if (known.get("metadata") or {}).get(_KEY) == order.idempotency_key:
            return refund_outcome_of(known)
    reason = _REASONS.get(order.reason or "")
    try:
        params: dict[str, Any] = {
            "payment_intent": order.provider_payment_id,
            "amount": to_stripe(order.amount_cents, order.currency),
            "metadata": {**order.metadata, _KEY: order.idempotency_key},
            **({"reason": reason} if reason else {}),
        }
        answer = await ask(client.v1.refunds.create_async, params=params, key=order.idempotency_key)
    except Inexpressible as error:
        return RefundOutcome(
            refund_status=RefundStatus.FAILED,
            status="failed",
            error_code=NOT_EXACT,
            error_message=str(error),
        )
    except Refused as refused:
        if refused.is_unauthorized:
            raise
        return RefundOutcome(
            refund_status=RefundStatus.FAILED,
            status="failed",
            error_code=refused.code,
            error_message=refused.message,
        )
    return refund_outcome_of(plain(answer))


def outcome_of(intent: Mapping[str, Any]) -> Outcome:
    """What a payment intent says of a payment (§11.5)."""
    status = str(intent["status"])
    error = intent.get("last_payment_error") or {}
    found = STATUSES.get(status, PaymentStatus.PENDING)
    is_failed = found is PaymentStatus.FAILED
    return Outcome(
        payment_status=found,
        status=status,
        provider_payment_id=intent["id"],
        error_code=(error.get("code") or intent.get("cancellation_reason")) if is_failed else None,
        error_message=error.get("message") if is_failed else None,
        next_action=intent.get("next_action"),
    )


def refund_outcome_of(made: Mapping[str, Any]) -> RefundOutcome:
    """What a refund says of itself (§14)."""
    status = str(made.get("status") or "pending")
    return RefundOutcome(
        refund_status=_REFUND_STATUSES.get(status, RefundStatus.PENDING),
        status=status,
        provider_refund_id=made["id"],
        error_code=made.get("failure_reason"),
    )


def _charge_params(order: Order) -> dict[str, Any]:
    """What is asked for; it is the same each time. Raises `Inexpressible`, `ProviderRefused`."""
    params: dict[str, Any] = {
        "amount": to_stripe(order.amount_cents, order.currency),
        "currency": order.currency.lower(),
        "customer": order.provider_customer_id,
        "payment_method_types": types_for(order.person, order.currency),
        "confirm": True,
        "description": order.reference,
        "metadata": {**order.metadata, "lago_payment_id": str(order.payment_id)},
    }
    if pays_by_transfer(order.person):
        params["payment_method_data"] = {"type": CUSTOMER_BALANCE}
        params["payment_method_options"] = transfer_options(order.person, order.currency)
    else:
        params["payment_method"] = order.provider_method_id
    return params


async def _confirm(client: stripe.StripeClient, params: Mapping[str, Any], key: str) -> Outcome:
    intent = await ask(client.v1.payment_intents.create_async, params=params, key=key)
    return outcome_of(await _read(client, intent.id) if was_replayed(intent) else plain(intent))


async def _refusal(client: stripe.StripeClient, order: Order, refused: Refused) -> Outcome:
    """What a refusal means for a payment. Raises it where it is of the connection's key."""
    if refused.is_unauthorized:
        raise refused
    if refused.is_clash:
        # Something was asked for by this key, with what has changed since: what came of that counts.
        found = await _find(client, order)
        if found is not None:
            return outcome_of(found)
        return _failed("idempotency_error", refused.message, leaves_payable=True)
    return Outcome(
        payment_status=PaymentStatus.FAILED,
        status=str(refused.intent.get("status") or "failed"),
        provider_payment_id=refused.intent.get("id"),
        error_code=refused.code,
        error_message=refused.message,
        leaves_payable=refused.code == "amount_too_small",
    )


def _failed(code: str | None, message: str, *, leaves_payable: bool = False) -> Outcome:
    return Outcome(
        payment_status=PaymentStatus.FAILED,
        status="failed",
        error_code=code,
        error_message=message,
        leaves_payable=leaves_payable,
    )


async def _read(client: stripe.StripeClient, intent_id: str) -> dict[str, Any]:
    return plain(await ask(client.v1.payment_intents.retrieve_async, intent_id))


async def _find(client: stripe.StripeClient, order: Order) -> Mapping[str, Any] | None:
    """What was asked for by an order before, the latest of it."""
    async for intent in _intents_of(client, order):
        return intent
    return None


async def _intents_of(client: stripe.StripeClient, order: Order) -> AsyncIterator[Mapping[str, Any]]:
    """All that was asked for by an order, the latest first: an hour is left for clocks that differ."""
    if order.provider_customer_id is None:
        return
    params: dict[str, Any] = {"customer": order.provider_customer_id, "limit": 100}
    if (since := _made_at(order.payment_id)) is not None:
        params["created"] = {"gte": int((since - timedelta(hours=1)).timestamp())}
    page = await ask(client.v1.payment_intents.list_async, params=params)
    while True:
        for intent in map(plain, page.data):
            if (intent.get("metadata") or {}).get("lago_payment_id") == str(order.payment_id):
                yield intent
        if not page.has_more:
            return
        params["starting_after"] = page.data[-1].id
        page = await ask(client.v1.payment_intents.list_async, params=params)


async def _take_back(client: stripe.StripeClient, intent: Mapping[str, Any]) -> None:
    if intent["status"] not in ("succeeded", "canceled"):
        try:
            await ask(client.v1.payment_intents.cancel_async, intent["id"])
        except Refused as refused:
            if refused.is_unauthorized:
                raise
            intent = await _read(client, intent["id"])
    if intent["status"] != "succeeded":
        return
    try:
        await ask(
            client.v1.refunds.create_async,
            params={"payment_intent": intent["id"]},
            key=f"cancel-{intent['id']}",
        )
    except Refused as refused:
        if refused.code != "charge_already_refunded":
            raise


def _made_at(payment_id: UUID) -> datetime | None:
    """When a payment was made, by its id; None where that does not tell."""
    if payment_id.version != 7:
        return None
    return datetime.fromtimestamp((payment_id.int >> 80) / 1000, UTC)


def _may_be_forgotten(payment_id: UUID) -> bool:
    """Whether a payment is so old that its key may have been asked for when Stripe no longer knows of it."""
    made = _made_at(payment_id)
    return made is None or system_now() - made > _REMEMBERED
