"""What can be done with lifetime usage (metering §9.4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.rooms.lifetime_usages import repository
from tallymark.rooms.lifetime_usages.model import LifetimeUsage
from tallymark.rooms.subscriptions.model import Status, Subscription
from tallymark.rooms.usage import service as usage


async def get_lifetime_usage(tx: Tx, subscription: Subscription, *, now: datetime) -> LifetimeUsage:
    """What a chain of subscriptions has used until now.

    The record is made when it is first asked for. Raises `NotFound("lifetime_usage")` for one that never started.
    """
    if subscription.started_at is None:
        raise NotFound("lifetime_usage")
    kept = await repository.find(
        tx,
        external_subscription_id=subscription.external_id,
        subscription_at=subscription.subscription_at,
    )
    if kept is None:
        record_id, historical = await _keep(tx, subscription, 0, now=now), 0
    else:
        record_id, historical = kept.id, kept.external_historical_usage_amount_cents
    return await _measure(tx, subscription, record_id, historical, now=now)


async def set_historical_amount(
    tx: Tx, subscription: Subscription, amount_cents: int, *, now: datetime
) -> LifetimeUsage:
    """Note what was used before Tallymark metered it. Raises `NotFound("lifetime_usage")`."""
    if subscription.started_at is None:
        raise NotFound("lifetime_usage")
    record_id = await _keep(tx, subscription, amount_cents, now=now)
    return await _measure(tx, subscription, record_id, amount_cents, now=now)


async def _keep(tx: Tx, subscription: Subscription, historical: int, *, now: datetime) -> UUID:
    return await repository.upsert(
        tx,
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "external_subscription_id": subscription.external_id,
            "subscription_at": subscription.subscription_at,
            "external_historical_usage_amount_cents": historical,
            "created_at": now,
            "updated_at": now,
        },
    )


async def _measure(
    tx: Tx, subscription: Subscription, record_id: UUID, historical: int, *, now: datetime
) -> LifetimeUsage:
    running = None
    if subscription.status is Status.ACTIVE:
        running = await usage.get_running_usage(tx, subscription, now=now)
    invoiced = await repository.invoiced_cents(
        tx,
        external_subscription_id=subscription.external_id,
        subscription_at=subscription.subscription_at,
        before=running.window.start if running else None,
    )
    return LifetimeUsage(
        id=record_id,
        subscription=subscription,
        external_historical_usage_amount_cents=historical,
        invoiced_usage_amount_cents=invoiced,
        current_usage_amount_cents=running.totals.fees_amount_cents if running else 0,
        to_datetime=now,
    )
