"""End a trial, and warn of an end to come (subscriptions §4.5, §2.12)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.subscriptions.service.agenda import note_alert
from tallymark.rooms.subscriptions.service.messages import tell


async def end_trial(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note that a subscription's trial is over, as of the instant at which it ended: now where it was taken away."""
    changed = {"trial_ended_at": contract.trial_end or now, "updated_at": now}
    ended = await repository.update_subscription(tx, contract.subscription.id, changed)
    await tell(tx, ended, "trial_ended", now=now)


async def warn_of_end(tx: Tx, contract: Contract, *, at: datetime) -> None:
    """Tell that a subscription ends in 45 or 15 days, and note the warning after this one."""
    if contract.subscription.status is Status.ACTIVE and contract.subscription.ending_at is not None:
        await tell(tx, contract.subscription, "termination_alert", now=at)
        await note_alert(tx, contract, after=at)
