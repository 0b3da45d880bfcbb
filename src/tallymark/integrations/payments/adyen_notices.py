"""Adyen's standard notifications: whether they are its own, and what they tell (wallets-and-payments §12.3, §14).

Each item is signed by itself: HMAC-SHA256, with the key that is written in hexadecimal, over eight of its fields with colons between
them, none escaped. All other fields are as trustworthy as the connection that they came by.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tallymark.integrations.payments.http import read_json
from tallymark.integrations.payments.units import from_vendor
from tallymark.rooms.payment_providers.model import (
    DisputeLost,
    Heard,
    LinkFailed,
    MethodSaved,
    Outcome,
    PaymentStatus,
    PaymentTold,
    RefundOutcome,
    RefundStatus,
    RefundTold,
    Unknown,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused

Item = Mapping[str, Any]

IGNORED = frozenset({"OFFER_CLOSED", "REPORT_AVAILABLE", "RECURRING_CONTRACT"})
"""What nothing follows from."""

DISPUTES = frozenset({"CHARGEBACK", "SECOND_CHARGEBACK", "PREARBITRATION_LOST"})
"""What says that a payment was taken back; for good, where the dispute is lost."""

_SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")


def verify(key: str, body: bytes) -> None:
    """See whether each item of a notification is signed with a key. Raises `BadSignature`, also without a key or an item."""
    try:
        secret, items = bytes.fromhex(key), _items(body)
    except ValueError:
        raise BadSignature("the key or the notification cannot be read") from None
    if not secret or not items:
        raise BadSignature("there is no key, or nothing to verify")
    for item in items:
        given = _extra(item).get("hmacSignature")
        if not isinstance(given, str) or not hmac.compare_digest(sign(secret, item).encode(), given.encode()):
            raise BadSignature("an item is not signed with this key")


def sign(secret: bytes, item: Item) -> str:
    """The signature that an item should have."""
    amount = item.get("amount") or {}
    fields = [item.get(name) for name in _SIGNED]
    fields += [amount.get("value"), amount.get("currency"), item.get("eventCode"), _success(item)]
    text = ":".join("" if field is None else str(field) for field in fields)
    return base64.b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode()


def understand(merchant_account: str, body: bytes, decimals_of: Callable[[str], int]) -> Sequence[Heard]:
    """What the items of a notification tell; nothing of another merchant account, which may share the key."""
    heard: list[Heard] = []
    for item in _items(body):
        if str(item.get("merchantAccountCode")).casefold() == merchant_account.casefold():
            heard += _tell(item, decimals_of)
    return heard


def _tell(item: Item, decimals_of: Callable[[str], int]) -> Sequence[Heard]:
    code = str(item.get("eventCode"))
    succeeded = _success(item) == "true"
    match code:
        case "AUTHORISATION" if (item.get("amount") or {}).get("value") == 0:
            return [_method(item, succeeded=succeeded)]
        case "AUTHORISATION":
            return [_payment(item, decimals_of, succeeded=succeeded)]
        case "CANCELLATION":
            return [_undone(item, "Cancelled")] if succeeded else []
        case "CANCEL_OR_REFUND":
            return _reversal(item, succeeded=succeeded)
        case "CAPTURE_FAILED":
            # Nothing changes for what counts as paid already (§11.5): that no money comes should not go unseen.
            return [_undone(item, "CaptureFailed"), Unknown(event_type=code)]
        case "REFUND":
            return [_refund(item, succeeded=succeeded)]
        case "REFUND_FAILED":
            return [_refund(item, succeeded=False)]
        case _ if code in DISPUTES:
            is_lost = _extra(item).get("disputeStatus") == "Lost"
            paid = _text(item, "originalReference")
            return (
                [DisputeLost(provider_payment_id=paid, reason=_text(item, "reason"))]
                if is_lost and paid
                else []
            )
        case _ if code in IGNORED:
            return []
        case _:
            return [Unknown(event_type=code)]


def _method(item: Item, *, succeeded: bool) -> Heard:
    """A card that was stored, or was not, by a payment of nothing (§12.2)."""
    extra = _extra(item)
    shopper = (
        _text(extra, "recurring.shopperReference")
        or _text(extra, "tokenization.shopperReference")
        or _text(extra, "shopperReference")
        or _text(extra, "metadata.external_customer_id")
    )
    if shopper is None:
        return Unknown(event_type="AUTHORISATION without recurring.shopperReference")
    if not succeeded:
        return LinkFailed(external_id=shopper, error_code="Refused", error_message=_text(item, "reason"))
    method = _text(extra, "recurring.recurringDetailReference") or _text(
        extra, "tokenization.storedPaymentMethodId"
    )
    if method is None:
        return Unknown(event_type="AUTHORISATION without recurring.recurringDetailReference")
    return MethodSaved(
        provider_method_id=method,
        provider_customer_id=shopper,
        external_id=shopper,
        links_customer=True,
        details=_details(item),
    )


def _details(item: Item) -> dict[str, str]:
    extra = _extra(item)
    found = {
        "type": "card" if _text(extra, "cardSummary") else None,
        "brand": _text(item, "paymentMethod"),
        "last4": _text(extra, "cardSummary"),
        "expires": _text(extra, "expiryDate"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _payment(item: Item, decimals_of: Callable[[str], int], *, succeeded: bool) -> Heard:
    """What became of a payment on a page, or of one that was asked for."""
    amount = item.get("amount") or {}
    currency, value = str(amount.get("currency")), amount.get("value")
    try:
        if not isinstance(value, int):
            raise ProviderRefused(f"an amount of {value!r}")
        cents = from_vendor(value, currency, decimals_of(currency))
    except ProviderRefused as refused:
        return Unknown(event_type=f"AUTHORISATION {_text(item, 'pspReference')}: {refused.message}")
    outcome = Outcome(
        payment_status=PaymentStatus.SUCCEEDED if succeeded else PaymentStatus.FAILED,
        status="Authorised" if succeeded else "Refused",
        provider_payment_id=_text(item, "pspReference"),
        error_code=None if succeeded else "Refused",
        error_message=None if succeeded else _text(item, "reason"),
    )
    return PaymentTold(outcome=outcome, metadata=_metadata(item), amount_cents=cents, currency=currency)


def _undone(item: Item, word: str) -> Heard:
    """A payment that comes to nothing after all."""
    outcome = Outcome(
        payment_status=PaymentStatus.FAILED,
        status=word,
        provider_payment_id=_text(item, "originalReference"),
        error_code=word,
        error_message=_text(item, "reason"),
    )
    return PaymentTold(outcome=outcome, metadata=_metadata(item))


def _reversal(item: Item, *, succeeded: bool) -> Sequence[Heard]:
    """What became of a payment that was to be given back. Money that stays here though nobody waits for it has to be seen."""
    if not succeeded:
        told = f"CANCEL_OR_REFUND of {_text(item, 'originalReference')} refused: {_text(item, 'reason')}"
        return [Unknown(event_type=told)]
    return [_undone(item, "Cancelled")] if _extra(item).get("modification.action") == "cancel" else []


def _refund(item: Item, *, succeeded: bool) -> Heard:
    outcome = RefundOutcome(
        refund_status=RefundStatus.SUCCEEDED if succeeded else RefundStatus.FAILED,
        status="Refunded" if succeeded else str(item.get("eventCode")),
        provider_refund_id=_text(item, "pspReference"),
        error_code=None if succeeded else str(item.get("eventCode")),
        error_message=None if succeeded else _text(item, "reason"),
    )
    metadata = _metadata(item)
    # Refunds have no metadata: their reference is the key that they were asked for with, a credit note's id.
    if (reference := _text(item, "merchantReference")) is not None:
        metadata["lago_credit_note_id"] = reference
    return RefundTold(
        outcome=outcome, provider_payment_id=_text(item, "originalReference"), metadata=metadata
    )


def _items(body: bytes) -> Sequence[Item]:
    """The items of a notification. Raises `ValueError`."""
    read = read_json(body)
    wrapped = read.get("notificationItems") if isinstance(read, dict) else None
    if not isinstance(wrapped, list):
        raise ValueError("there are no items")
    items = [entry.get("NotificationRequestItem") if isinstance(entry, dict) else None for entry in wrapped]
    if not all(isinstance(item, dict) and isinstance(item.get("amount") or {}, dict) for item in items):
        raise ValueError("an item is no object")
    return [item for item in items if item is not None]


def _extra(item: Item) -> Mapping[str, Any]:
    extra = item.get("additionalData")
    return extra if isinstance(extra, dict) else {}


def _metadata(item: Item) -> dict[str, str]:
    """What a payment was asked for with, which comes back one by one."""
    prefix = "metadata."
    return {
        name.removeprefix(prefix): str(value)
        for name, value in _extra(item).items()
        if name.startswith(prefix)
    }


def _success(item: Item) -> str:
    """A word, or a truth value, as the word."""
    return (
        str(item.get("success")).lower()
        if isinstance(item.get("success"), bool)
        else str(item.get("success"))
    )


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return str(value) if value not in (None, "") else None
