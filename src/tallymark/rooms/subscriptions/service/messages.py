"""What the outside hears of subscriptions (subscriptions §2.12)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.jobs import outbox
from tallymark.jobs.activity import Changes, changes
from tallymark.jobs.outbox import Message
from tallymark.rooms.subscriptions.model import Subscription


async def tell(
    tx: Tx,
    subscription: Subscription,
    *events: str,
    now: datetime,
    before: Subscription | None = None,
    changed: Changes | None = None,
) -> None:
    """Note that something happened to a subscription: "started", "updated", "terminated", "trial_ended".

    `before` is the subscription as it was, where an update changed it; `changed` is what else it changed.
    """
    different = {**(changes(before, subscription) if before else {}), **(changed or {})}
    messages = [
        Message(
            webhook_type=f"subscription.{event}",
            object_type="subscription",
            object_id=subscription.id,
            changes=different if event == "updated" else {},
        )
        for event in events
    ]
    await outbox.emit(tx, *messages, now=now)
