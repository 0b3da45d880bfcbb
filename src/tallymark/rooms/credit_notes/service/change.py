"""Change what became of a note's refund, or drop what is left of its credit (invoicing §11.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed
from tallymark.jobs.activity import changes
from tallymark.jobs.outbox import Message, emit, log_change
from tallymark.rooms.credit_notes import posting, repository
from tallymark.rooms.credit_notes.model import REFUND_STATUSES, CreditNote
from tallymark.rooms.credit_notes.service.metadata import column_of
from tallymark.rooms.credit_notes.service.read import get_note, lock_note
from tallymark.rooms.invoices.model import Files


async def update(
    tx: Tx,
    note_id: UUID,
    *,
    refund_status: str | None,
    metadata: Mapping[str, str | None] | None,
    now: datetime,
) -> CreditNote:
    """Note whether a refund was made, and what is written on the note; None leaves a part as it is.

    Raises `NotFound("credit_note")` and `Invalid`.
    """
    note = await lock_note(tx, note_id)
    if refund_status is not None:
        if refund_status not in REFUND_STATUSES:
            raise Invalid({"refund_status": ["value_is_invalid"]})
        await _set_refund_status(tx, note, refund_status, now=now)
    if metadata:
        merged = column_of({**(note.metadata or {}), **metadata})
        await repository.update_note(tx, note.id, {**merged, "updated_at": now})
    after = await get_note(tx, note_id)
    await log_change(tx, "credit_note.updated", note.id, changes(note, after), now=now)
    return after


async def note_refund(tx: Tx, note: CreditNote, refund_status: str, *, now: datetime) -> None:
    """Note what a provider says of a refund; the same again changes nothing. Needs the customer's lock."""
    if refund_status != note.refund_status:
        await _set_refund_status(tx, note, refund_status, now=now)
        after = await get_note(tx, note.id)
        await log_change(tx, "credit_note.updated", note.id, changes(note, after), now=now)


async def _set_refund_status(tx: Tx, note: CreditNote, refund_status: str, *, now: datetime) -> None:
    was_paid, is_paid = note.refund_status == "succeeded", refund_status == "succeeded"
    changed = {"refund_status": refund_status, "refunded_at": now if is_paid else None, "updated_at": now}
    await repository.update_note(tx, note.id, changed)
    if was_paid is not is_paid:
        await posting.post_refund(tx, note, is_paid=is_paid, now=now)


async def set_files(tx: Tx, note_id: UUID, files: Files, *, now: datetime) -> None:
    """Note where a note's documents are kept, and tell that they are there; the first ones stay."""
    if (await lock_note(tx, note_id)).file_key is None:
        await repository.update_note(tx, note_id, {"file_key": files.pdf, "xml_key": files.xml})
        message = Message(webhook_type="credit_note.generated", object_type="credit_note", object_id=note_id)
        await emit(tx, message, now=now)


async def void(tx: Tx, note_id: UUID, *, now: datetime) -> CreditNote:
    """Drop what is left of a note's credit; refunds and offsets stay.

    Raises `NotFound("credit_note")` and `NotAllowed("no_voidable_amount")`.
    """
    note = await lock_note(tx, note_id)
    if note.credit_status == "voided" or not note.balance_amount_cents:
        raise NotAllowed("no_voidable_amount")
    dropped = {"credit_status": "voided", "balance_amount_cents": 0, "updated_at": now}
    await repository.update_note(tx, note.id, dropped)
    await posting.post_voided(tx, note.id, balance_cents=note.balance_amount_cents, now=now)
    after = await get_note(tx, note_id)
    await log_change(tx, "credit_note.voided", note.id, changes(note, after), now=now)
    return after
