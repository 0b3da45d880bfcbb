"""Move a subscription to another plan: at once to a dearer one, at the period's end to a cheaper one (subscriptions §2.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.periods import TICK, Interval, local_date, start_of_day, yearly_amount_cents
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Kind
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription, check_change
from tallymark.rooms.subscriptions.service.activate import activate, hold
from tallymark.rooms.subscriptions.service.activation_rules import must_wait, set_rules
from tallymark.rooms.subscriptions.service.agenda import (
    bills_start,
    drop_notes,
    note_change_bill,
    note_last_bill,
    note_switch,
)
from tallymark.rooms.subscriptions.service.messages import tell
from tallymark.rooms.subscriptions.service.read import get_contracts
from tallymark.rooms.subscriptions.service.sections import copy_sections
from tallymark.rooms.subscriptions.service.terminate import cancel_successor, check_taxes

AFTER_CHANGE = timedelta(seconds=1)
"""An upgrade is invoiced as of this long after it (§5.1, row 5)."""

CHAIN = (
    "customer_id", "external_id", "billing_time", "subscription_at", "ending_at", "consolidate_invoice",
    "purchase_order_number", "billing_entity_id", "name", "progressive_billing_disabled",
    "on_termination_credit_note", "on_termination_invoice", "skip_invoice_custom_sections", "payment_method_type",
    "payment_method_id",
)  # fmt: skip
"""What a successor takes over unless the call says otherwise."""


async def change_plan(
    tx: Tx,
    current: Subscription,
    plan: Plan,
    asked: Mapping[str, Any],
    *,
    rules: Sequence[Mapping[str, Any]] | None,
    now: datetime,
) -> Subscription:
    """Move an active subscription to another plan; the dearer one (by the year, equal included) begins at once.

    `asked` holds the columns that the call names, `rules` those of the new one's activation. Returns the subscription that the call answers with (§2.4): the new
    one of an upgrade, the current one of a downgrade. Raises `NotAllowed` for an upgrade while taxes of what was paid in
    advance are awaited.
    """
    contract = (await get_contracts(tx, [current]))[current.id]
    old = await cancel_successor(tx, contract, now=now)
    new = await repository.insert_subscription(
        tx,
        {
            **_taken_over(old.subscription, plan),
            **asked,
            "id": new_id(),
            "organization_id": tx.organization_id,
            "plan_id": plan.id,
            "previous_subscription_id": current.id,
            "status": Status.PENDING,
            "created_at": now,
            "updated_at": now,
        },
    )
    await copy_sections(tx, current.id, new.id)
    await set_rules(tx, new.id, rules, now=now)
    if yearly_amount_cents(plan.amount_cents, Interval(plan.interval)) < old.yearly_amount_cents:
        await note_switch(tx, old, new, after=local_date(now, old.timezone))
        waiting = contract.relations.successor
        next_plan = [waiting.plan_code if waiting else None, plan.code]
        await tell(tx, current, "updated", now=now, changed={"next_plan_code": next_plan})
        return current
    await check_taxes(tx, old)
    return await _take_over(tx, old, new, at=now, is_upgrade=True)


def _taken_over(before: Subscription, plan: Plan) -> dict[str, Any]:
    """What a successor has of the subscription before it; nothing comes back where nothing is paid in advance (§2.1)."""
    values = {name: getattr(before, name) for name in CHAIN}
    return values if plan.pay_in_advance else {**values, "on_termination_credit_note": None}


async def switch(tx: Tx, successor_id: UUID, *, at: datetime) -> None:
    """Begin a plan that was waiting for its day; done before, it changes nothing.

    It was the cheaper one when it was asked for. Whatever prices are by now, on its day it follows a period that ended; before
    it is due because it is the dearer one now (pricing §4.3).
    """
    (new,) = await repository.get_subscriptions(tx, [successor_id])
    if new.status is not Status.PENDING or new.previous_subscription_id is None:
        return
    (before,) = await repository.get_subscriptions(tx, [new.previous_subscription_id])
    if before.status is not Status.ACTIVE:
        return
    old = (await get_contracts(tx, [before]))[before.id]
    await _take_over(tx, old, new, at=at, is_upgrade=not _begins_period(old, at))


def _begins_period(contract: Contract, at: datetime) -> bool:
    day = local_date(at, contract.timezone)
    is_first = day == contract.schedule.cycle().period_start(day)
    return is_first and at == start_of_day(day, contract.timezone)


async def _take_over(
    tx: Tx, old: Contract, new: Subscription, *, at: datetime, is_upgrade: bool
) -> Subscription:
    """Begin the new subscription in place of the old one; where it has to be paid first, the old one goes on (§2.10)."""
    contract = (await get_contracts(tx, [new]))[new.id]
    if not await must_wait(tx, contract, started_at=at, now=at):
        return await _replace(tx, old, contract, at=at, is_upgrade=is_upgrade)
    waiting = await hold(tx, contract, started_at=at, now=at)
    billed_at = at + AFTER_CHANGE if is_upgrade else at
    await note_change_bill(tx, waiting, at=billed_at, run_at=at)
    return waiting.subscription


async def _replace(tx: Tx, old: Contract, new: Contract, *, at: datetime, is_upgrade: bool) -> Subscription:
    """End the old subscription and begin the new one at one instant, and note their invoice (§5.1, row 5)."""
    # The last period of a plan that another one waited to follow ends with a day: the instant of the change is the next one's.
    usage_ends_at = at + TICK if is_upgrade else at
    ended = await _end(tx, old, at=at, usage_ends_at=usage_ends_at, now=at)
    active = await activate(tx, new, started_at=at, now=at, is_change=True)
    if is_upgrade:
        await note_change_bill(tx, active, at=at + AFTER_CHANGE, run_at=at)
    else:
        await note_change_bill(tx, active, at=at, run_at=at + tx.settling_time)
    await tell(tx, ended, "terminated", now=at)
    return active.subscription


async def _end(
    tx: Tx, old: Contract, *, at: datetime, usage_ends_at: datetime, now: datetime
) -> Subscription:
    """End a subscription that another one follows."""
    check_change(old.subscription, Status.TERMINATED)
    # A period that ended before the change and is not billed yet is billed first, as one that was in time (§2.6).
    await drop_notes(tx, old.subscription.id, billed_before=at)
    end = {
        "status": Status.TERMINATED,
        "terminated_at": at,
        "usage_ends_at": usage_ends_at,
        "updated_at": now,
    }
    return await repository.update_subscription(tx, old.subscription.id, end)


async def end_paid_for(tx: Tx, old: Contract, new: Contract, *, now: datetime) -> None:
    """End the subscription that one follows whose first invoice is paid by now; it is billed alone (§2.10).

    Where a cheaper plan took over as a period began, and that day is not billed yet, it ends with that day as if nothing had
    been waited for. Otherwise it ended now, within a period of its own: what is unused of it comes back.
    """
    started_at, subscription_id = new.life.started_at, old.subscription.id
    waits = await agenda.due_subjects(tx, (Kind.BILL_PERIOD,), [subscription_id], until=started_at)
    if not new.was_upgraded_to and waits:
        ended = await _end(tx, old, at=started_at, usage_ends_at=started_at, now=now)
        await note_last_bill(tx, old, at=started_at, run_at=max(now, started_at + tx.settling_time))
    else:
        ended = await _end(tx, old, at=now, usage_ends_at=now + TICK, now=now)
        await note_last_bill(tx, old, at=now + AFTER_CHANGE, run_at=now)
    await tell(tx, ended, "terminated", now=now)


def is_billed_with_change(contract: Contract) -> bool:
    """Whether a new subscription is on the invoice of its change of plan: something of it is paid in advance (§2.6)."""
    started_at = contract.life.started_at
    return bills_start(contract, at=started_at) or any(
        charge.pay_in_advance for charge in contract.plan.fixed_charges
    )
