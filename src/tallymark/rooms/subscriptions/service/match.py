"""Which subscription an event belongs to (metering §1.5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from tallymark.db.engine import Tx
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Subscription

_NEVER = datetime.max.replace(tzinfo=UTC)


async def started_of(tx: Tx, external_ids: Collection[str]) -> dict[str, list[Subscription]]:
    """The subscriptions of external ids that have begun, ended ones too."""
    found: dict[str, list[Subscription]] = {}
    for item in await repository.started_of(tx, external_ids) if external_ids else []:
        found.setdefault(item.external_id, []).append(item)
    return found


def holding(subscriptions: Sequence[Subscription], at: datetime) -> Subscription | None:
    """Of the subscriptions of one external id, the one whose life holds an instant.

    Where a back-dated re-creation makes lives overlap: one that has not ended, else that which ended last, else that
    which started last.
    """
    lives = [item for item in subscriptions if _starts(item, subscriptions) <= at < _end(item)]
    return max(lives, key=lambda item: (_end(item), item.started_at), default=None)


def _starts(item: Subscription, others: Sequence[Subscription]) -> datetime:
    """Its start cut to the millisecond, but never before the end of the one before it (subscriptions §3.9)."""
    assert item.started_at is not None, "only those that have begun are asked about"
    start = item.started_at.replace(microsecond=item.started_at.microsecond // 1000 * 1000)
    ends = [
        other.usage_ends_at
        for other in others
        if other.id != item.id
        and other.usage_ends_at is not None
        and other.terminated_at is not None
        and (other.terminated_at <= item.started_at or other.id == item.previous_subscription_id)
    ]
    return max([start, *ends])


def _end(item: Subscription) -> datetime:
    return item.usage_ends_at or _NEVER
