"""How plans and charges are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.conditions import among, holding
from tallymark.db.engine import Tx
from tallymark.db.tables import billing_records, invoices, plans, subscriptions
from tallymark.rooms.plans.model import Plan

PlanRow = Row[Any]

IN_USE = ("active", "pending", "incomplete")
"""Statuses of subscriptions that run, or are to."""

LIVE = plans.c.deleted_at.is_(None) & plans.c.parent_id.is_(None)


async def insert_plan(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(plans), dict(values))


async def update_plan(tx: Tx, plan_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(plans).where(plans.c.id == plan_id).values(**values))


async def find_plan(tx: Tx, code: str) -> Row[Any] | None:
    return (await tx.execute(select(plans).where(LIVE, plans.c.code == code))).first()


async def get_plans(tx: Tx, ids: Collection[UUID]) -> Sequence[Row[Any]]:
    return (await tx.execute(select(plans).where(among(plans.c.id, ids)))).all()


async def list_plans(tx: Tx, page: Page, search_term: str | None) -> tuple[Sequence[Row[Any]], int]:
    shown = LIVE & holding(search_term, plans.c.name, plans.c.code)
    total = (await tx.execute(select(func.count()).select_from(plans).where(shown))).scalar_one()
    statement: Select[Any] = (
        select(plans)
        .where(shown)
        .order_by(plans.c.created_at.desc(), plans.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return (await tx.execute(statement)).all(), int(total)


async def is_attached(tx: Tx, plan_id: UUID) -> bool:
    """Whether any subscription, of any status, references this very plan."""
    found = select(exists().where(subscriptions.c.plan_id == plan_id))
    return bool((await tx.execute(found)).scalar_one())


async def children_in_use(tx: Tx, plan_id: UUID) -> Sequence[Row[Any]]:
    """The child plans that a subscription is on which is active or to come."""
    used = exists().where(subscriptions.c.plan_id == plans.c.id, subscriptions.c.status.in_(IN_USE))
    statement = select(plans).where(plans.c.parent_id == plan_id, plans.c.deleted_at.is_(None), used)
    return (await tx.execute(statement)).all()


async def cascade_amount(tx: Tx, plan: Plan, amount_cents: int, *, at: datetime) -> set[UUID]:
    """Give the new base price to all children that had the plan's old one; which they were."""
    same = (plans.c.parent_id == plan.id) & (plans.c.amount_cents == plan.amount_cents)
    changed = update(plans).where(same).values(amount_cents=amount_cents, updated_at=at)
    return set((await tx.execute(changed.returning(plans.c.id))).scalars())


async def live_subscriptions(tx: Tx, plan_id: UUID) -> list[tuple[UUID, UUID]]:
    """Ids of the active subscriptions on the plan, and of their customers."""
    statement = select(subscriptions.c.id, subscriptions.c.customer_id).where(
        subscriptions.c.plan_id == plan_id, subscriptions.c.status == "active"
    )
    return [(row.id, row.customer_id) for row in await tx.execute(statement)]


async def subscriptions_on(tx: Tx, plan_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Ids of the subscriptions on plans that run or are to, the oldest first, and of the plan of each."""
    statement = (
        select(subscriptions.c.id, subscriptions.c.plan_id)
        .where(among(subscriptions.c.plan_id, plan_ids), subscriptions.c.status.in_(IN_USE))
        .order_by(subscriptions.c.created_at, subscriptions.c.id)
    )
    return [(row.id, row.plan_id) for row in await tx.execute(statement)]


async def drafts_of(tx: Tx, plan_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Ids of the drafts that bill a subscription on the plans, and of their customers."""
    statement = (
        select(invoices.c.id, invoices.c.customer_id)
        .join(billing_records, billing_records.c.invoice_id == invoices.c.id)
        .join(subscriptions, subscriptions.c.id == billing_records.c.subscription_id)
        .where(among(subscriptions.c.plan_id, plan_ids), invoices.c.status == "draft")
        .distinct()
    )
    return [(row.id, row.customer_id) for row in await tx.execute(statement)]
