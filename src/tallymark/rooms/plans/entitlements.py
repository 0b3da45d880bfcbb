"""What plans grant of features: the plan found, and its change told (platform §11)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.entitlements import service as entitlements
from tallymark.rooms.entitlements.inputs import Sent
from tallymark.rooms.entitlements.model import Grant, changes_between, named
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.service import get_plan


async def grants_of(tx: Tx, plans: Sequence[Plan]) -> dict[UUID, tuple[Grant, ...]]:
    """What each plan grants, by its id; a child grants what its parent does (pricing §12.1)."""
    found = await entitlements.of_plans(tx, {plan.parent_id or plan.id for plan in plans})
    return {plan.id: found.get(plan.parent_id or plan.id, ()) for plan in plans}


async def list_grants(tx: Tx, code: str) -> tuple[Grant, ...]:
    """What a plan grants. Raises `NotFound("plan")`."""
    plan = await get_plan(tx, code=code)
    return (await grants_of(tx, [plan]))[plan.id]


async def get_grant(tx: Tx, code: str, feature_code: str) -> Grant:
    """What a plan grants of one feature. Raises `NotFound("plan")` and `NotFound("entitlement")`."""
    plan = await get_plan(tx, code=code)
    return await entitlements.find_grant(tx, plan.id, feature_code)


async def replace_grants(tx: Tx, code: str, sent: Sent, *, now: datetime) -> tuple[Grant, ...]:
    """Make a plan's grants those that are sent. Raises `NotFound` and `Invalid`; nothing is changed then."""
    plan = await get_plan(tx, code=code)
    async with _told(tx, plan, now=now):
        return await entitlements.replace_grants(tx, plan.id, sent, now=now)


async def merge_grants(tx: Tx, code: str, sent: Sent, *, now: datetime) -> tuple[Grant, ...]:
    """Add what is sent to a plan's grants. Raises `NotFound` and `Invalid`; nothing is changed then."""
    plan = await get_plan(tx, code=code)
    async with _told(tx, plan, now=now):
        return await entitlements.merge_grants(tx, plan.id, sent, now=now)


async def remove_grant(tx: Tx, code: str, feature_code: str, *, now: datetime) -> Grant:
    """Take a feature from a plan. Raises `NotFound("plan")` and `NotFound("entitlement")`."""
    plan = await get_plan(tx, code=code)
    async with _told(tx, plan, now=now):
        return await entitlements.remove_grant(tx, plan.id, feature_code, now=now)


async def remove_value(tx: Tx, code: str, feature_code: str, privilege_code: str, *, now: datetime) -> Grant:
    """Take one value from what a plan grants. Raises `NotFound` of the plan, the entitlement or the privilege."""
    plan = await get_plan(tx, code=code)
    async with _told(tx, plan, now=now):
        return await entitlements.remove_value(tx, plan.id, feature_code, privilege_code, now=now)


@asynccontextmanager
async def _told(tx: Tx, plan: Plan, *, now: datetime) -> AsyncIterator[None]:
    """Tell what a block changes of a plan's grants. Nobody else changes them meanwhile."""
    await entitlements.lock_plan(tx, plan.id)
    before = (await grants_of(tx, [plan]))[plan.id]
    yield
    after = (await grants_of(tx, [plan]))[plan.id]
    told = Message(
        webhook_type="plan.updated",
        object_type="plan",
        object_id=plan.id,
        changes=changes_between(named(before), named(after)),
    )
    await emit(tx, told, now=now)
