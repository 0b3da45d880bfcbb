"""The taxes of fees: which level of owners carries those of a fee (pricing §2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax


@dataclass(frozen=True, slots=True)
class TaxTable:
    """The taxes of customers and entities, for resolving those of a fee (pricing §2)."""

    of_customers: dict[UUID, tuple[Tax, ...]]
    of_entities: dict[UUID, tuple[Tax, ...]]

    def of(self, contract: Contract, own: tuple[Tax, ...] = ()) -> tuple[Tax, ...]:
        """The first non-empty level: the item's own, the plan's, the customer's, the customer's entity's."""
        levels = (
            own,
            contract.plan.taxes,
            self.of_customers.get(contract.customer.id, ()),
            self.of_entities.get(contract.customer_entity.id, ()),
        )
        return next((level for level in levels if level), ())


NO_TAXES = TaxTable({}, {})


async def gather_taxes(tx: Tx, contracts: Iterable[Contract]) -> TaxTable:
    """Load what customers and their entities carry."""
    known = list(contracts)
    return TaxTable(
        await taxes.taxes_of(tx, Owner.CUSTOMER, {contract.customer.id for contract in known}),
        await taxes.taxes_of(tx, Owner.BILLING_ENTITY, {contract.customer_entity.id for contract in known}),
    )
