"""Delete a plan, whoever is on it (pricing §4.4).

The plan is marked, and every subscription on it or on a child is noted on the agenda, each for its customer: it ends,
its drafts are issued, and whoever is through last deletes the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.entitlements import service as entitlements
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.repository import endings
from tallymark.rooms.plans.service import get_plan


async def delete_plan(tx: Tx, code: str, *, now: datetime) -> Plan:
    """Begin to delete a plan with its children, and answer with it as it then is: pending deletion.

    What nobody is on is gone at once. Raises `NotFound("plan")`.
    """
    plan = await get_plan(tx, code=code)
    await tx.lock("plan", plan.id)
    found = await endings.to_end(tx, plan.id)
    if not plan.pending_deletion:
        await endings.mark_pending(tx, plan.id, at=now)
        told = Message(webhook_type="plan.deleted", object_type="plan", object_id=plan.id)
        await emit(tx, told, now=now)
    if found:
        await _note_ends(tx, plan.id, now=now)
    else:
        await _delete_family(tx, plan.id, now=now)
    return replace(plan, pending_deletion=True)


async def finish_deletions(tx: Tx, done: Sequence[UUID], *, now: datetime) -> None:
    """Delete the plans that wait for nobody but the subscriptions that are through now.

    Whoever came onto such a plan in the meantime is ended too, and the plan waits for them.
    """
    for plan_id in await endings.pending_plans(tx):
        # Two customers who are through at once see each other's work done or wait for it.
        await tx.lock("plan", plan_id)
        if await endings.is_ending(tx, plan_id, besides=done):
            continue
        if await endings.to_end(tx, plan_id):
            await _note_ends(tx, plan_id, now=now)
        else:
            await _delete_family(tx, plan_id, now=now)


async def _delete_family(tx: Tx, plan_id: UUID, *, now: datetime) -> None:
    await entitlements.drop_plan(tx, plan_id)
    await endings.delete_family(tx, plan_id, at=now)


async def _note_ends(tx: Tx, plan_id: UUID, *, now: datetime) -> None:
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.END_WITH_PLAN, subject_id=row.id, owner_id=row.customer_id, due_at=now)
            for row in await endings.to_end(tx, plan_id)
        ),
    )
