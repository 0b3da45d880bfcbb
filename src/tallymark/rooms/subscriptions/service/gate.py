"""What becomes of a subscription that waited for its first payment (subscriptions §2.10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import next_billing_day
from tallymark.domain.periods import local_date
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import (
    Contract,
    Reason,
    RuleStatus,
    Status,
    Subscription,
    check_change,
)
from tallymark.rooms.subscriptions.service.activation_rules import conclude
from tallymark.rooms.subscriptions.service.agenda import (
    ONE_DAY,
    drop_notes,
    first_billed_usage,
    note_late_start,
    running_since,
)
from tallymark.rooms.subscriptions.service.change import end_paid_for
from tallymark.rooms.subscriptions.service.fixed_units import AFTER_START, note_change
from tallymark.rooms.subscriptions.service.messages import tell
from tallymark.rooms.subscriptions.service.read import get_contracts
from tallymark.rooms.subscriptions.service.thresholds import note_checks


async def let_in(tx: Tx, contract: Contract, *, now: datetime) -> Contract:
    """Activate a subscription whose first invoice is paid: it began when it began, and what it follows ends now.

    Usage until then was that of the one before it. Where its customer was deleted meanwhile it ends at once, and has back what
    it does not use. Needs the customer's lock.
    """
    subscription = contract.subscription
    check_change(subscription, Status.ACTIVE)
    await conclude(tx, subscription.id, RuleStatus.SATISFIED, now=now)
    await drop_notes(tx, subscription.id)
    changed: dict[str, Any] = {"status": Status.ACTIVE, "activated_at": now, "updated_at": now}
    old = await _predecessor(tx, subscription)
    if old is not None:
        await end_paid_for(tx, old, contract, now=now)
    elif subscription.previous_subscription_id is not None:
        changed["previous_subscription_id"] = None  # that one has ended by itself: nothing follows it
    changed["counts_from"] = await _counts_from(tx, contract, now=now)
    subscription = await repository.update_subscription(tx, subscription.id, changed)
    active = (await get_contracts(tx, [subscription]))[subscription.id]
    await note_late_start(tx, active, now=now)
    if active.plan.fixed_charges and active.life.started_at + AFTER_START < now:
        await note_change(tx, active, now=now)
    await note_checks(tx, [active], now=now)
    await tell(tx, subscription, "started", now=now)
    if active.customer.deleted_at is not None:
        await agenda.leave(tx, _end_at_once(active, now=now))
    return active


async def _predecessor(tx: Tx, subscription: Subscription) -> Contract | None:
    """What it is to follow, if that is still active."""
    if subscription.previous_subscription_id is None:
        return None
    (before,) = await repository.get_subscriptions(tx, [subscription.previous_subscription_id])
    return (await get_contracts(tx, [before]))[before.id] if before.status is Status.ACTIVE else None


async def _counts_from(tx: Tx, contract: Contract, *, now: datetime) -> datetime | None:
    """From when on usage is its own: not while another one of its external id ran, nor in periods that nobody bills any more."""
    started_at, zone = contract.life.started_at, contract.timezone
    starts = [await repository.last_end_of_usage(tx, contract.subscription, after=started_at)]
    first = next_billing_day(contract.schedule, after=local_date(started_at, zone))
    running = running_since(contract, now=now)
    if running > first:
        starts.append(first_billed_usage(contract, after=running - ONE_DAY))
    return max((one for one in starts if one is not None), default=None)


def _end_at_once(contract: Contract, *, now: datetime) -> Item:
    return Item(
        kind=Kind.TERMINATE_SUBSCRIPTION,
        subject_id=contract.subscription.id,
        owner_id=contract.customer.id,
        due_at=now,
    )


async def give_up(tx: Tx, contract: Contract, reason: Reason | None, *, now: datetime) -> None:
    """Call off a subscription whose first invoice was not paid, or not in time; None for another reason.

    What it was to follow goes on.
    """
    check_change(contract.subscription, Status.CANCELED)
    subscription_id: UUID = contract.subscription.id
    rule = RuleStatus.EXPIRED if reason is Reason.TIMEOUT else RuleStatus.FAILED
    await conclude(tx, subscription_id, rule, now=now)
    await drop_notes(tx, subscription_id)
    changed = {
        "status": Status.CANCELED,
        "canceled_at": now,
        "cancellation_reason": reason,
        "updated_at": now,
    }
    canceled = await repository.update_subscription(tx, subscription_id, changed)
    await tell(tx, canceled, "canceled", now=now)
