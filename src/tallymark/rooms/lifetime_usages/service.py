"""What can be done with lifetime usage (metering §9.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.domain.invoicing.thresholds import Step, completion
from tallymark.jobs.activity import differences
from tallymark.jobs.outbox import log_change
from tallymark.rooms.invoices import progressive
from tallymark.rooms.invoices.model import AppliedThreshold
from tallymark.rooms.lifetime_usages import repository
from tallymark.rooms.lifetime_usages.model import LifetimeUsage, Mark, Parts
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription
from tallymark.rooms.usage import service as usage

HISTORICAL = "external_historical_usage_amount_cents"


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
    record_id = kept.id if kept is not None else await _keep(tx, subscription, 0, now=now)
    return await _show(tx, subscription, record_id, now=now)


async def set_historical_amount(
    tx: Tx, subscription: Subscription, amount_cents: int, *, now: datetime
) -> LifetimeUsage:
    """Note what was used before Tallymark metered it. Raises `NotFound("lifetime_usage")`."""
    if subscription.started_at is None:
        raise NotFound("lifetime_usage")
    await tx.lock("customer", subscription.customer_id)
    before = (await repository.historical_cents(tx, [subscription.id])).get(subscription.id, 0)
    record_id = await _keep(tx, subscription, amount_cents, now=now)
    different = differences({HISTORICAL: before}, {HISTORICAL: amount_cents})
    await log_change(tx, "subscription.updated", subscription.id, different, now=now)
    contract = (await subscriptions.get_contracts(tx, [subscription]))[subscription.id]
    await subscriptions.note_checks(tx, [contract], now=now)
    return await _show(tx, subscription, record_id, now=now)


async def _keep(tx: Tx, subscription: Subscription, historical: int, *, now: datetime) -> UUID:
    return await repository.upsert(
        tx,
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "external_subscription_id": subscription.external_id,
            "subscription_at": subscription.subscription_at,
            HISTORICAL: historical,
            "created_at": now,
            "updated_at": now,
        },
    )


async def measure(tx: Tx, contracts: Sequence[Contract], *, now: datetime) -> dict[UUID, Parts]:
    """The parts of the lifetime usage of subscriptions, by subscription: all events are read at once."""
    ids = [contract.subscription.id for contract in contracts]
    if not ids:
        return {}
    active = [contract for contract in contracts if contract.subscription.status is Status.ACTIVE]
    running = await usage.get_running_usages(tx, active, now=now) if active else {}
    windows = {one: running[one].window.start if one in running else None for one in ids}
    historical = await repository.historical_cents(tx, ids)
    invoiced = await repository.invoiced_cents(tx, windows)
    return {
        one: Parts(
            historical_cents=historical.get(one, 0),
            invoiced_cents=invoiced.get(one, 0),
            running=running.get(one),
        )
        for one in ids
    }


async def _show(tx: Tx, subscription: Subscription, record_id: UUID, *, now: datetime) -> LifetimeUsage:
    contract = (await subscriptions.get_contracts(tx, [subscription]))[subscription.id]
    parts = (await measure(tx, [contract], now=now))[subscription.id]
    return LifetimeUsage(
        id=record_id,
        subscription=subscription,
        parts=parts,
        to_datetime=now,
        marks=await _marks(tx, contract, parts.total_cents, now=now),
    )


async def _marks(tx: Tx, contract: Contract, total_cents: int, *, now: datetime) -> tuple[Mark, ...]:
    """How far usage has come to the thresholds that apply, and when it reached them (invoicing §9)."""
    applying = (await subscriptions.thresholds_of(tx, [contract]))[contract.subscription.id]
    if not applying:
        return ()
    subscription = contract.subscription
    applied = await progressive.applied_in_chain(
        tx,
        external_subscription_id=subscription.external_id,
        subscription_at=subscription.subscription_at,
    )
    steps = completion([item.as_mark for item in applying], total_cents)
    return tuple(
        Mark(step=step, reached_at=_reached_at(step, applied, now) if step.is_reached else None)
        for step in steps
    )


def _reached_at(step: Step, applied: Sequence[AppliedThreshold], now: datetime) -> datetime:
    """When a mark was last passed; a step of a recurring one that was skipped, when a later step was."""
    alike = [item for item in applied if item.recurring == step.threshold.is_recurring]
    own = [item.created_at for item in alike if item.level_cents == step.level_cents]
    beyond = [item.created_at for item in alike if item.recurring and item.level_cents > step.level_cents]
    if own:
        return own[-1]
    return beyond[0] if beyond else now
