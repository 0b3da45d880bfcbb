"""What credit notes post to the journal (decision 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain import journal
from tallymark.domain.journal import Lines
from tallymark.rooms.credit_notes import repository
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.journal import service
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Posting


async def post_issued(tx: Tx, notes: Sequence[CreditNote], *, now: datetime) -> None:
    """Post notes that were made just now."""
    issued = await repository.as_issued(tx, [note.id for note in notes])
    postings = [_posting(note, Cause.ISSUED, journal.issue_note(issued[note.id])) for note in notes]
    await service.post(tx, postings, now=now)


async def post_voided(tx: Tx, note_id: UUID, *, balance_cents: int, now: datetime) -> None:
    """Post that what was left of a note's credit is dropped."""
    note = await _get(tx, note_id)
    invoice = await invoices.find_invoice(tx, note.invoice_id)
    if invoice is not None and invoice.status is InvoiceStatus.VOIDED:
        lines = journal.forgo_note(balance_cents)
    else:
        lines = journal.void_note(await service.booked(tx, [note_id]), balance_cents=balance_cents)
    await _post(tx, note, Cause.VOIDED, lines, now=now)


async def post_refund(tx: Tx, note: CreditNote, *, is_paid: bool, now: datetime) -> None:
    """Post that a note's refund was paid out, or that it came back."""
    if is_paid:
        await _post(tx, note, Cause.REFUNDED, journal.pay_refund(note.refund_amount_cents), now=now)
    else:
        lines = journal.return_refund(note.refund_amount_cents)
        await _post(tx, note, Cause.REFUND_RETURNED, lines, now=now)


async def _get(tx: Tx, note_id: UUID) -> CreditNote:
    note = await repository.find_note(tx, note_id)
    assert note is not None, "only what was made posts"
    return note


async def _post(tx: Tx, note: CreditNote, cause: Cause, lines: Lines, *, now: datetime) -> None:
    await service.post(tx, [_posting(note, cause, lines)], now=now)


def _posting(note: CreditNote, cause: Cause, lines: Lines) -> Posting:
    document = Document(
        type=DocumentType.CREDIT_NOTE,
        id=note.id,
        number=note.number,
        customer_id=note.customer_id,
        currency=note.currency,
    )
    return Posting(document=document, cause=cause, lines=lines)
