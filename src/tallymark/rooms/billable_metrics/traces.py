"""What becomes of charges where their metric is changed or deleted, for the activity logs of their plans and subscriptions (platform §10.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.activity import Activity, Changes, below, log
from tallymark.rooms.billable_metrics import repository
from tallymark.rooms.billable_metrics.model import BillableMetric, ChargeOn, FilterOn

Values = Mapping[str, list[str]]


async def log_lost_charges(tx: Tx, metric: BillableMetric, *, now: datetime) -> None:
    """Note which charges go with a metric; to be called before they do."""

    def lost(charge: ChargeOn) -> Changes:
        told = {
            "billable_metric_code": metric.code,
            "charge_model": charge.charge_model,
            "properties": charge.properties,
        }
        return {f"charges.{charge.code}": [told, None]}

    on = await repository.charges_on(tx, metric.id)
    await _log(tx, [(charge, lost(charge)) for charge in on], now=now)


async def log_trimmed_filters(
    tx: Tx,
    metric: BillableMetric,
    filters: Sequence[FilterOn],
    left: Mapping[UUID, Values],
    *,
    now: datetime,
) -> None:
    """Note which charge filters have other values for want of some of the metric's; without any a filter is gone."""
    before: dict[UUID, list[Values]] = defaultdict(list)
    after: dict[UUID, list[Values]] = defaultdict(list)
    for one in filters:
        if one.id in left:
            before[one.charge_id].append(one.values)
            after[one.charge_id] += [left[one.id]] if left[one.id] else []
    if not before:
        return
    on = [one for one in await repository.charges_on(tx, metric.id) if one.id in before]
    await _log(
        tx,
        [(one, {f"charges.{one.code}.filters": [before[one.id], after[one.id]]}) for one in on],
        now=now,
    )


async def _log(tx: Tx, found: Sequence[tuple[ChargeOn, Changes]], *, now: datetime) -> None:
    """On the plan itself, and where that is one subscription's own on the subscription."""
    told: dict[tuple[str, UUID], dict[str, Any]] = defaultdict(dict)
    for charge, changes in found:
        if not charge.is_of_child:
            told["plan.updated", charge.plan_id] |= changes
        elif charge.subscription_id is not None:
            told["subscription.updated", charge.subscription_id] |= below("plan", changes)
    await log(
        tx,
        (
            Activity(activity_type=kind, object_id=object_id, changes=changes)
            for (kind, object_id), changes in told.items()
        ),
        now=now,
    )
