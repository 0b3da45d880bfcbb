"""What a new base price means for changes of plan that wait for the end of a period (pricing §4.3)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.periods import Interval, yearly_amount_cents
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.repository import endings


async def review_waiting(tx: Tx, plan: Plan, amount_cents: int, *, now: datetime) -> None:
    """Call off downgrades away from a plan that is now cheaper than theirs; begin those to it that are upgrades now.

    `plan` is as it was, `amount_cents` its new amount.
    """
    dropped = [
        Item(kind=Kind.CANCEL_DOWNGRADE, subject_id=row.id, owner_id=row.customer_id, due_at=now)
        for row in await endings.waiting_from(tx, plan.id)
        if amount_cents < row.amount_cents
    ]
    by_year = yearly_amount_cents(amount_cents, Interval(plan.interval))
    hastened = [
        Item(kind=Kind.SWITCH_PLAN, subject_id=row.id, owner_id=row.customer_id, due_at=now)
        for row in await endings.waiting_for(tx, plan.id)
        if by_year >= yearly_amount_cents(row.amount_cents, Interval(row.interval))
    ]
    await agenda.leave(tx, *dropped, *hastened)
