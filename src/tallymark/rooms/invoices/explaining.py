"""Invoices explain themselves: kept when they are issued, for nothing of it changes afterwards (beyond.md §1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.invoicing.explain import TOTALS, ExplainedInvoice, explain_invoice
from tallymark.rooms.invoices import explained_rows
from tallymark.rooms.invoices.model import Invoice


async def gather(tx: Tx, invoices: Sequence[Invoice]) -> dict[UUID, ExplainedInvoice]:
    """What each invoice's totals follow from, as it stands now, in a constant number of statements."""
    ids = [invoice.id for invoice in invoices]
    if not ids:
        return {}
    fees, credits = await explained_rows.fees_of(tx, ids), await explained_rows.credits_of(tx, ids)
    paid = [invoice.id for invoice in invoices if invoice.prepaid_credit_amount_cents]
    wallets = await explained_rows.wallets_of(tx, paid) if paid else {}
    parts = await explained_rows.prepaid_parts_of(tx, paid) if paid else {}
    return {
        invoice.id: ExplainedInvoice(
            fees=fees.get(invoice.id, ()),
            credits=credits.get(invoice.id, ()),
            wallets=wallets.get(invoice.id, ()),
            sums_taxes=invoice.invoice_type == "advance_charges",
            prepaid_parts=parts.get(invoice.id, (None, None)),
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
