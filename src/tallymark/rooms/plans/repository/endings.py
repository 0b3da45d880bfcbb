"""Who is on a plan and its children, when the plan is deleted or its price changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, exists, or_, select, update

from tallymark.db.engine import Tx
from tallymark.db.tables import agenda, billing_records, invoices, plans, subscriptions
from tallymark.jobs.agenda import Kind

LIVE = ("active", "pending", "incomplete")
ENDING = (int(Kind.END_WITH_PLAN), int(Kind.DELETE_PLAN))


def _family(plan_id: UUID) -> ColumnElement[bool]:
    """A plan and its children, as far as they are not deleted."""
    return or_(plans.c.id == plan_id, plans.c.parent_id == plan_id) & plans.c.deleted_at.is_(None)


def _is_live() -> ColumnElement[bool]:
    return subscriptions.c.status.in_(LIVE)


def _has_draft() -> ColumnElement[bool]:
    return exists().where(
        billing_records.c.subscription_id == subscriptions.c.id,
        billing_records.c.invoice_id == invoices.c.id,
        invoices.c.status == "draft",
    )


def _on_family(plan_id: UUID) -> Select[Any]:
    return (
        select(
            subscriptions.c.id,
            subscriptions.c.customer_id,
        )
        .join(plans, plans.c.id == subscriptions.c.plan_id)
        .where(_family(plan_id))
    )


async def mark_pending(tx: Tx, plan_id: UUID, *, at: datetime) -> None:
    """Say of a plan and its children that they are being deleted."""
    statement = update(plans).where(_family(plan_id))
    await tx.execute(statement.values(pending_deletion=True, updated_at=at))


async def delete_family(tx: Tx, plan_id: UUID, *, at: datetime) -> None:
    """Soft-delete a plan and its children."""
    gone = {"pending_deletion": False, "deleted_at": at, "updated_at": at}
    await tx.execute(update(plans).where(_family(plan_id)).values(**gone))


async def pending_plans(tx: Tx) -> list[UUID]:
    """The top-level plans that are being deleted."""
    found = select(plans.c.id).where(plans.c.pending_deletion, plans.c.parent_id.is_(None))
    return list((await tx.execute(found.where(plans.c.deleted_at.is_(None)).order_by(plans.c.id))).scalars())


async def to_end(tx: Tx, plan_id: UUID) -> Sequence[Row[Any]]:
    """The subscriptions on a plan or its children that live or that a draft bills."""
    statement = _on_family(plan_id).where(or_(_is_live(), _has_draft()))
    return (await tx.execute(statement.order_by(subscriptions.c.id))).all()


async def active_on(tx: Tx, plan_id: UUID) -> Sequence[Row[Any]]:
    """The active subscriptions on a plan or its children."""
    statement = _on_family(plan_id).where(subscriptions.c.status == "active")
    return (await tx.execute(statement.order_by(subscriptions.c.id))).all()


async def is_ending(tx: Tx, plan_id: UUID, *, besides: Sequence[UUID]) -> bool:
    """Whether other subscriptions on the plan or its children still have their end on the agenda."""
    noted = exists().where(agenda.c.subject_id == subscriptions.c.id, agenda.c.kind.in_(ENDING))
    others = _on_family(plan_id).where(noted, subscriptions.c.id.not_in(besides)).limit(1)
    return (await tx.execute(others)).first() is not None


async def waiting_from(tx: Tx, plan_id: UUID) -> Sequence[Row[Any]]:
    """Plan changes that wait for the end of an active subscription on the plan: whose, and to which amount."""
    before = subscriptions.alias("before")
    statement = (
        select(subscriptions.c.id, subscriptions.c.customer_id, plans.c.amount_cents)
        .join(before, before.c.id == subscriptions.c.previous_subscription_id)
        .join(plans, plans.c.id == subscriptions.c.plan_id)
        .where(subscriptions.c.status == "pending", before.c.status == "active", before.c.plan_id == plan_id)
    )
    return (await tx.execute(statement)).all()


async def waiting_for(tx: Tx, plan_id: UUID) -> Sequence[Row[Any]]:
    """Plan changes that wait to begin the plan: whose, and the interval and amount of the plan that they leave."""
    before = subscriptions.alias("before")
    statement = (
        select(subscriptions.c.id, subscriptions.c.customer_id, plans.c.amount_cents, plans.c.interval)
        .join(before, before.c.id == subscriptions.c.previous_subscription_id)
        .join(plans, plans.c.id == before.c.plan_id)
        .where(subscriptions.c.status == "pending", subscriptions.c.plan_id == plan_id)
        .where(before.c.status == "active")
    )
    return (await tx.execute(statement)).all()
