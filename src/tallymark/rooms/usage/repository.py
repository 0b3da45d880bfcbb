"""What was billed for usage, period by period."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import billable_metrics, billing_records, charges, invoices, subscriptions

HIDDEN = ("generating", "open", "closed", "deleted")


async def list_periods(
    tx: Tx, *, customer_id: UUID, external_subscription_id: str, page: Page
) -> tuple[Sequence[Row[Any]], int]:
    """A page of (invoice, subscription) pairs with a window of usage, the newest window first."""
    column = billing_records.c
    found: Select[Any] = (
        select(
            column.invoice_id,
            column.subscription_id,
            column.charges_from_at,
            column.wire_charges_to_at,
            invoices.c.issuing_date,
            invoices.c.currency,
        )
        .join(invoices, invoices.c.id == column.invoice_id)
        .join(subscriptions, subscriptions.c.id == column.subscription_id)
        .where(
            subscriptions.c.customer_id == customer_id,
            subscriptions.c.external_id == external_subscription_id,
            column.charges_from_at.is_not(None),
            invoices.c.status.not_in(HIDDEN),
        )
    )
    total = (await tx.execute(select(func.count()).select_from(found.subquery()))).scalar_one()
    newest = found.order_by(column.charges_from_at.desc(), invoices.c.created_at.desc(), column.id)
    return (await tx.execute(newest.limit(page.size).offset(page.offset))).all(), int(total)


async def charges_by_id(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Row[Any]]:
    """Charges with their metrics, deleted ones too: past fees keep pointing to them."""
    statement = (
        select(
            charges.c.id,
            charges.c.code,
            charges.c.charge_model,
            charges.c.invoice_display_name,
            billable_metrics.c.id.label("metric_id"),
            billable_metrics.c.name.label("metric_name"),
            billable_metrics.c.code.label("metric_code"),
            billable_metrics.c.aggregation_type,
        )
        .join(billable_metrics, billable_metrics.c.id == charges.c.billable_metric_id)
        .where(among(charges.c.id, ids))
    )
    return {row.id: row for row in await tx.execute(statement)}
