"""Activate a subscription: it begins to be used and billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.periods import local_date
from tallymark.domain.values import value
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, check_change
from tallymark.rooms.subscriptions.service.activation_rules import must_wait, waits_until
from tallymark.rooms.subscriptions.service.agenda import (
    drop_notes,
    first_billed_usage,
    last_unbilled,
    note_expiry,
    note_first_bill,
    note_start,
    note_takeover,
)
from tallymark.rooms.subscriptions.service.fixed_units import note_first_units
from tallymark.rooms.subscriptions.service.messages import tell
from tallymark.rooms.subscriptions.service.read import get_contracts
from tallymark.rooms.subscriptions.service.thresholds import note_checks


async def begin(tx: Tx, contract: Contract, *, started_at: datetime, now: datetime) -> Contract:
    """Make a pending subscription begin: active at once, or once its first invoice is paid where a rule says so (§2.10)."""
    if not await must_wait(tx, contract, started_at=started_at, now=now):
        return await activate(tx, contract, started_at=started_at, now=now)
    waiting = await hold(tx, contract, started_at=started_at, now=now)
    await note_first_bill(tx, waiting, now=now)
    return waiting


async def hold(tx: Tx, contract: Contract, *, started_at: datetime, now: datetime) -> Contract:
    """Have a subscription that begins wait for its first payment; the invoice of its start is left to the caller."""
    check_change(contract.subscription, Status.INCOMPLETE)
    changed = {"status": Status.INCOMPLETE, "started_at": started_at, "updated_at": now}
    await drop_notes(tx, contract.subscription.id)
    subscription = await repository.update_subscription(tx, contract.subscription.id, changed)
    waiting = (await get_contracts(tx, [subscription]))[subscription.id]
    await note_first_units(tx, waiting, now=now)
    await note_expiry(tx, waiting, at=await waits_until(tx, subscription.id))
    await tell(tx, subscription, "incomplete", now=now)
    return waiting


async def activate(
    tx: Tx, contract: Contract, *, started_at: datetime, now: datetime, is_change: bool = False
) -> Contract:
    """Make a pending subscription active as of `started_at` and note what follows (subscriptions §2.5).

    One that is dated back to an earlier local day than `now` is not billed at once: its first invoice is that of the next
    billing day.
    With `is_change` it follows another subscription, and the invoice of that change bills its start.
    """
    check_change(contract.subscription, Status.ACTIVE)
    changed = {"status": Status.ACTIVE, "started_at": started_at, "activated_at": now, "updated_at": now}
    await drop_notes(tx, contract.subscription.id)
    subscription = await repository.update_subscription(tx, contract.subscription.id, changed)
    active = (await get_contracts(tx, [subscription]))[subscription.id]
    is_back_dated = active.is_back_dated(now)
    if is_back_dated:
        counts_from = first_billed_usage(active, after=last_unbilled(active, now))
        subscription = await repository.update_subscription(tx, subscription.id, {"counts_from": counts_from})
        active = replace(active, subscription=subscription)
    await note_first_units(tx, active, now=now)
    await note_start(tx, active, now=now, is_billed=not is_back_dated and not is_change)
    await note_checks(tx, [active], now=now)
    await tell(tx, active.subscription, "started", now=now)
    return active


@value
class EndedElsewhere:
    """An earlier subscription of the same external id: its trial counts on, and its usage is its own (§3.9, §4.5)."""

    plan_code: str
    started_at: datetime
    terminated_at: datetime
    usage_ends_at: datetime


@value
class LifeElsewhere:
    """What another system says of a subscription that runs there.

    `was_billed` tells whether it billed its base price, be it in part; `trial_ended_at` is None where no trial has ended.
    """

    made_at: datetime
    started_at: datetime
    trial_ended_at: datetime | None = None
    was_billed: bool = False
    earlier: Sequence[EndedElsewhere] = ()


async def activate_taken_over(tx: Tx, contract: Contract, life: LifeElsewhere, *, now: datetime) -> Contract:
    """Make a pending subscription active as it was elsewhere; nothing that is due by today is billed here."""
    check_change(contract.subscription, Status.ACTIVE)
    changed = {
        "status": Status.ACTIVE,
        "started_at": life.started_at,
        "activated_at": now,
        "taken_over_at": now,
        "made_elsewhere_at": life.made_at,
        "was_billed_elsewhere": life.was_billed,
        "updated_at": now,
    }
    await repository.update_subscription(tx, contract.subscription.id, changed)
    (begun,) = await repository.get_subscriptions(tx, [contract.subscription.id])
    active = (await get_contracts(tx, [begun]))[begun.id]
    today = local_date(now, active.timezone)
    settled = {"counts_from": first_billed_usage(active, after=today)}
    if active.trial_end is not None and (life.trial_ended_at is not None or active.trial_end <= now):
        settled["trial_ended_at"] = life.trial_ended_at or active.trial_end
    subscription = await repository.update_subscription(tx, begun.id, settled)
    active = replace(active, subscription=subscription)
    await note_first_units(tx, active, now=now)
    await note_takeover(tx, active, now=now)
    await note_checks(tx, [active], now=now)
    await tell(tx, active.subscription, "started", now=now)
    return active
