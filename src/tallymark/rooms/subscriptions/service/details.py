"""All there is to show of subscriptions: what hangs on them, too (subscriptions §2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.rooms.plans import entitlements as of_plans
from tallymark.rooms.subscriptions.model import Details, Subscription
from tallymark.rooms.subscriptions.service.entitlements import entitlements_of
from tallymark.rooms.subscriptions.service.read import get_views
from tallymark.rooms.subscriptions.service.sections import sections_of
from tallymark.rooms.subscriptions.service.thresholds import thresholds_of


async def get_details(tx: Tx, subscriptions: Sequence[Subscription], *, now: datetime) -> list[Details]:
    """Show subscriptions as they stand at `now`, in the order given, in a constant number of queries."""
    views = await get_views(tx, subscriptions, now=now)
    contracts = [view.contract for view in views]
    sections = await sections_of(tx, [one.id for one in subscriptions])
    thresholds = await thresholds_of(tx, contracts)
    grants = await of_plans.grants_of(tx, [contract.plan for contract in contracts])
    entitlements = await entitlements_of(tx, contracts)
    return [
        Details(
            view=view,
            sections=sections.get(view.contract.subscription.id, ()),
            thresholds=thresholds[view.contract.subscription.id],
            plan_grants=grants[view.contract.plan.id],
            entitlements=entitlements[view.contract.subscription.id],
        )
        for view in views
    ]
