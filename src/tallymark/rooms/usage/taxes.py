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
    """The taxes of customers and entities by the ids of both, for resolving those of a fee (pricing §2)."""

    carried: dict[UUID, tuple[Tax, ...]]

    def of(self, contract: Contract, own: tuple[Tax, ...] = ()) -> tuple[Tax, ...]:
        """The first non-empty level: the item's own, the plan's, the customer's, the customer's entity's."""
        levels = (
            own,
            contract.plan.taxes,
            self.carried.get(contract.customer.id, ()),
            self.carried.get(contract.customer_entity.id, ()),
        )
        return next((level for level in levels if level), ())


NO_TAXES = TaxTable({})


async def gather_taxes(tx: Tx, contracts: Iterable[Contract]) -> TaxTable:
    """Load what customers and their entities carry."""
    known = list(contracts)
    owners = {
        Owner.CUSTOMER: {contract.customer.id for contract in known},
        Owner.BILLING_ENTITY: {contract.customer_entity.id for contract in known},
    }
    return TaxTable(await taxes.taxes_of_several(tx, owners))
