"""Pay an invoice: by money, by a credit note's offset, or by word of whoever knows (invoicing §12, wallets §10.1)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.invoices import paying
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.settlements import repository
from tallymark.rooms.wallets import service as wallets

OF_CREDIT_NOTE = "credit_note"
SUCCEEDED = "succeeded"


async def set_payment_status(
    tx: Tx, invoice: Invoice, status: str, *, is_told: bool = True, now: datetime
) -> None:
    """Note whether an invoice was paid, with all that follows; the same status again changes nothing.

    Needs the customer's lock, as everything here does. What was paid and is due stays as it was (§10.1).
    """
    if status != invoice.payment_status:
        await paying.set_payment_status(tx, invoice, status, is_told=is_told, now=now)
        await wallets.follow_payment(tx, invoice.id, now=now)


async def pay(tx: Tx, invoice: Invoice, cents: int, *, now: datetime) -> None:
    """Add money, in minor units, to what was paid of an invoice."""
    await _settle(tx, await paying.add_paid(tx, invoice, cents, now=now), now=now)


async def offset(tx: Tx, invoice: Invoice, note_id: UUID, cents: int, *, now: datetime) -> None:
    """Take what a credit note offsets, in minor units, off what is due of its invoice."""
    settlement = {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "invoice_id": invoice.id,
        "settlement_type": OF_CREDIT_NOTE,
        "credit_note_id": note_id,
        "amount_cents": cents,
        "currency": invoice.currency,
        "created_at": now,
    }
    await repository.insert_settlement(tx, settlement)
    await _settle(tx, await paying.add_offset(tx, invoice, cents, now=now), now=now)


async def _settle(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Nothing due any more: it is paid."""
    if invoice.total_due_amount_cents <= 0:
        await set_payment_status(tx, invoice, SUCCEEDED, now=now)
