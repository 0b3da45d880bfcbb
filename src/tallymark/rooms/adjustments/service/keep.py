"""Keep what was documented of a difference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import BilledCharge, Difference


async def keep_increases(tx: Tx, billed: Sequence[tuple[Difference, UUID]], *, now: datetime) -> None:
    """Keep which fees billed increases."""
    rows = [adjustment_row(one.billed, one.amount_cents, fee_id=fee_id) for one, fee_id in billed]
    await repository.insert(tx, rows, now=now)


def adjustment_row(
    billed: BilledCharge, amount_cents: int, *, fee_id: UUID | None = None, credit_note_id: UUID | None = None
) -> dict[str, Any]:
    """An adjustment of a charge as a row; without a fee it is waived."""
    period = billed.usage.window.period
    return {
        "invoice_id": billed.usage.invoice.id,
        "subscription_id": billed.usage.contract.subscription.id,
        "charge_id": billed.charge.id,
        "from_at": period.start,
        "to_at": period.end,
        "status": "waived" if fee_id is None else "documented",
        "currency": billed.usage.invoice.currency,
        "amount_cents": amount_cents,
        "fee_id": fee_id,
        "credit_note_id": credit_note_id,
    }
