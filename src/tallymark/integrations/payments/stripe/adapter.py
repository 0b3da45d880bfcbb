"""Stripe as a payment provider: connections, customers and their methods; payments, pages and events have modules of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import stripe

from tallymark.integrations.payments.stripe import accounts, events, methods, pages, payments
from tallymark.integrations.payments.stripe.calls import API_VERSION, Calls, Refused, ask, plain
from tallymark.rooms.payment_providers.model import (
    Abilities,
    BankAccount,
    Connection,
    Heard,
    Link,
    LinkOrder,
    MethodSaved,
    Order,
    Outcome,
    Person,
    RefundOrder,
    RefundOutcome,
)


class Stripe:
    """Implements `rooms.payment_providers.ports.PaymentProvider`.

    A connection has its `secret_key`; opening it adds the option `webhook_endpoint_id` and the secret `webhook_secret`.
    """

    abilities = Abilities(
        keeps_customers=True,
        follows_customers=True,
        saves_methods=True,
        charges=True,
        has_pages=True,
        refunds=True,
        takes_transfers=True,
    )

    def __init__(self, url: str | None = None) -> None:
        self._calls = Calls(url)

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """See whether the key is good, and have the events of §12.3 sent. Raises `ProviderRefused`."""
        client = self._calls.client(connection)
        try:
            await ask(client.v1.accounts.retrieve_current_async)
        except Refused as refused:
            # A restricted key is known to Stripe, and need not be for this.
            if not refused.is_forbidden:
                raise
        if await _moved(client, connection, inbound_url):
            return connection
        await _forget_endpoints(client, inbound_url)
        endpoint = await ask(
            client.v1.webhook_endpoints.create_async,
            params={"url": inbound_url, "enabled_events": events.TYPES, "api_version": API_VERSION},
        )
        return replace(
            connection,
            options={**connection.options, "webhook_endpoint_id": endpoint.id},
            secrets={**connection.secrets, "webhook_secret": plain(endpoint)["secret"]},
        )

    async def close(self, connection: Connection) -> None:
        """Have no more events sent."""
        endpoint_id = connection.options.get("webhook_endpoint_id")
        if not endpoint_id:
            return
        try:
            await ask(self._calls.client(connection).v1.webhook_endpoints.delete_async, endpoint_id)
        except Refused as refused:
            # A key that is taken back leaves nobody who could do it; what still comes is refused at the door.
            if not (refused.is_missing or refused.is_unauthorized):
                raise

    async def create_customer(self, connection: Connection, person: Person) -> str:
        """Make a customer, or find the one who was made: their id. Raises `ProviderRefused`.

        Stripe remembers a key for a day, and finds what is older than a few minutes by its metadata. What is asked for by the key
        is the same each time; what may change meanwhile is told afterwards.
        """
        client = self._calls.client(connection)
        customer_id = await _find_customer(client, person)
        if customer_id is None:
            made = await ask(
                client.v1.customers.create_async,
                params={"metadata": {"lago_customer_id": str(person.customer_id)}},
                key=f"customer-{connection.id}-{person.customer_id}",
            )
            customer_id = made.id
        await ask(client.v1.customers.update_async, customer_id, params=_profile(person))
        return customer_id

    async def update_customer(self, connection: Connection, person: Person) -> None:
        """Tell of a changed name or address. Raises `ProviderRefused`."""
        if person.provider_customer_id is not None:
            client = self._calls.client(connection)
            await ask(client.v1.customers.update_async, person.provider_customer_id, params=_profile(person))

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        """A page on which the customer leaves a method. Raises `ProviderRefused`."""
        return await pages.setup(self._calls.client(connection), connection, person)

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        """Their default method, else their latest card (§12.2). Raises `ProviderRefused`."""
        if person.provider_customer_id is None:
            return None
        return await methods.known(self._calls.client(connection), person.provider_customer_id)

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        """To which accounts a customer sends money (§12.2). Raises `ProviderRefused`."""
        return await accounts.to_fund(self._calls.client(connection), person, currency)

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        """Ask for a payment (§11.3). Raises `ProviderRefused` for a key that is not good."""
        return await payments.charge(self._calls.client(connection), connection, order)

    async def cancel(self, connection: Connection, order: Order) -> None:
        """See to it that nothing is collected. Raises `ProviderRefused`."""
        await payments.cancel(self._calls.client(connection), order)

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """A page on which an amount is paid (§11.4). Raises `ProviderRefused`."""
        return await pages.payment(self._calls.client(connection), connection, order)

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """Take a page back."""
        if link.provider_link_id is not None:
            await pages.expire(self._calls.client(connection), link.provider_link_id)

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Pay back (§14). Raises `ProviderRefused` for a key that is not good."""
        return await payments.refund(self._calls.client(connection), order)

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """See whether an event comes from Stripe. Raises `BadSignature`."""
        events.verify(connection, headers, body)

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What an event tells. Raises `ProviderRefused`."""
        return await events.understand(self._calls.client(connection), body)


async def _moved(client: stripe.StripeClient, connection: Connection, inbound_url: str) -> bool:
    """Whether events are sent to an address by the registration that is known; it is kept, with its secret."""
    endpoint_id = connection.options.get("webhook_endpoint_id")
    if not endpoint_id or not connection.secrets.get("webhook_secret"):
        return False
    params = {"url": inbound_url, "enabled_events": events.TYPES, "disabled": False}
    try:
        await ask(client.v1.webhook_endpoints.update_async, endpoint_id, params=params)
    except Refused as refused:
        if not refused.is_missing:
            raise
        return False
    return True


async def _forget_endpoints(client: stripe.StripeClient, url: str) -> None:
    """Delete what was registered for an address before: secrets are told once, so one that was cut off is of no use."""
    endpoints = await ask(client.v1.webhook_endpoints.list_async, params={"limit": 100})
    for endpoint in endpoints.data:
        if endpoint.url == url:
            await ask(client.v1.webhook_endpoints.delete_async, endpoint.id)


async def _find_customer(client: stripe.StripeClient, person: Person) -> str | None:
    query = f"metadata['lago_customer_id']:'{person.customer_id}'"
    try:
        found = await ask(client.v1.customers.search_async, params={"query": query, "limit": 1})
    except Refused as refused:
        if refused.is_unauthorized:
            raise
        return None  # accounts in India cannot search
    return found.data[0].id if found.data else None


def _profile(person: Person) -> dict[str, Any]:
    """A customer as Stripe is told of them; an empty text takes away what was there."""
    address = {
        "line1": person.address_line1 or "",
        "line2": person.address_line2 or "",
        "city": person.city or "",
        "postal_code": person.zipcode or "",
        "state": person.state or "",
        "country": person.country or "",
    }
    return {
        "name": person.name or "",
        "email": person.email or "",
        "phone": person.phone or "",
        "address": address if any(address.values()) else "",
        "metadata": {"lago_customer_id": str(person.customer_id), "customer_id": person.external_id},
    }
