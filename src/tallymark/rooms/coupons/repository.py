"""How coupons are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, insert, or_, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among, holding
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    applied_coupons,
    billable_metrics,
    charges,
    coupon_targets,
    coupons,
    customers,
    invoice_credits,
    invoices,
    plans,
)
from tallymark.rooms.coupons.model import (
    AppliedCoupon,
    AppliedView,
    Coupon,
    CouponType,
    Expiration,
    Filters,
    Frequency,
    Status,
    Targets,
)

UNUSED = ("voided", "closed")
"""Invoices of these statuses take nothing of a coupon."""


async def insert_coupon(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(coupons), dict(values))


async def update_coupon(tx: Tx, coupon_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(coupons).where(coupons.c.id == coupon_id).values(**values))


async def find_coupon(tx: Tx, code: str) -> Coupon | None:
    statement = select(coupons).where(coupons.c.code == code, coupons.c.deleted_at.is_(None))
    row = (await tx.execute(statement)).first()
    return _as_coupon(row) if row else None


async def get_coupons(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Coupon]:
    rows = await tx.execute(select(coupons).where(among(coupons.c.id, ids)))
    return {row.id: _as_coupon(row) for row in rows}


async def list_coupons(tx: Tx, page: Page, search_term: str | None) -> tuple[list[Coupon], int]:
    """Active ones first, then by how and when they end."""
    shown = coupons.c.deleted_at.is_(None) & holding(search_term, coupons.c.name, coupons.c.code)
    total = (await tx.execute(select(func.count()).select_from(coupons).where(shown))).scalar_one()
    statement = (
        select(coupons)
        .where(shown)
        .order_by(
            case((coupons.c.status == Status.ACTIVE, 0), else_=1),
            case((coupons.c.expiration == Expiration.NONE, 0), else_=1),
            coupons.c.expiration_at.asc().nulls_last(),
            coupons.c.created_at.desc(),
            coupons.c.id,
        )
    )
    rows = await tx.execute(statement.limit(page.size).offset(page.offset))
    return [_as_coupon(row) for row in rows], int(total)


async def expire(tx: Tx, ids: Collection[UUID], *, at: datetime) -> list[UUID]:
    """Terminate those of these coupons that are still active and whose time has come; which these were."""
    statement = update(coupons).where(
        among(coupons.c.id, ids),
        coupons.c.status == Status.ACTIVE,
        coupons.c.expiration == Expiration.TIME_LIMIT,
        coupons.c.expiration_at <= at,
    )
    ended = statement.values(status=Status.TERMINATED, terminated_at=at, updated_at=at)
    return sorted((await tx.execute(ended.returning(coupons.c.id))).scalars())


async def replace_targets(tx: Tx, coupon_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    await tx.execute(coupon_targets.delete().where(coupon_targets.c.coupon_id == coupon_id))
    await insert_rows(tx, coupon_targets, rows)


async def find_plans(tx: Tx, codes: Collection[str]) -> dict[str, UUID]:
    """Top-level plans by code."""
    statement = select(plans.c.code, plans.c.id).where(
        plans.c.code.in_(codes), plans.c.parent_id.is_(None), plans.c.deleted_at.is_(None)
    )
    return {row.code: row.id for row in await tx.execute(statement)}


async def find_metrics(tx: Tx, codes: Collection[str]) -> dict[str, UUID]:
    statement = select(billable_metrics.c.code, billable_metrics.c.id).where(
        billable_metrics.c.code.in_(codes), billable_metrics.c.deleted_at.is_(None)
    )
    return {row.code: row.id for row in await tx.execute(statement)}


async def targets_of(tx: Tx, coupon_ids: Collection[UUID]) -> dict[UUID, Targets]:
    """What limited coupons are for; others are left out."""
    table = coupon_targets
    statement = (
        select(
            table.c.coupon_id,
            plans.c.id.label("plan_id"),
            plans.c.code.label("plan_code"),
            billable_metrics.c.id.label("metric_id"),
            billable_metrics.c.code.label("metric_code"),
        )
        .select_from(
            table.outerjoin(plans, plans.c.id == table.c.plan_id).outerjoin(
                billable_metrics, billable_metrics.c.id == table.c.billable_metric_id
            )
        )
        .where(among(table.c.coupon_id, coupon_ids))
        .order_by(plans.c.code, billable_metrics.c.code)
    )
    found: dict[UUID, tuple[dict[UUID, str], dict[UUID, str]]] = {}
    for row in await tx.execute(statement):
        of_plans, of_metrics = found.setdefault(row.coupon_id, ({}, {}))
        if row.plan_id is not None:
            of_plans[row.plan_id] = row.plan_code
        else:
            of_metrics[row.metric_id] = row.metric_code
    return {key: Targets(plans=p, billable_metrics=m) for key, (p, m) in found.items()}


async def is_ever_applied(tx: Tx, coupon_id: UUID, *, customer_id: UUID | None = None) -> bool:
    """Whether a coupon was given to anybody, or to one customer; what came of it does not matter."""
    found = exists().where(applied_coupons.c.coupon_id == coupon_id)
    if customer_id is not None:
        found = found.where(applied_coupons.c.customer_id == customer_id)
    return bool((await tx.execute(select(found))).scalar_one())


async def overlaps(tx: Tx, *, customer_id: UUID, targets: Targets) -> bool:
    """Whether an active coupon of a customer touches the same plans or metrics, or one through the other (§16.2)."""
    active = select(coupon_targets.c.plan_id, coupon_targets.c.billable_metric_id).join(
        applied_coupons, applied_coupons.c.coupon_id == coupon_targets.c.coupon_id
    )
    found = active.where(
        applied_coupons.c.customer_id == customer_id,
        applied_coupons.c.status == Status.ACTIVE,
        or_(
            coupon_targets.c.plan_id.in_([*targets.plans]),
            coupon_targets.c.billable_metric_id.in_([*targets.billable_metrics]),
            coupon_targets.c.plan_id.in_(_charged(charges.c.plan_id, metrics=[*targets.billable_metrics])),
            coupon_targets.c.billable_metric_id.in_(
                _charged(charges.c.billable_metric_id, plans=[*targets.plans])
            ),
        ),
    )
    return (await tx.execute(found.limit(1))).first() is not None


def _charged(
    column: ColumnElement[UUID], *, plans: Sequence[UUID] = (), metrics: Sequence[UUID] = ()
) -> Select[UUID]:
    one_of = or_(charges.c.plan_id.in_(plans), charges.c.billable_metric_id.in_(metrics))
    return select(column).where(one_of, charges.c.deleted_at.is_(None))


async def insert_applied(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(applied_coupons), dict(values))


async def update_applied(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of many; `id` tells which."""
    await update_rows(tx, applied_coupons, rows)


