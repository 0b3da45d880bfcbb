"""How MoneyHash's intents, transactions and cards are read, in its answers and in its events.

An answer holds them under `data`, an event under `data` or by themselves; an amount is a number, a text, or an object of
`value` and `currency`. Which of these comes depends on the version of the account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tallymark.integrations.payments.events import is_one_time, metadata_of, part, read_event
from tallymark.integrations.payments.units import told_cents
from tallymark.rooms.payment_providers.model import (
    Heard,
    MethodLost,
    MethodSaved,
    Outcome,
    PaymentStatus,
    PaymentTold,
    Unknown,
)
from tallymark.rooms.payment_providers.ports import ProviderRefused

SETUP, CANCELED = "setup", "canceled"
"""What an intent is marked with that is for no invoice."""

STATUSES: Mapping[str, PaymentStatus] = {
    "PENDING": PaymentStatus.PROCESSING,
    "PENDING_AUTHENTICATION": PaymentStatus.PROCESSING,
    "UNPROCESSED": PaymentStatus.PROCESSING,
    "SUCCESSFUL": PaymentStatus.SUCCEEDED,
    "PROCESSED": PaymentStatus.SUCCEEDED,
    "FAILED": PaymentStatus.FAILED,
}
"""§11.5."""

_OVER = frozenset({"TIME_EXPIRED", "EXPIRED", "CLOSED"})
"""States of an intent that nothing was paid by, and nothing will be."""

_PAID_BACK = frozenset({"FULLY_REFUNDED", "VOIDED"})

_OF_INTENTS = {
    "intent.processed": "PROCESSED",
    "intent.time_expired": "TIME_EXPIRED",
    "intent.closed": "CLOSED",
}
_OF_TRANSACTIONS = "transaction.purchase."
_CARD_NEW, _CARD_CHANGED = "card_token.created", "card_token.updated"
_CARD_LOST = "card_token.deleted"


def intent_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The intent that an answer holds."""
    data = part(answer, "data")
    return part(data, "intent") or data


def intent_id(intent: Mapping[str, Any]) -> str:
    """An intent's id, by which its payment goes. Raises `ProviderRefused`."""
    name = intent.get("id")
    if not isinstance(name, str) or not name:
        raise ProviderRefused("MoneyHash tells of no intent", code="invalid_event")
    return name


def is_open(intent: Mapping[str, Any]) -> bool:
    """Whether something can still be paid by an intent."""
    return intent.get("status") != "PROCESSED" and intent.get("status") not in _OVER


def paid_transaction(intent: Mapping[str, Any]) -> str | None:
    """The transaction that an intent was paid by; None while none was, or once it is paid back. Raises `ProviderRefused`."""
    transaction = part(intent, "active_transaction") or part(intent, "transaction")
    if intent.get("status") != "PROCESSED" or transaction.get("status") in _PAID_BACK:
        return None
    name = transaction.get("id")
    if not isinstance(name, str):
        raise ProviderRefused("MoneyHash does not tell what an intent was paid by", code="invalid_answer")
    return name


def outcome_of(intent: Mapping[str, Any]) -> Outcome:
    """What became of the payment that an intent is (§11.5). Raises `ProviderRefused`."""
    transaction = part(intent, "active_transaction") or part(intent, "transaction")
    return _outcome(intent, str(intent.get("status")), transaction)


def _outcome(intent: Mapping[str, Any], status: str, transaction: Mapping[str, Any]) -> Outcome:
    if status not in _OVER and status != "PROCESSED" and transaction.get("status") is not None:
        status = str(transaction["status"])
    found = PaymentStatus.FAILED if status in _OVER else STATUSES.get(status, PaymentStatus.PROCESSING)
    if found is PaymentStatus.SUCCEEDED and part(intent, "payment_status").get("status") == "AUTHORIZED":
        # A flow that only authorizes has taken no money yet.
        found, status = PaymentStatus.PROCESSING, "AUTHORIZED"
    failure = transaction.get("custom_message") if found is PaymentStatus.FAILED else None
    return Outcome(
        payment_status=found,
        status=status,
        provider_payment_id=intent_id(intent),
        error_message=failure if isinstance(failure, str) and failure else None,
    )


def understand(body: bytes) -> Sequence[Heard]:
    """What an event tells (§12.3). Raises `ProviderRefused` for what can't be read."""
    event = read_event(body)
    kind, told = str(event.get("type")), part(event, "data") or event
    if kind in (_CARD_NEW, _CARD_CHANGED):
        # A card that a bank renews is not one that its customer prefers from now on.
        return (replace(_card(told), is_default=kind == _CARD_NEW),)
    if kind == _CARD_LOST:
        return (MethodLost(provider_method_id=_card_id(told)),)
    if kind in _OF_INTENTS:
        return _payment(told, status=_OF_INTENTS[kind])
    if kind.startswith(_OF_TRANSACTIONS):
        return _payment(told, status=kind.removeprefix(_OF_TRANSACTIONS).upper())
    return (Unknown(event_type=kind),)


def _payment(told: Mapping[str, Any], *, status: str) -> Sequence[Heard]:
    """What an intent or its transaction came to.

    Of a page only what was paid is told: what fails there is tried again there, and the payment goes by the same intent.
    """
    intent = {"id": told.get("intent_id"), **part(told, "intent")}
    transaction = part(told, "transaction") or part(intent, "active_transaction")
    metadata = metadata_of(intent, "custom_fields") or metadata_of(transaction, "custom_fields")
    if metadata.get("payment_type") in (SETUP, CANCELED):
        return ()
    outcome = _outcome(intent, status, {**transaction, "status": status})
    if is_one_time(metadata) and outcome.payment_status is not PaymentStatus.SUCCEEDED:
        return ()
    value, code = _money(intent) or _money(transaction) or (None, None)
    return (
        PaymentTold(
            outcome=outcome,
            metadata=metadata,
            amount_cents=None if value is None else told_cents(value, code),
            currency=code,
        ),
    )


def _money(found: Mapping[str, Any]) -> tuple[object, str] | None:
    """An amount and its currency; None where either is not told."""
    amount = part(found, "amount")
    value = amount.get("value") if amount else found.get("amount")
    code = amount.get("currency") if amount else found.get("amount_currency")
    return (value, code) if value is not None and isinstance(code, str) else None


def _card(told: Mapping[str, Any]) -> MethodSaved:
    card = part(told, "card_token") or told
    whose = (
        part(card, "customer").get("id"),
        card.get("customer"),
        card.get("customer_id"),
        told.get("customer_id"),
    )
    customer_id = next((name for name in whose if isinstance(name, str) and name), None)
    if customer_id is None:
        raise ProviderRefused("MoneyHash does not tell whose card it is", code="invalid_event")
    month, year = card.get("expiry_month"), card.get("expiry_year")
    details = {
        "type": "card",
        "brand": card.get("brand"),
        "last4": card.get("last_4"),
        "expires": f"{month}/{year}" if month and year else None,
    }
    return MethodSaved(
        provider_method_id=_card_id(told),
        provider_customer_id=customer_id,
        details={name: str(value) for name, value in details.items() if value},
    )


def _card_id(told: Mapping[str, Any]) -> str:
    card = part(told, "card_token") or told
    name = card.get("id") or told.get("card_token_id")
    if not isinstance(name, str) or not name:
        raise ProviderRefused("MoneyHash tells of no card", code="invalid_event")
    return name
