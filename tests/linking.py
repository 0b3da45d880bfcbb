"""A payment provider that tests control, as far as connections and links go, and small words for connecting."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.kit import call

from tallymark.rooms.payment_providers.model import (
    Abilities,
    Connection,
    Heard,
    Link,
    LinkFailed,
    MethodLost,
    MethodSaved,
    Person,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

STRIPE = {"kind": "stripe", "code": "stripe-eu", "name": "Stripe Europe", "secret_key": "sk_test_51_abcd4242"}

ALL_OF_IT = Abilities(
    keeps_customers=True,
    follows_customers=True,
    saves_methods=True,
    charges=True,
    has_pages=True,
    refunds=True,
    takes_transfers=True,
)
AWAY = ProviderUnavailable("nobody there")


class Adapter:
    """Remembers what it was asked, and says what it is told to: no, nothing, or what was asked for."""

    def __init__(self, abilities: Abilities = ALL_OF_IT) -> None:
        self.abilities = abilities
        self.be()

    def be(self, **says: Any) -> None:
        """Say so from now on: `open=ProviderRefused(...)`, or whatever is to be answered."""
        self.says = says
        self.asked: list[tuple[Any, ...]] = []
        self.known: MethodSaved | None = None

    async def _answer(self, what: str, *about: Any, otherwise: Any = None) -> Any:
        self.asked.append((what, *about))
        answer = self.says.get(what, otherwise)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        learned = {
            **connection.secrets,
            "webhook_secret": connection.secrets.get("webhook_secret", "whsec_1"),
        }
        answer = await self._answer(
            "open", connection, inbound_url, otherwise=replace(connection, secrets=learned)
        )
        assert isinstance(answer, Connection)
        return answer

    async def close(self, connection: Connection) -> None:
        await self._answer("close", connection)

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        del connection
        found: str | None = await self._answer("create", person, otherwise=f"cus_{person.external_id}")
        return found

    async def update_customer(self, connection: Connection, person: Person) -> None:
        del connection
        await self._answer("update", person)

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        del connection
        answer = await self._answer(
            "setup", person, otherwise=Link(url=f"https://pay.test/{person.external_id}")
        )
        assert isinstance(answer, Link)
        return answer

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        del connection
        found: MethodSaved | None = await self._answer("known", person, otherwise=self.known)
        return found

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> list[dict[str, str]]:
        del connection
        own = {
            "account_holder": "Stripe Ltd",
            "iban": f"{currency} of {person.provider_customer_id}",
            "bic": "SXPYDEHH",
        }
        found: list[dict[str, str]] = await self._answer("accounts", person, currency, otherwise=[own])
        return found

    def verify(self, connection: Connection, headers: Any, body: bytes) -> None:
        del body
        if headers.get("signature") != connection.secrets.get("webhook_secret"):
            raise BadSignature

    async def understand(self, connection: Connection, body: bytes) -> list[Heard]:
        del connection
        told = json.loads(body)
        kinds = {"saved": MethodSaved, "lost": MethodLost, "failed": LinkFailed}
        return [kinds[name](**about) for name, about in told.items()]


def asked(adapter: Adapter, what: str) -> list[Any]:
    """About whom, or with what, it was asked so."""
    return [about[0] for name, *about in adapter.asked if name == what]


async def connect(browser: Any, *, expect: int = 200, **more: Any) -> Any:
    """Connect to a provider, Stripe unless another kind is named."""
    body = {"payment_provider": {**(STRIPE if "kind" not in more else {}), **more}}
    answer = await call(browser, "POST", "/payment_providers", body, expect=expect)
    return answer["payment_provider"] if expect == 200 else answer


REFUSED = ProviderRefused("No such thing.", code="resource_missing")
