"""Payment methods at Stripe: which there are, which may be used for what, and what may be shown of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import stripe

from tallymark.integrations.payments.stripe.calls import Refused, ask, plain
from tallymark.rooms.payment_providers.model import MethodSaved, Person
from tallymark.rooms.payment_providers.ports import ProviderRefused

CUSTOMER_BALANCE = "customer_balance"
"""Customers who send money to a balance of theirs, by bank."""

NEVER_SAVED = frozenset({"crypto", CUSTOMER_BALANCE})
"""What needs no setup (§12.2)."""

_CURRENCY = {
    "bacs_debit": "GBP",
    "boleto": "BRL",
    "crypto": "USD",
    "sepa_debit": "EUR",
    "us_bank_account": "USD",
}
"""What is paid in one currency only: Stripe refuses whatever else is asked for beside it."""

_EURO_COUNTRIES = frozenset({"BE", "DE", "ES", "FR", "IE", "NL"})
_TRANSFERS = {
    "USD": "us_bank_transfer",
    "GBP": "gb_bank_transfer",
    "JPY": "jp_bank_transfer",
    "MXN": "mx_bank_transfer",
}


def types_of(person: Person | None) -> Sequence[str]:
    """What a customer may pay by (§12.2)."""
    return (person.provider_payment_methods if person else ()) or ("card",)


def types_for(person: Person | None, currency: str) -> Sequence[str]:
    """What a customer may pay an amount by; all they may pay by where nothing fits, for Stripe to say why it does not."""
    types = types_of(person)
    return [kind for kind in types if _CURRENCY.get(kind, currency) == currency] or types


def pays_by_transfer(person: Person | None) -> bool:
    """Whether a customer pays by bank transfers alone."""
    return tuple(types_of(person)) == (CUSTOMER_BALANCE,)


def transfer_options(person: Person | None, currency: str) -> Mapping[str, Any]:
    """How a payment is made from a balance. Raises as `funding` does."""
    return {CUSTOMER_BALANCE: funding(person, currency)}


def funding(person: Person | None, currency: str) -> dict[str, Any]:
    """How money is sent to a balance. Raises `ProviderRefused`: euros need a country in which the account is (§12.2)."""
    kind = _TRANSFERS.get(currency)
    transfer: dict[str, Any] = {"type": kind}
    if currency == "EUR":
        transfer = {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": _euro_country(person)}}
    elif kind is None:
        raise ProviderRefused(f"Stripe takes no bank transfers in {currency}", code="unsupported_currency")
    return {"funding_type": "bank_transfer", "bank_transfer": transfer}


def _euro_country(person: Person | None) -> str:
    for country in (person.country, person.entity_country) if person else ():
        if country in _EURO_COUNTRIES:
            return country
    raise ProviderRefused(
        "Bank transfers in euros need a customer or a billing entity in Belgium, France, Germany, Ireland, the Netherlands or Spain",
        code="missing_country",
    )


async def known(client: stripe.StripeClient, customer_id: str) -> MethodSaved | None:
    """The method that a customer has: their default, else their latest card."""
    customer = plain(await ask(client.v1.customers.retrieve_async, customer_id))
    method_id = default_of(customer)
    if method_id is None:
        cards = await ask(
            client.v1.payment_methods.list_async,
            params={"customer": customer_id, "type": "card", "limit": 1},
        )
        method_id = cards.data[0].id if cards.data else None
    return await saved(client, customer_id, method_id) if method_id else None


def default_of(customer: Mapping[str, Any]) -> str | None:
    """The default method of a customer, or the source that was one before there were methods."""
    settings = customer.get("invoice_settings") or {}
    return settings.get("default_payment_method") or customer.get("default_source")


async def saved(client: stripe.StripeClient, customer_id: str, method_id: str) -> MethodSaved | None:
    """A method with what may be shown of it; None for one that is gone."""
    try:
        method = plain(await ask(client.v1.payment_methods.retrieve_async, method_id))
    except Refused as refused:
        if not refused.is_missing:
            raise
        return None
    return MethodSaved(
        provider_method_id=method_id, provider_customer_id=customer_id, details=_details(method)
    )


def _details(method: Mapping[str, Any]) -> Mapping[str, str]:
    kind = str(method["type"])
    told = method.get(kind) or {}
    expires = f"{told['exp_month']:02}/{told['exp_year']}" if told.get("exp_month") else None
    found = {
        "type": kind,
        "brand": told.get("brand") or told.get("bank_name"),
        "last4": told.get("last4"),
        "expires": expires,
    }
    return {name: str(value) for name, value in found.items() if value}
