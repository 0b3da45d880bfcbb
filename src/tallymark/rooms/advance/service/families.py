"""Charges with what a subscription's own were copied from: what was billed by either is of the one that it has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.values import value
from tallymark.rooms.advance import repository
from tallymark.rooms.advance.model import Origin, values_key
from tallymark.rooms.plans.model import Charge


@value
class Families:
    """Charges, and by the ids of those that are copies what each was copied from."""

    charges: Sequence[Charge]
    origins: Mapping[UUID, Origin]

    @property
    def ids(self) -> set[UUID]:
        """Of all of them."""
        return {charge.id for charge in self.charges} | {one.charge_id for one in self.origins.values()}

    def own(self, charge_id: UUID, filter_id: UUID | None) -> tuple[UUID, UUID | None]:
        """The charge among these, and its filter, for one of theirs or of what they were copied from."""
        for charge in self.charges:
            origin = self.origins.get(charge.id)
            if origin is not None and origin.charge_id == charge_id:
                key = origin.filters.get(filter_id) if filter_id is not None else None
                same = (item.id for item in charge.filters if values_key(item.values) == key)
                return charge.id, next(same, filter_id)
        return charge_id, filter_id


async def families_of(tx: Tx, charges: Sequence[Charge]) -> Families:
    """Find what charges were copied from."""
    copies = [charge for charge in charges if charge.parent_id is not None]
    return Families(charges=charges, origins=await repository.origins_of(tx, copies))
