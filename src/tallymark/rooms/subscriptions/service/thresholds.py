"""A subscription's own usage thresholds, and which ones apply to it (subscriptions §2.7, pricing §14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.plans import commitments
from tallymark.rooms.plans.inputs import ThresholdInput
from tallymark.rooms.plans.model import UsageThreshold
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription
from tallymark.rooms.subscriptions.service.read import get_contracts


async def set_thresholds(
    tx: Tx, subscription: Subscription, asked: Sequence[ThresholdInput] | None, *, now: datetime
) -> None:
    """Make a subscription's own thresholds the given ones; a plan of its own loses its. None changes nothing.

    Raises `Invalid`.
    """
    if asked is None:
        return
    commitments.check_thresholds(asked)
    rows = [
        {**row, "subscription_id": subscription.id} for row in commitments.threshold_rows(tx, asked, now=now)
    ]
    await repository.replace_thresholds(tx, subscription.id, rows)
    contract = (await get_contracts(tx, [subscription]))[subscription.id]
    if contract.plan.parent_id is not None:
        await commitments.drop_thresholds(tx, contract.plan)
    await note_checks(tx, [contract], now=now)


async def thresholds_of(tx: Tx, contracts: Sequence[Contract]) -> dict[UUID, tuple[UsageThreshold, ...]]:
    """Those that apply to each: none if progressive billing is off, else its own, else its plan's, else the parent plan's."""
    own = await repository.thresholds_of(
        tx,
        {c.subscription.id for c in contracts if not c.subscription.progressive_billing_disabled},
    )
    return {
        contract.subscription.id: ()
        if contract.subscription.progressive_billing_disabled
        else own.get(contract.subscription.id)
        or contract.plan.usage_thresholds
        or contract.plan.applicable_usage_thresholds
        for contract in contracts
    }


async def note_checks(tx: Tx, contracts: Iterable[Contract], *, now: datetime) -> None:
    """Have active subscriptions' usage held against their thresholds, where some apply; many take one question."""
    active = [contract for contract in contracts if contract.subscription.status is Status.ACTIVE]
    thresholds = await thresholds_of(tx, active) if active else {}
    await agenda.put(
        tx,
        *(
            Item(
                kind=Kind.CHECK_THRESHOLDS,
                subject_id=contract.subscription.id,
                owner_id=contract.customer.id,
                due_at=now,
            )
            for contract in active
            if thresholds[contract.subscription.id]
        ),
    )
