"""Invoices explain themselves: kept when they are issued, for nothing of it changes afterwards (beyond.md §1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.domain.invoicing.explain import (
    TOTALS,
    ExplainedFee,
    ExplainedInvoice,
    ExplainedTax,
    explain_invoice,
)
from tallymark.rooms.invoices import explained_rows
from tallymark.rooms.invoices.model import NOTHING_WRITTEN, Invoice, WrittenOf


def fees_of_rows(
    fee_rows: Iterable[Mapping[str, Any]], tax_rows: Iterable[Mapping[str, Any]]
) -> list[ExplainedFee]:
    """Fees that were written just now as their invoice is explained with them, in the order of their lines."""
    taxes: dict[UUID, list[ExplainedTax]] = defaultdict(list)
    for row in tax_rows:
        taxes[row["fee_id"]].append(
            ExplainedTax(code=row["tax_code"], name=row["tax_name"], rate=row["tax_rate"])
        )
    return [
        ExplainedFee(
            id=str(row["id"]),
            fee_type=row["fee_type"],
            amount_cents=row["amount_cents"],
            deducted_cents=row["precise_coupons_amount_cents"],
            taxes_amount_cents=row["taxes_amount_cents"],
            taxes=tuple(taxes[row["id"]]),
        )
        for row in fee_rows
    ]


async def gather(
    tx: Tx, invoices: Sequence[Invoice], written: WrittenOf = NOTHING_WRITTEN
) -> dict[UUID, ExplainedInvoice]:
    """What each invoice's totals follow from, as it stands now, in a constant number of statements."""
    ids = [invoice.id for invoice in invoices]
    if not ids:
        return {}
    unread = [invoice_id for invoice_id in ids if invoice_id not in written]
    fees = {invoice_id: one.explained for invoice_id, one in written.items()}
    fees |= await explained_rows.fees_of(tx, unread) if unread else {}
    credits = await explained_rows.credits_of(tx, ids)
    paid = [invoice.id for invoice in invoices if invoice.prepaid_credit_amount_cents]
    wallets = await explained_rows.wallets_of(tx, paid) if paid else {}
    return {
        invoice.id: ExplainedInvoice(
            fees=fees.get(invoice.id, ()),
            credits=credits.get(invoice.id, ()),
            wallets=wallets.get(invoice.id, ()),
            sums_taxes=invoice.invoice_type == "advance_charges",
            prepaid_parts=(
                invoice.prepaid_granted_credit_amount_cents,
                invoice.prepaid_purchased_credit_amount_cents,
            ),
            totals={name: getattr(invoice, name) for name in TOTALS},
        )
        for invoice in invoices
    }


async def explanation_of(tx: Tx, invoice: Invoice) -> Sequence[Mapping[str, Any]]:
    """What was kept when the invoice was issued; what is not issued is explained as it stands."""
    kept = await explained_rows.kept_of(tx, invoice.id)
    if kept is not None:
        return kept
    return explain_invoice((await gather(tx, [invoice]))[invoice.id])


async def organization_of(connection: AsyncConnection, invoice_id: UUID) -> UUID:
    """Whose invoice it is; needs a system transaction. Raises `NotFound("invoice")`."""
    found = await explained_rows.organization_of(connection, invoice_id)
    if found is None:
        raise NotFound("invoice")
    return found
