"""What a call changes of the terms that are one subscription's own, for the activity log (platform §10.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.activity import Changes, below, differences
from tallymark.jobs.outbox import log_change
from tallymark.rooms.plans import service as plans
from tallymark.rooms.plans import traces as of_plans
from tallymark.rooms.plans.model import FixedCharge, Plan
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import OwnUnits, Subscription
from tallymark.rooms.subscriptions.service import fixed_units
from tallymark.rooms.subscriptions.service.sections import sections_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a subscription is priced by, and what hangs on it; `plan` has the units of its own."""

    plan: Plan
    rest: Mapping[str, Any]


@asynccontextmanager
async def traced(tx: Tx, subscription: Subscription, *, now: datetime) -> AsyncIterator[None]:
    """Log what a block changes of a subscription's own terms: its prices, units, thresholds, sections and activation rules.

    Its columns are not among them: whoever changes those tells the outside, too.
    """
    # What was before is what the change meets: nobody changes it meanwhile.
    await tx.lock("customer", subscription.customer_id)
    before = await _terms(tx, subscription.id)
    yield
    found = _changes(before, await _terms(tx, subscription.id))
    await log_change(tx, "subscription.updated", subscription.id, found, now=now)


async def _terms(tx: Tx, subscription_id: UUID) -> Terms:
    (subscription,) = await repository.get_subscriptions(tx, [subscription_id])
    plan = (await plans.get_plans(tx, {subscription.plan_id}))[subscription.plan_id]
    own = await fixed_units.own_units(tx, subscription_id)
    thresholds = (await repository.thresholds_of(tx, {subscription_id})).get(subscription_id, ())
    sections = (await sections_of(tx, [subscription_id])).get(subscription_id, ())
    rules = (await repository.rules_of(tx, [subscription_id])).get(subscription_id, ())
    rest = {
        "plan_overridden": plan.parent_id is not None,
        "usage_thresholds": [of_plans.terms_of(one) for one in thresholds],
        "invoice_custom_section_codes": sorted(section.code for section in sections),
        "skip_invoice_custom_sections": subscription.skip_invoice_custom_sections,
        "activation_rules": [{"type": rule.rule_type, "timeout_hours": rule.timeout_hours} for rule in rules],
    }
    return Terms(plan=_with_units(plan, own), rest=rest)


def _with_units(plan: Plan, own: Mapping[UUID, OwnUnits]) -> Plan:
    """The plan as the subscription has it."""

    def held(charge: FixedCharge) -> FixedCharge:
        units = own.get(charge.id)
        if units is None:
            return charge
        return replace(charge, units=units.units, apply_units_immediately=units.apply_immediately)

    return replace(plan, fixed_charges=tuple(map(held, plan.fixed_charges)))


def _changes(before: Terms, after: Terms) -> Changes:
    of_plan = of_plans.changes_between(before.plan, after.plan)
    return {
        **differences(before.rest, after.rest),
        **below("plan", of_plan),
    }
