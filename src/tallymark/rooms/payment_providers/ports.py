"""What is asked of a payment provider (wallets-and-payments §11–§14). Nothing is asked with a transaction open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

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


class ProviderUnavailable(Exception):
    """The provider did not answer, or asks for patience: ask again later, with the same key."""


class ProviderRefused(Exception):
    """The provider says no, and would say so again."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        is_unauthorized: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.details = message, code, dict(details or {})
        self.is_unauthorized = is_unauthorized


class BadSignature(Exception):
    """What came in is not from the provider, or nobody can tell."""


class PaymentProvider(Protocol):
    """One kind of provider; each call is on behalf of one connection.

    All but `verify` raise `ProviderUnavailable`; what is refused is an outcome where there is one, else `ProviderRefused`.
    """

    abilities: Abilities

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        """See whether the credentials are good, and have events sent to an address; the connection with what was learned by it.

        Called again for one whose settings change, it registers no second address.
        """

    async def close(self, connection: Connection) -> None:
        """Have no more events sent; what is gone already is no matter."""

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        """Make a customer there; their id, the same for the same person however often it is asked. None where they are linked later."""

    async def update_customer(self, connection: Connection, person: Person) -> None:
        """Tell of a changed name or address."""

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        """A page on which the customer leaves a method. Raises `ProviderRefused`."""

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        """The method that a customer has there already: their default, else their latest (Stripe, §12.2)."""

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        """To which accounts a customer sends money that invoices in a currency are taken from; the same each time (Stripe, §12.2).

        Raises `ProviderRefused`: `missing_country` for euros without a country in which the account can be.
        """

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        """Ask for a payment. What is not decided at once is pending, and told later.

        Asked again with the same idempotency key, it charges no second time and tells what came of it.
        """

    async def cancel(self, connection: Connection, order: Order) -> None:
        """See to it that nothing is collected by a payment that nobody waits for any more.

        One that is pending is canceled, one that came in meanwhile is paid back in full, one that it was never asked for is
        never taken; asked again, nothing more happens.
        """

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        """A page on which an amount is paid. Raises `ProviderRefused`."""

    async def expire_link(self, connection: Connection, link: Link) -> None:
        """Take a page back; one that is used or over is no matter."""

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Pay back; asked again with the same key, it pays back no second time."""

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        """See whether an event comes from the provider. Raises `BadSignature`. `headers` have small letters."""

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        """What a verified event tells, in order; nothing for one that nothing follows from."""
