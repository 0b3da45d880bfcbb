"""How billable metrics are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, exists, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.conditions import among, holding
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.db.tables import (
    alerts,
    billable_metric_filters,
    billable_metrics,
    billing_records,
    charge_filters,
    charges,
    invoices,
    plans,
    subscriptions,
)
from tallymark.rooms.billable_metrics.model import (
    AggregationType,
    BillableMetric,
    ChargeOn,
    FilterOn,
    MetricFilter,
)

LIVE = billable_metrics.c.deleted_at.is_(None)

_filters = (
    select(func.json_object_agg(billable_metric_filters.c.key, billable_metric_filters.c["values"]))
    .where(billable_metric_filters.c.billable_metric_id == billable_metrics.c.id)
    .scalar_subquery()
)
_SELECT: Select[Any] = select(billable_metrics, _filters.label("filters"))


async def insert_metric(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(billable_metrics), dict(values))


async def update_metric(tx: Tx, metric_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(billable_metrics).where(billable_metrics.c.id == metric_id).values(**values))


async def replace_filters(tx: Tx, metric_id: UUID, filters: Sequence[MetricFilter], *, now: datetime) -> None:
    """Make a metric's filters the given ones."""
    of_metric = billable_metric_filters.c.billable_metric_id == metric_id
    await tx.execute(delete(billable_metric_filters).where(of_metric))
    if filters:
        common = {"organization_id": tx.organization_id, "billable_metric_id": metric_id}
        await tx.execute(
            insert(billable_metric_filters),
            [
                {
                    "id": new_id(),
                    **common,
                    "key": item.key,
                    "values": list(item.values),
                    "created_at": now,
                    "updated_at": now,
                }
                for item in filters
            ],
        )


async def find_metric(tx: Tx, code: str) -> BillableMetric | None:
    found = await _load(tx, _SELECT.where(LIVE, billable_metrics.c.code == code))
    return found[0] if found else None


async def get_metrics(
    tx: Tx, ids: Collection[UUID], *, live_only: bool = False
) -> dict[UUID, BillableMetric]:
    """Metrics by id; old charges name deleted ones."""
    statement = _SELECT.where(among(billable_metrics.c.id, ids))
    found = await _load(tx, statement.where(LIVE) if live_only else statement)
    return {metric.id: metric for metric in found}


async def list_metrics(tx: Tx, page: Page, search_term: str | None) -> tuple[list[BillableMetric], int]:
    shown = LIVE & holding(search_term, billable_metrics.c.name, billable_metrics.c.code)
    total = (await tx.execute(select(func.count()).select_from(billable_metrics).where(shown))).scalar_one()
    statement = (
        _SELECT.where(shown)
        .order_by(billable_metrics.c.created_at.desc(), billable_metrics.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return await _load(tx, statement), int(total)


async def charges_on(tx: Tx, metric_id: UUID) -> list[ChargeOn]:
    """The live charges on a metric, by plan."""
    own = (
        (subscriptions.c.plan_id == plans.c.id)
        & plans.c.parent_id.is_not(None)
        & subscriptions.c.status.in_(("active", "pending", "incomplete"))
    )
    column = charges.c
    statement = (
        select(
            *(column[name] for name in ("id", "plan_id", "code", "charge_model", "properties")),
            plans.c.parent_id.is_not(None).label("is_of_child"),
            subscriptions.c.id.label("subscription_id"),
        )
        .join(plans, plans.c.id == column.plan_id)
        .outerjoin(subscriptions, own)
        .where(
            column.billable_metric_id == metric_id, column.deleted_at.is_(None), plans.c.deleted_at.is_(None)
        )
        .order_by(plans.c.created_at, plans.c.id, column.created_at, column.id, subscriptions.c.id)
    )
    return [ChargeOn(**row._mapping) for row in await tx.execute(statement)]


async def charge_filters_on(tx: Tx, metric_id: UUID) -> list[FilterOn]:
    """The live filters of charges on a metric, in their order."""
    statement = (
        select(charge_filters.c.id, charge_filters.c.charge_id, charge_filters.c["values"].label("listed"))
        .join(charges, charges.c.id == charge_filters.c.charge_id)
        .where(charges.c.billable_metric_id == metric_id, charge_filters.c.deleted_at.is_(None))
    )
    rows = await tx.execute(statement.order_by(charge_filters.c.position, charge_filters.c.id))
    return [FilterOn(id=row.id, charge_id=row.charge_id, values=row.listed) for row in rows]


async def change_charge_filters(
    tx: Tx, changed: Mapping[UUID, Mapping[str, list[str]]], *, at: datetime
) -> None:
    """Give charge filters other values; one without any is deleted."""
    gone = [filter_id for filter_id, values in changed.items() if not values]
    if gone:
        statement = update(charge_filters).where(charge_filters.c.id.in_(gone))
        await tx.execute(statement.values(deleted_at=at, updated_at=at))
    kept = [
        {"row_id": filter_id, "new_values": dict(values), "at": at}
        for filter_id, values in changed.items()
        if values
    ]
    if kept:
        trimmed = update(charge_filters).where(charge_filters.c.id == bindparam("row_id"))
        await tx.execute(
            trimmed.values({"values": bindparam("new_values"), "updated_at": bindparam("at")}), kept
        )


async def drafts_using(tx: Tx, metric_id: UUID) -> list[tuple[UUID, UUID]]:
    """Ids of the drafts that bill a plan with a charge on the metric, and of their customers."""
    statement = (
        select(invoices.c.id, invoices.c.customer_id)
        .join(billing_records, billing_records.c.invoice_id == invoices.c.id)
        .join(subscriptions, subscriptions.c.id == billing_records.c.subscription_id)
        .join(charges, charges.c.plan_id == subscriptions.c.plan_id)
        .where(charges.c.billable_metric_id == metric_id, invoices.c.status == "draft")
        .distinct()
    )
    return [(row.id, row.customer_id) for row in await tx.execute(statement)]


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
    """Soft-delete a metric, its charges and its alerts; return the alerts that went with it."""
    gone = {"deleted_at": at, "updated_at": at}
    await tx.execute(update(billable_metrics).where(billable_metrics.c.id == metric_id).values(**gone))
    watching = (alerts.c.billable_metric_id == metric_id) & alerts.c.deleted_at.is_(None)
    lost = await tx.execute(update(alerts).where(watching).values(**gone).returning(alerts.c.id))
    of_metric = (charges.c.billable_metric_id == metric_id) & charges.c.deleted_at.is_(None)
    await tx.execute(update(charges).where(of_metric).values(**gone))
    return list(lost.scalars())


async def _load(tx: Tx, statement: Select[Any]) -> list[BillableMetric]:
    return [_as_value(row) for row in await tx.execute(statement)]


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
        filters=tuple(
            MetricFilter(key=key, values=tuple(sorted(values)))
            for key, values in sorted((row.filters or {}).items())
        ),
        created_at=row.created_at,
    )
