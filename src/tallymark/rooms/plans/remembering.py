"""Plans that this process has put together before: read again only where a row that they are made of has changed.

Each time all of their rows' versions are read, in the transaction that asks, so that what is remembered is never older, or
newer, than what the transaction would read (docs/decisions/0035).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.plans import repository
from tallymark.rooms.plans.assembly import assemble
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.repository.versions import versions_of

MOST_PARTS = 20_000
"""How many charges, filters and the like remembered plans may have in all; a part takes about a kilobyte."""


class Memory:
    """Plans by their ids, with the version that they are of; those that were asked for longest ago are forgotten first."""

    def __init__(self, most_parts: int = MOST_PARTS) -> None:
        self._most_parts = most_parts
        self._parts = 0
        self._plans: OrderedDict[UUID, tuple[bytes, Plan]] = OrderedDict()

    def recall(self, plan_id: UUID, version: bytes) -> Plan | None:
        """A plan of that very version."""
        known = self._plans.get(plan_id)
        if known is None or known[0] != version:
            return None
        self._plans.move_to_end(plan_id)
        return known[1]

    def keep(self, plan: Plan, version: bytes) -> None:
        """Remember a plan of a version."""
        self._forget(plan.id)
        self._plans[plan.id] = version, plan
        self._parts += _parts(plan)
        while self._parts > self._most_parts:
            self._forget(next(iter(self._plans)))

    def _forget(self, plan_id: UUID) -> None:
        known = self._plans.pop(plan_id, None)
        if known is not None:
            self._parts -= _parts(known[1])


_memory = Memory()


async def remembered_plans(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Plan]:
    """Plans by id, as the transaction sees them."""
    versions = await versions_of(tx, ids)
    found = {
        plan_id: plan
        for plan_id, version in versions.items()
        if (plan := _memory.recall(plan_id, version)) is not None
    }
    missing = versions.keys() - found.keys()
    if missing:
        fresh = await assemble(tx, await repository.get_plans(tx, missing))
        # What changed while it was read is of no version; it is right for now, and not remembered.
        for plan_id, version in (await versions_of(tx, missing)).items():
            if plan_id in fresh and version == versions[plan_id]:
                _memory.keep(fresh[plan_id], version)
        found |= fresh
    return found


def _parts(plan: Plan) -> int:
    filters = sum(len(charge.filters) for charge in plan.charges)
    return 1 + len(plan.charges) + filters + len(plan.fixed_charges) + len(plan.usage_thresholds)
