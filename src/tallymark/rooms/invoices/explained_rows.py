"""Reads what invoices' totals follow from, for a whole wave at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    fees,
    fees_applied_taxes,
    invoice_credits,
    invoices,
    wallet_transactions,
    wallets,
)
from tallymark.domain.fees.model import FeeType
from tallymark.domain.invoicing.explain import ExplainedCredit, ExplainedFee, ExplainedTax


async def fees_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[ExplainedFee]]:
    """The fees of invoices with their taxes, in the order of their lines."""
    column, tax = fees.c, fees_applied_taxes.c
    taxes: dict[UUID, list[ExplainedTax]] = defaultdict(list)
    of_fees = (
        select(tax.fee_id, tax.tax_code, tax.tax_name, tax.tax_rate)
        .join(fees, column.id == tax.fee_id)
        .where(among(column.invoice_id, invoice_ids))
        .order_by(tax.created_at, tax.id)
    )
    for row in await tx.execute(of_fees):
        taxes[row.fee_id].append(ExplainedTax(code=row.tax_code, name=row.tax_name, rate=row.tax_rate))
    statement = (
        select(
            column.id,
            column.invoice_id,
            column.fee_type,
            column.amount_cents,
            column.precise_coupons_amount_cents,
            column.taxes_amount_cents,
        )
        .where(among(column.invoice_id, invoice_ids))
        .order_by(column.position, column.id)
    )
    found: dict[UUID, list[ExplainedFee]] = defaultdict(list)
    for row in await tx.execute(statement):
        fee = ExplainedFee(
            id=str(row.id),
            fee_type=FeeType(row.fee_type),
            amount_cents=row.amount_cents,
            deducted_cents=row.precise_coupons_amount_cents,
            taxes_amount_cents=row.taxes_amount_cents,
            taxes=tuple(taxes[row.id]),
        )
        found[row.invoice_id].append(fee)
    return found


async def credits_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[ExplainedCredit]]:
    """What was taken off invoices, in the order in which it was."""
    column = invoice_credits.c
    statement = (
        select(invoice_credits)
        .where(among(column.invoice_id, invoice_ids))
        .order_by(column.created_at, column.id)
    )
    found: dict[UUID, list[ExplainedCredit]] = defaultdict(list)
    for row in await tx.execute(statement):
        credit = ExplainedCredit(
            kind=row.item_type,
            code=row.item_code,
            name=row.item_name,
            amount_cents=row.amount_cents,
            terms=row.terms,
        )
        found[row.invoice_id].append(credit)
    return found


async def wallets_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[tuple[str, int]]]:
    """(code, minor units) of each wallet that paid something of an invoice."""
    column = wallet_transactions.c
    statement = (
        select(column.invoice_id, wallets.c.code, column.amount_cents)
        .join(wallets, wallets.c.id == column.wallet_id)
        .where(among(column.invoice_id, invoice_ids), column.transaction_status == "invoiced")
        .order_by(column.created_at, column.id)
    )
    found: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    for row in await tx.execute(statement):
        found[row.invoice_id].append((row.code, row.amount_cents))
    return found


async def kept_of(tx: Tx, invoice_id: UUID) -> list[dict[str, Any]] | None:
    """The explanation that was kept when an invoice was issued."""
    found: list[dict[str, Any]] | None = (
        await tx.execute(select(invoices.c.explanation).where(invoices.c.id == invoice_id))
    ).scalar_one()
    return found


async def organization_of(connection: AsyncConnection, invoice_id: UUID) -> UUID | None:
    """Whose invoice it is."""
    statement = select(invoices.c.organization_id).where(invoices.c.id == invoice_id)
    found: UUID | None = (await connection.execute(statement)).scalar_one_or_none()
    return found
