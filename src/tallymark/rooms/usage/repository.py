"""What was billed for usage, period by period."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, func, or_, select

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    billable_metrics,
    billing_records,
    charges,
    invoices,
    subscriptions,
    usage_adjustments,
)
from tallymark.domain.calendar import Window
from tallymark.domain.periods import Period, local_date
from tallymark.domain.values import value

HIDDEN = ("generating", "open", "closed", "deleted")


@value
class Bill:
    """A bill of a window of usage; `finalized_at` is when its first invoice was final, None of a draft."""

    invoice_id: UUID
    timezone: str
    from_at: datetime
    to_at: datetime
    wire_to_at: datetime
    full_from_at: datetime
    full_to_at: datetime
    finalized_at: datetime | None

    @property
    def window(self) -> Window:
        """The window as it was billed."""
        zone = ZoneInfo(self.timezone)
        return Window(
            period=Period(self.from_at, self.to_at),
            wire_to=self.wire_to_at,
            full_days=(local_date(self.full_to_at, zone) - local_date(self.full_from_at, zone)).days,
            full_period=Period(self.full_from_at, self.full_to_at),
        )


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


async def corrected_charges(tx: Tx, subscription_id: UUID, charge_ids: Collection[UUID]) -> set[UUID]:
    """The charges of a subscription of which corrected events cost otherwise than was billed, in whatever period."""
    column = usage_adjustments.c
    statement = select(column.charge_id).where(
        column.subscription_id == subscription_id, among(column.charge_id, charge_ids)
    )
    return set((await tx.execute(statement.distinct())).scalars())


async def bills_before(tx: Tx, subscription_id: UUID, window: Period) -> list[Bill]:
    """The bills whose windows of usage end where periods within a window begin, the first one first.

    None from before bills told of their full periods.
    """
    record = billing_records.c
    statement = (
        select(
            record.invoice_id,
            invoices.c.timezone,
            record.charges_from_at.label("from_at"),
            record.charges_to_at.label("to_at"),
            record.wire_charges_to_at.label("wire_to_at"),
            record.charges_full_from_at.label("full_from_at"),
            record.charges_full_to_at.label("full_to_at"),
            invoices.c.finalized_at,
        )
        .join(invoices, invoices.c.id == record.invoice_id)
        .where(
            record.subscription_id == subscription_id,
            record.is_recurring,
            record.charges_to_at >= window.start,
            record.charges_to_at < window.end,
            record.charges_full_from_at.is_not(None),
            record.charges_from_at < record.charges_to_at,
            # Of one that was made anew in another's place, the first one has the window.
            invoices.c.voided_invoice_id.is_(None),
            or_(invoices.c.finalized_at.is_not(None), invoices.c.status == "draft"),
        )
        .order_by(record.charges_to_at, record.id)
    )
    return [Bill(**row._mapping) for row in await tx.execute(statement)]
