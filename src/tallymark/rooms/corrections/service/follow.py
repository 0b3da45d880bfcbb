"""What follows where stored events change: whatever looks at new events looks at them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import usage_watch
from tallymark.rooms.corrections import repository
from tallymark.rooms.events import service as events


async def note_counted(tx: Tx, ids: Collection[UUID]) -> None:
    """Note events that count now, and have them priced where a charge in advance is on their code."""
    if ids:
        await events.note_corrected(tx, ids)
        await repository.ask_for_price(tx, ids)


async def follow_usage(tx: Tx, external_subscription_id: str, *, now: datetime) -> None:
    """Have what follows from the usage of a subscription done, within a second."""
    await usage_watch.follow(tx, await repository.active_of(tx, external_subscription_id), now=now)


async def lock_owners(tx: Tx, external_subscription_id: str) -> None:
    """Have bills of the customers of an external id wait, or be done: what is final then stays so."""
    await tx.lock_all("customer", await repository.customers_of(tx, external_subscription_id))
