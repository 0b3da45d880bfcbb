"""How billable metrics are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.tables import billable_metrics, charges, plans
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric

LIVE = billable_metrics.c.deleted_at.is_(None)


async def insert_metric(tx: Tx, values: Mapping[str, Any]) -> BillableMetric:
    row = await tx.execute(insert(billable_metrics).returning(*billable_metrics.c), dict(values))
    return _as_value(row.one())


async def update_metric(tx: Tx, metric_id: UUID, values: Mapping[str, Any]) -> BillableMetric:
    statement = (
        update(billable_metrics)
        .where(billable_metrics.c.id == metric_id)
        .values(**values)
        .returning(*billable_metrics.c)
    )
    return _as_value((await tx.execute(statement)).one())


async def find_metric(tx: Tx, code: str) -> BillableMetric | None:
    row = (await tx.execute(select(billable_metrics).where(LIVE, billable_metrics.c.code == code))).first()
    return _as_value(row) if row else None


async def get_metrics(
    tx: Tx, ids: Collection[UUID], *, live_only: bool = False
) -> dict[UUID, BillableMetric]:
    """Metrics by id; old charges name deleted ones."""
    statement = select(billable_metrics).where(billable_metrics.c.id.in_(ids))
    rows = await tx.execute(statement.where(LIVE) if live_only else statement)
    return {row.id: _as_value(row) for row in rows}


async def list_metrics(tx: Tx, page: Page) -> tuple[list[BillableMetric], int]:
    total = (await tx.execute(select(func.count()).select_from(billable_metrics).where(LIVE))).scalar_one()
    statement = (
        select(billable_metrics)
        .where(LIVE)
        .order_by(billable_metrics.c.created_at.desc(), billable_metrics.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_value(row) for row in await tx.execute(statement)], int(total)


async def is_attached(tx: Tx, metric_id: UUID) -> bool:
    """Whether a live charge of a live plan uses the metric."""
    used = (
        select(charges.c.id)
        .join(plans, plans.c.id == charges.c.plan_id)
        .where(charges.c.billable_metric_id == metric_id)
        .where(charges.c.deleted_at.is_(None), plans.c.deleted_at.is_(None))
    )
    return bool((await tx.execute(select(exists(used)))).scalar_one())


async def delete_metric(tx: Tx, metric_id: UUID, *, at: datetime) -> list[UUID]:
    """Soft-delete a metric and its charges; return the plans that lost one."""
    gone = {"deleted_at": at, "updated_at": at}
    await tx.execute(update(billable_metrics).where(billable_metrics.c.id == metric_id).values(**gone))
    of_metric = (charges.c.billable_metric_id == metric_id) & charges.c.deleted_at.is_(None)
    rows = await tx.execute(update(charges).where(of_metric).values(**gone).returning(charges.c.plan_id))
    return list(rows.scalars())


def _as_value(row: Row[Any]) -> BillableMetric:
    return BillableMetric(
        id=row.id,
        code=row.code,
        name=row.name,
        description=row.description,
        aggregation_type=AggregationType(row.aggregation_type),
        field_name=row.field_name,
        recurring=row.recurring,
        weighted_interval=row.weighted_interval,
        rounding_function=row.rounding_function,
        rounding_precision=row.rounding_precision,
        expression=row.expression,
        created_at=row.created_at,
    )
