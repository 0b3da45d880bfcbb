"""Copy custom sections onto invoices: what they say then is theirs (invoicing §14, platform §13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.invoices import copied_rows
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract

Printed = Sequence[tuple[UUID, Sequence[Section]]]
"""What each invoice prints."""

PATIENCE = timedelta(minutes=10)
"""How long the document of an invoice waits for a provider to tell how money is sent for it."""


async def copy_sections(
    tx: Tx, invoiced: Sequence[tuple[UUID, Sequence[Contract]]], *, now: datetime
) -> None:
    """Copy the custom sections that subscriptions and their customer print onto invoices just computed."""
    applicable = await subscriptions.invoice_sections(tx, [contracts for _, contracts in invoiced])
    printed = [(invoice_id, found) for (invoice_id, _), found in zip(invoiced, applicable, strict=True)]
    await save_sections(tx, printed, now=now)


async def save_sections(tx: Tx, printed: Printed, *, now: datetime) -> None:
    """Copy sections onto invoices that are written; what a provider has not told yet is filled in when it does."""
    selected = [(invoice_id, [one for one in found if not one.is_generated]) for invoice_id, found in printed]
    rows = [{**row, "funding_instructions_id": None} for row in section_rows(tx, selected, now=now)]
    sending = [invoice_id for invoice_id, found in printed if any(one.is_generated for one in found)]
    if sending:
        whose = await copied_rows.senders(tx, sending)
        told = await customers.require(tx, set(whose.values()), now=now)
        rows += [
            {
                "id": new_id(),
                "code": one.code,
                "name": one.name,
                "display_name": one.display_name,
                "details": one.details,
                "organization_id": tx.organization_id,
                "invoice_id": invoice_id,
                "created_at": now,
                "funding_instructions_id": one.instructions_id,
            }
            for invoice_id in sending
            if (one := told.get(whose[invoice_id])) is not None
        ]
    await copied_rows.insert_sections(tx, rows)


def section_rows(tx: Tx, printed: Printed, *, now: datetime) -> list[dict[str, Any]]:
    """Sections as invoices keep them."""
    names = ("code", "name", "display_name", "details")
    return [
        {
            "id": new_id(),
            **{name: getattr(section, name) for name in names},
            "organization_id": tx.organization_id,
            "invoice_id": invoice_id,
            "created_at": now,
        }
        for invoice_id, found in printed
        for section in found
    ]


async def imagine_sections(
    tx: Tx, contracts: Sequence[Contract], invoice: Invoice, customer: Customer, *, now: datetime
) -> list[dict[str, Any]]:
    """What an invoice would print that is never written: nobody is asked anything for it."""
    (found,) = await subscriptions.invoice_sections(tx, [contracts])
    printed = [one for one in found if not one.is_generated]
    if len(printed) < len(found):
        known = await customers.known_sections(tx, [customer], currency=invoice.currency)
        printed += known.get(customer.id, ())
    return section_rows(tx, [(invoice.id, printed)], now=now)


async def waits_until(tx: Tx, invoice: Invoice, *, now: datetime) -> datetime | None:
    """Until when an invoice's document is not made, unless what it waits for comes before; None where it waits for nothing."""
    until = (invoice.finalized_at or invoice.created_at) + PATIENCE
    return until if now < until and await copied_rows.waits(tx, invoice.id) else None
