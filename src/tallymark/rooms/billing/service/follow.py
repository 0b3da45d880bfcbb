"""What follows from usage soon after it has changed (metering §1.6, subscriptions §5.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.agenda import Batch
from tallymark.rooms.alerts import service as alerts
from tallymark.rooms.billing.service.ongoing import refresh_wallets
from tallymark.rooms.billing.service.progressive import check_thresholds
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import CurrentUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A customer with something new, and those of their active subscriptions that have new usage; maybe none.

    Usage that several followers ask for is computed once.
    """

    customer_id: UUID
    contracts: tuple[Contract, ...]
    now: datetime
    _usage: dict[UUID, CurrentUsage] = field(default_factory=dict)

    async def usage_of(self, tx: Tx, contract: Contract) -> CurrentUsage:
        """The running period of a subscription, without taxes in its totals."""
        subscription = contract.subscription
        if subscription.id not in self._usage:
            self._usage.update(await usage.get_running_usages(tx, [contract], now=self.now))
        return self._usage[subscription.id]


Follower = Callable[[Tx, Activity], Awaitable[None]]
"""Looks at a customer's usage and does what follows from it; doing it again for the same usage changes nothing."""


async def bill_progressively(tx: Tx, activity: Activity) -> None:
    """Invoice usage that has passed a threshold (pricing §14)."""
    await check_thresholds(tx, activity.contracts, now=activity.now)


async def look_at_wallets(tx: Tx, activity: Activity) -> None:
    """Compute what usage leaves of the customer's wallets (wallets §7)."""
    await refresh_wallets(tx, [activity.customer_id], now=activity.now)


async def evaluate_alerts(tx: Tx, activity: Activity) -> None:
    """Hold the alerts of subscriptions against their usage (wallets §9)."""
    found = await alerts.of_subscriptions(
        tx, {contract.subscription.external_id for contract in activity.contracts}
    )
    for contract in activity.contracts:
        own = found.get(contract.subscription.external_id)
        if own:
            running = await activity.usage_of(tx, contract)
            await alerts.evaluate_subscription(tx, contract, running, own, now=activity.now)


FOLLOWERS: tuple[Follower, ...] = (bill_progressively, look_at_wallets, evaluate_alerts)
"""All of them, in the order in which they act: progressive billing, wallets, alerts."""


async def follow_usage(tx: Tx, batch: Batch, now: datetime) -> None:
    """Have every follower look at a customer. Needs the customer's lock.

    The subjects are subscriptions with new usage, and the customer where something else has changed.
    """
    found = await subscriptions.live_contracts(tx, batch.subject_ids)
    activity = Activity(
        customer_id=batch.owner_id,
        contracts=tuple(one for one in found if one.subscription.status is Status.ACTIVE),
        now=now,
    )
    for look in FOLLOWERS:
        await look(tx, activity)
