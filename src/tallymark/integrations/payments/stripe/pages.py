"""Pages of Stripe's (Checkout): on one a customer leaves a method, on another an invoice is paid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from tallymark.integrations.payments.stripe.amounts import Inexpressible, to_stripe
from tallymark.integrations.payments.stripe.calls import Refused, ask
from tallymark.integrations.payments.stripe.methods import (
    NEVER_SAVED,
    pays_by_transfer,
    transfer_options,
    types_for,
    types_of,
)
from tallymark.integrations.payments.units import NOT_EXACT
from tallymark.rooms.payment_providers.model import Connection, Link, LinkOrder, Person
from tallymark.rooms.payment_providers.ports import ProviderRefused

_MARGIN = timedelta(minutes=10)
"""How long before a page ends it is given to nobody any more."""

_INDIA = "IN"


def where_to(connection: Connection) -> str:
    """Where a customer is led when they are done; Stripe insists on some address."""
    return connection.success_redirect_url or "https://stripe.com"


async def setup(client: stripe.StripeClient, connection: Connection, person: Person) -> Link:
    """A page on which a customer leaves a method. Raises `ProviderRefused`."""
    kinds = [kind for kind in types_of(person) if kind not in NEVER_SAVED]
    if not kinds:
        raise ProviderRefused(
            "There are no payment methods to set up", code="no_payment_methods_to_setup_available"
        )
    metadata = {"lago_customer_id": str(person.customer_id), "customer_id": person.external_id}
    session = await ask(
        client.v1.checkout.sessions.create_async,
        params={
            "mode": "setup",
            "customer": _customer(person),
            "payment_method_types": kinds,
            "success_url": where_to(connection),
            "metadata": metadata,
            "setup_intent_data": {"metadata": metadata},
        },
    )
    return _link(session)


async def payment(client: stripe.StripeClient, connection: Connection, order: LinkOrder) -> Link:
    """A page on which an amount is paid, by what the customer may pay by. Raises `ProviderRefused`."""
    try:
        amount = to_stripe(order.amount_cents, order.currency)
    except Inexpressible as error:
        raise ProviderRefused(str(error), code=NOT_EXACT) from None
    price = {
        "currency": order.currency.lower(),
        "unit_amount": amount,
        "product_data": {"name": order.title},
    }
    # Nothing here may differ from one time to the next, or the key would be refused: so the page ends when Stripe ends it, after a day.
    params: dict[str, Any] = {
        "mode": "payment",
        "customer": _customer(order.person),
        "payment_method_types": types_for(order.person, order.currency),
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": where_to(connection),
        "metadata": dict(order.metadata),
        "payment_intent_data": {
            "description": order.reference,
            "metadata": dict(order.metadata),
            **({"setup_future_usage": "off_session"} if _saves(order.person) else {}),
        },
    }
    if pays_by_transfer(order.person):
        params["payment_method_options"] = transfer_options(order.person, order.currency)
    if connection.options.get("require_terms_of_service_consent"):
        params["consent_collection"] = {"terms_of_service": "required"}
    session = await ask(client.v1.checkout.sessions.create_async, params=params, key=order.idempotency_key)
    return _link(session)


async def expire(client: stripe.StripeClient, session_id: str) -> None:
    """Take a page back; one that is used or over stays as it is."""
    try:
        await ask(client.v1.checkout.sessions.expire_async, session_id)
    except Refused as refused:
        if refused.is_unauthorized:
            raise


def _saves(person: Person) -> bool:
    """Whether what is paid by is kept for the next time: what can be, and not in India, where each payment needs the customer."""
    return person.country != _INDIA and not NEVER_SAVED.intersection(types_of(person))


def _customer(person: Person) -> str:
    if person.provider_customer_id is None:
        raise ProviderRefused("The customer is not known to Stripe", code="missing_payment_provider_customer")
    return person.provider_customer_id


def _link(session: stripe.checkout.Session) -> Link:
    if not session.url:
        raise ProviderRefused("Stripe made a page without an address", code="payment_provider_error")
    ends = datetime.fromtimestamp(session.expires_at, UTC)
    return Link(url=session.url, provider_link_id=session.id, expires_at=ends - _MARGIN)
