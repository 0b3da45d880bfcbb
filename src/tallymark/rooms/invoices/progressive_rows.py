"""How progressive invoices are found again: by the window they are for, what was drawn from them, the thresholds passed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, TIMESTAMP, Uuid, cast, delete, func, literal_column, select, tuple_

from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    applied_usage_thresholds,
    billing_records,
    invoice_credits,
    invoices,
    subscriptions,
)
from tallymark.domain.exact import Fraction
from tallymark.domain.values import names_of
from tallymark.rooms.invoices.model import AppliedThreshold, Draw, ProgressiveRecord, Reason
from tallymark.rooms.invoices.repository import as_invoice

_IS_PROGRESSIVE = billing_records.c.invoicing_reason == literal_column(f"'{Reason.PROGRESSIVE}'")
"""Said with a literal: only so the planner knows that the index of such records holds them all."""

UNDONE = ("voided", "closed", "deleted")
"""Statuses of invoices whose credits are free again."""


async def in_windows(tx: Tx, asked: Mapping[UUID, datetime]) -> list[ProgressiveRecord]:
    """Progressive invoices of subscriptions, voided ones too, whose windows hold an instant each; the oldest first."""
    column = billing_records.c
    wanted = (
        func.unnest(
            cast(list(asked), ARRAY(Uuid)), cast(list(asked.values()), ARRAY(TIMESTAMP(timezone=True)))
        )
        .table_valued("subscription_id", "at")
        .render_derived()
    )
    statement = (
        select(invoices, column.subscription_id, column.charges_from_at)
        .join(billing_records, column.invoice_id == invoices.c.id)
        .join(wanted, wanted.c.subscription_id == column.subscription_id)
        .where(
            _IS_PROGRESSIVE,
            column.charges_from_at <= wanted.c.at,
            column.charges_to_at > wanted.c.at,
        )
        .order_by(invoices.c.issuing_date, invoices.c.created_at, invoices.c.id)
    )
    return [
        ProgressiveRecord(
            invoice=as_invoice(row._asdict()),
            subscription_id=row.subscription_id,
            charges_from_at=row.charges_from_at,
        )
        for row in await tx.execute(statement)
    ]


async def draws_from(tx: Tx, source_ids: Collection[UUID]) -> list[Draw]:
    """What invoices took over of progressive ones."""
    column = invoice_credits.c
    statement = (
        select(column.progressive_invoice_id, column.invoice_id, column.amount_cents, invoices.c.status)
        .join(invoices, invoices.c.id == column.invoice_id)
        .where(among(column.progressive_invoice_id, source_ids))
    )
    return [
        Draw(
            source_id=row.progressive_invoice_id,
            invoice_id=row.invoice_id,
            amount_cents=row.amount_cents,
            stands=row.status not in UNDONE,
        )
        for row in await tx.execute(statement)
    ]


async def shares_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, dict[int, Fraction]]:
    """What the fees of invoices bear of what these took over, by invoice and the position of the fee."""
    column = invoice_credits.c
    statement = select(column.invoice_id, column.terms).where(
        among(column.invoice_id, invoice_ids), column.progressive_invoice_id.is_not(None)
    )
    found: dict[UUID, dict[int, Fraction]] = {}
    for row in await tx.execute(statement):
        for position, share in (row.terms or {}).get("shares", ()):
            of_invoice = found.setdefault(row.invoice_id, {})
            of_invoice[position] = of_invoice.get(position, Fraction(0)) + Fraction(share)
    return found


async def delete_draws(tx: Tx, invoice_id: UUID) -> None:
    """Take back what a draft took over of progressive invoices."""
    column = invoice_credits.c
    await tx.execute(
        delete(invoice_credits).where(
            column.invoice_id == invoice_id, column.progressive_invoice_id.is_not(None)
        )
    )


async def insert_applied(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, applied_usage_thresholds, rows)


async def applied_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[AppliedThreshold]]:
    """The thresholds that invoices were made for, the lowest first."""
    table = applied_usage_thresholds
    statement = select(table).where(among(table.c.invoice_id, invoice_ids)).order_by(table.c.level_cents)
    found: dict[UUID, list[AppliedThreshold]] = {}
    for row in await tx.execute(statement):
        item = AppliedThreshold(**{name: getattr(row, name) for name in names_of(AppliedThreshold)})
        found.setdefault(row.invoice_id, []).append(item)
    return found


async def applied_in_windows(tx: Tx, windows: Mapping[UUID, datetime]) -> list[AppliedThreshold]:
    """The thresholds that subscriptions have passed in windows that begin at an instant each."""
    table = applied_usage_thresholds
    wanted = tuple_(table.c.subscription_id, table.c.charges_from_at).in_(list(windows.items()))
    names = names_of(AppliedThreshold)
    return [
        AppliedThreshold(**{name: getattr(row, name) for name in names})
        for row in await tx.execute(select(table).where(wanted))
    ]


async def applied_in_chain(
    tx: Tx, *, external_subscription_id: str, subscription_at: datetime
) -> list[AppliedThreshold]:
    """All thresholds that a chain of subscriptions has passed, the latest last."""
    table = applied_usage_thresholds
    statement = (
        select(table)
        .join(subscriptions, subscriptions.c.id == table.c.subscription_id)
        .where(
            subscriptions.c.external_id == external_subscription_id,
            subscriptions.c.subscription_at == subscription_at,
        )
        .order_by(table.c.created_at, table.c.level_cents)
    )
    names = names_of(AppliedThreshold)
    return [
        AppliedThreshold(**{name: getattr(row, name) for name in names})
        for row in await tx.execute(statement)
    ]
