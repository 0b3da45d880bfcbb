"""What kinds of providers have in common that are pages on which invoices are paid, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.rooms.payment_providers.model import (
    Abilities,
    BankAccount,
    Connection,
    Link,
    MethodSaved,
    Order,
    Outcome,
    Person,
    RefundOrder,
    RefundOutcome,
)
from tallymark.rooms.payment_providers.ports import ProviderRefused

NOT_SUPPORTED = "feature_not_supported"


class PagesOnly:
    """No customers are kept, no methods saved, nothing is collected without the customer (§12.3).

    That is asked of nobody who has read `abilities`; who has not is told `feature_not_supported`.
    """

    abilities = Abilities(keeps_customers=False, has_pages=True)

    async def close(self, connection: Connection) -> None:
        """Nothing was registered: pages say themselves where to tell of what is paid, or the vendor's dashboard does."""

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        """None: customers are linked by being recorded, and have no id there (§12.2)."""
        return None

    async def update_customer(self, connection: Connection, person: Person) -> None:
        """Nobody is known there who could be updated."""

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        """Raises `ProviderRefused`: methods are not saved."""
        raise not_supported(connection, "save payment methods")

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        """None: there are no methods."""
        return None

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        """None: customers have no balance there."""
        return ()

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        """Raises `ProviderRefused`: customers pay themselves."""
        raise not_supported(connection, "collect a payment")

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        """Raises `ProviderRefused`: what is to go back of a payment is paid back by hand (§14)."""
        raise not_supported(connection, "pay back")


def not_supported(connection: Connection, what: str) -> ProviderRefused:
    """What a kind says that is asked for what it can't do."""
    return ProviderRefused(f"{connection.kind} can't {what}", code=NOT_SUPPORTED)
