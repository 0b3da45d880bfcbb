"""How is read what has settled invoices: payments of them and of requests that hold them, and offsets of credit notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import null, select, union_all

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import credit_notes, invoice_settlements, payment_requests_invoices, payments
from tallymark.rooms.invoices.model import Settled

_paid = payments.c
_held = payment_requests_invoices.c
_offset = invoice_settlements.c


async def settled_of(tx: Tx, invoice_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Settled]]:
    """All that lowered what is due of each invoice, in the order of time."""
    succeeded = _paid.payment_status == "succeeded"
    how = (_paid.id, _paid.created_at.label("at"), _paid.payment_type, _paid.reference)
    no_note = null().label("number")
    alone = select(_paid.invoice_id, _paid.amount_cents, *how, no_note).where(
        among(_paid.invoice_id, invoice_ids), succeeded
    )
    requested = (
        select(_held.invoice_id, _held.paid_amount_cents, *how, no_note)
        .join(payments, _held.payment_request_id == _paid.payment_request_id)
        .where(among(_held.invoice_id, invoice_ids), _held.paid_amount_cents > 0, succeeded)
    )
    of_offset = (_offset.invoice_id, _offset.amount_cents, _offset.id, _offset.created_at, null(), null())
    offset = (
        select(*of_offset, credit_notes.c.number)
        .join(credit_notes, credit_notes.c.id == _offset.credit_note_id)
        .where(among(_offset.invoice_id, invoice_ids))
    )
    every = union_all(alone, requested, offset).subquery()
    found: dict[UUID, list[Settled]] = defaultdict(list)
    for row in await tx.execute(select(every).order_by(every.c.at, every.c.id)):
        found[row.invoice_id].append(
            Settled(
                amount_cents=row.amount_cents,
                at=row.at,
                payment_type=row.payment_type,
                reference=row.reference,
                credit_note_number=row.number,
            )
        )
    return found
