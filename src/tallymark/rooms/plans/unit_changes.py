"""What follows from changed units of fixed charges: every subscription on the plan looks at them (pricing §13.2)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.plans import repository


async def note_unit_changes(tx: Tx, plan_id: UUID, *, now: datetime) -> None:
    """Have each live subscription of a plan take over its fixed charges' units, and bill what is paid in advance.

    To be called after fixed charges of the plan were added or changed; subscriptions with units of their own, and
    units that are the same, change nothing.
    """
    live = await repository.live_subscriptions(tx, plan_id)
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.FIXED_UNITS, subject_id=subscription_id, owner_id=customer_id, due_at=now)
            for subscription_id, customer_id in live
        ),
    )
