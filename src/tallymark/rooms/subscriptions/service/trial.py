"""End a trial (subscriptions §4.5)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.subscriptions.service.messages import tell


async def end_trial(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note that a subscription's trial is over, as of the instant at which it ended."""
    assert contract.trial_end is not None, "only a plan with a trial has its end noted"
    changed = {"trial_ended_at": contract.trial_end, "updated_at": now}
    ended = await repository.update_subscription(tx, contract.subscription.id, changed)
    await tell(tx, ended, "trial_ended", now=now)
