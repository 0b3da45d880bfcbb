"""The accounts at Stripe to which a customer sends money: virtual ones of their own, which stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import stripe

from tallymark.integrations.payments.stripe.calls import ask, plain
from tallymark.integrations.payments.stripe.methods import funding
from tallymark.rooms.payment_providers.model import BankAccount, Person
from tallymark.rooms.payment_providers.ports import ProviderRefused

_NAMES = {
    "account_holder_name": "account_holder",
    "account_number": "account_number",
    "account_type": "account_type",
    "bank_code": "bank_code",
    "bank_name": "bank_name",
    "bic": "bic",
    "branch_code": "branch_code",
    "branch_name": "branch_name",
    "clabe": "clabe",
    "iban": "iban",
    "routing_number": "routing_number",
    "sort_code": "sort_code",
    "swift_code": "swift_code",
}
"""What Stripe calls the parts of an address that money is sent to, whatever its type, and how we do."""

_PLACES = ("account_holder_address", "bank_address")
_ASK_WHERE = frozenset({"aba", "swift"})
"""Whoever wires money to the United States is asked where the account and its holder are."""


async def to_fund(client: stripe.StripeClient, person: Person, currency: str) -> Sequence[BankAccount]:
    """The accounts that fund a customer's balance in a currency; asked again, Stripe tells the same. Raises `ProviderRefused`."""
    if person.provider_customer_id is None:
        raise ProviderRefused("The customer is not known to Stripe", code="missing_payment_provider_customer")
    told = plain(
        await ask(
            client.v1.customers.funding_instructions.create_async,
            person.provider_customer_id,
            params={"currency": currency.lower(), **funding(person, currency)},
        )
    )
    found = [_account(one) for one in told["bank_transfer"]["financial_addresses"]]
    if not any(found):
        raise ProviderRefused("Stripe names no account to send money to", code="payment_provider_error")
    return found


def _account(address: Mapping[str, Any]) -> BankAccount:
    """One of several: its type is also the name of what it has."""
    kind = str(address["type"])
    told = address.get(kind) or {}
    found = {name: str(told[theirs]) for theirs, name in _NAMES.items() if told.get(theirs)}
    if kind in _ASK_WHERE:
        found |= {name: line for name in _PLACES if (line := _line(told.get(name) or {}))}
    return found


def _line(place: Mapping[str, Any]) -> str:
    town = " ".join(place[name] for name in ("postal_code", "city") if place.get(name))
    parts = (place.get("line1"), place.get("line2"), town, place.get("state"), place.get("country"))
    return ", ".join(part for part in parts if part)
