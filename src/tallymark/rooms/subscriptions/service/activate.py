"""Activate a subscription: it begins to be used and billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.periods import local_date
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, check_change
from tallymark.rooms.subscriptions.service.agenda import drop_notes, first_billed_usage, note_start
from tallymark.rooms.subscriptions.service.fixed_units import note_first_units
from tallymark.rooms.subscriptions.service.messages import tell
from tallymark.rooms.subscriptions.service.read import get_contracts
from tallymark.rooms.subscriptions.service.thresholds import note_checks


async def activate(
    tx: Tx, contract: Contract, *, started_at: datetime, now: datetime, is_change: bool = False
) -> Contract:
    """Make a pending subscription active as of `started_at` and note what follows (subscriptions §2.5).

    A start on an earlier local day than `now` is not billed at once: its first invoice is that of the next billing day.
    With `is_change` it follows another subscription, and the invoice of that change bills its start.
    """
    check_change(contract.subscription, Status.ACTIVE)
    changed = {"status": Status.ACTIVE, "started_at": started_at, "activated_at": now, "updated_at": now}
    await drop_notes(tx, contract.subscription.id)
    subscription = await repository.update_subscription(tx, contract.subscription.id, changed)
    active = (await get_contracts(tx, [subscription]))[subscription.id]
    zone = active.timezone
    is_today = local_date(started_at, zone) >= local_date(now, zone)
    if not is_today:
        counts_from = first_billed_usage(active, now=now)
        subscription = await repository.update_subscription(tx, subscription.id, {"counts_from": counts_from})
        active = replace(active, subscription=subscription)
    await note_first_units(tx, active, now=now)
    await note_start(tx, active, now=now, is_billed=is_today and not is_change)
    await note_checks(tx, [active], now=now)
    await tell(tx, active.subscription, "started", now=now)
    return active