async def terminate_applied(tx: Tx, coupon_id: UUID, *, at: datetime) -> list[UUID]:
    """End a coupon for all whom it was given to; the ids of what they had."""
    statement = update(applied_coupons).where(
        applied_coupons.c.coupon_id == coupon_id, applied_coupons.c.status == Status.ACTIVE
    )
    ended = statement.values(status=Status.TERMINATED, terminated_at=at, updated_at=at)
    return sorted((await tx.execute(ended.returning(applied_coupons.c.id))).scalars())


_USED = (
    select(func.coalesce(func.sum(invoice_credits.c.amount_cents), 0))
    .join(invoices, invoices.c.id == invoice_credits.c.invoice_id)
    .where(invoice_credits.c.applied_coupon_id == applied_coupons.c.id, invoices.c.status.not_in(UNUSED))
    .scalar_subquery()
)
_VIEWS: Select[Any] = select(
    applied_coupons,
    *(column.label(f"of_{column.name}") for column in coupons.c),
    customers.c.external_id.label("external_customer_id"),
    (_USED + applied_coupons.c.used_elsewhere_cents).label("used_cents"),
).select_from(
    applied_coupons.join(coupons, coupons.c.id == applied_coupons.c.coupon_id).join(
        customers, customers.c.id == applied_coupons.c.customer_id
    )
)


async def active_of(tx: Tx, customer_ids: Collection[UUID]) -> list[AppliedView]:
    statement = _VIEWS.where(
        among(applied_coupons.c.customer_id, customer_ids), applied_coupons.c.status == Status.ACTIVE
    )
    return [_as_view(row) for row in await tx.execute(statement)]


async def used_by(tx: Tx, invoice_id: UUID) -> list[AppliedView]:
    """The applied coupons that an invoice took something of."""
    of_invoice = select(invoice_credits.c.applied_coupon_id).where(
        invoice_credits.c.invoice_id == invoice_id, invoice_credits.c.applied_coupon_id.is_not(None)
    )
    rows = await tx.execute(_VIEWS.where(applied_coupons.c.id.in_(of_invoice)))
    return [_as_view(row) for row in rows]


async def find_applied(tx: Tx, applied_id: UUID) -> AppliedView | None:
    row = (await tx.execute(_VIEWS.where(applied_coupons.c.id == applied_id))).first()
    return _as_view(row) if row else None


async def get_applied(tx: Tx, ids: Collection[UUID]) -> list[AppliedView]:
    return [_as_view(row) for row in await tx.execute(_VIEWS.where(among(applied_coupons.c.id, ids)))]


async def list_applied(tx: Tx, filters: Filters, page: Page) -> tuple[list[AppliedView], int]:
    found = _VIEWS.where(*_conditions(filters))
    total = (await tx.execute(select(func.count()).select_from(found.subquery()))).scalar_one()
    newest = found.order_by(applied_coupons.c.created_at.desc(), applied_coupons.c.id)
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_view(row) for row in rows], int(total)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.external_customer_id is not None:
        yield customers.c.external_id == filters.external_customer_id
        yield customers.c.deleted_at.is_(None)
    if filters.status is not None:
        yield applied_coupons.c.status == filters.status
    if filters.coupon_codes:
        yield coupons.c.code.in_(filters.coupon_codes)


def _as_coupon(row: Row[Any], prefix: str = "") -> Coupon:
    values = {name: getattr(row, prefix + name) for name in Coupon.__slots__}
    return Coupon(
        **{
            **values,
            "coupon_type": CouponType(values["coupon_type"]),
            "frequency": Frequency(values["frequency"]),
            "expiration": Expiration(values["expiration"]),
            "status": Status(values["status"]),
        }
    )


def _as_view(row: Row[Any]) -> AppliedView:
    values = {name: getattr(row, name) for name in AppliedCoupon.__slots__}
    own = {"frequency": Frequency(values["frequency"]), "status": Status(values["status"])}
    return AppliedView(
        applied=AppliedCoupon(**{**values, **own}),
        coupon=_as_coupon(row, "of_"),
        external_customer_id=row.external_customer_id,
        used_cents=int(row.used_cents),
    )
