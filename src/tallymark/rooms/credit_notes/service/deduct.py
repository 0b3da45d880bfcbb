"""Take the customer's credit off invoices, and return it (invoicing §5.5, §10.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.invoicing.credit_notes import deduct_balances
from tallymark.rooms.credit_notes import posting, repository
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceView


async def deduct(tx: Tx, views: Sequence[InvoiceView], *, now: datetime) -> list[InvoiceView]:
    """Take the customers' credit off invoices that are about to be issued, the oldest note first (invoicing §5.5)."""
    unissued = await invoices.unissued_columns(tx, views)
    owing = [v for v in views if v.invoice.total_amount_cents and v.invoice.id not in unissued]
    notes = await repository.available(tx, {view.customer.id for view in owing}) if owing else []
    if not notes:
        return list(views)
    left = {note.id: note.balance_amount_cents for note in notes}
    taken = [deduction for view in owing for deduction in _take(view.invoice, notes, left)]
    await repository.update_notes(tx, _balance_rows({note.id for _, note, _ in taken}, left, now=now))
    by_invoice: dict[UUID, int] = defaultdict(int)
    for invoice, _, part in taken:
        by_invoice[invoice.id] += part
    await invoices.deduct_credit_notes(tx, by_invoice, await _credit_rows(tx, taken, now=now), now=now)
    return [_less(view, by_invoice[view.invoice.id]) for view in views]


Deduction = tuple[Invoice, CreditNote, int]
"""What a note takes off an invoice, in minor units."""


def _take(invoice: Invoice, notes: Sequence[CreditNote], left: dict[UUID, int]) -> Iterator[Deduction]:
    """What the customer's notes give to an invoice, but for those on itself; `left` is what they have, and shrinks."""
    usable = [
        note
        for note in notes
        if note.customer_id == invoice.customer_id
        and note.currency == invoice.currency
        and note.invoice_id != invoice.id
    ]
    parts = deduct_balances(invoice.total_amount_cents, [left[note.id] for note in usable])
    for note, part in zip(usable, parts, strict=True):
        if part:
            left[note.id] -= part
            yield invoice, note, part


def _balance_rows(
    changed: Collection[UUID], left: Mapping[UUID, int], *, now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "id": note_id,
            "balance_amount_cents": left[note_id],
            "credit_status": "available" if left[note_id] else "consumed",
            "updated_at": now,
        }
        for note_id in changed
    ]


def _less(view: InvoiceView, taken: int) -> InvoiceView:
    invoice = view.invoice
    changed = replace(
        invoice,
        credit_notes_amount_cents=invoice.credit_notes_amount_cents + taken,
        total_amount_cents=invoice.total_amount_cents - taken,
    )
    return replace(view, invoice=changed)


async def deductions(
    tx: Tx, invoices_in_turn: Sequence[Invoice], *, assumed: Sequence[CreditNote] = (), now: datetime
) -> list[dict[str, Any]]:
    """What a customer's notes would take off invoices, one after the other, as rows of their credits.

    `assumed` notes come last, and are there for the last invoice alone.
    """
    stored = await repository.available(tx, {invoice.customer_id for invoice in invoices_in_turn})
    left = {note.id: note.balance_amount_cents for note in (*stored, *assumed)}
    taken: list[Deduction] = []
    for invoice in invoices_in_turn:
        is_last = invoice is invoices_in_turn[-1]
        taken += _take(invoice, [*stored, *(assumed if is_last else ())], left)
    return await _credit_rows(tx, taken, now=now)


async def _credit_rows(tx: Tx, taken: Sequence[Deduction], *, now: datetime) -> list[dict[str, Any]]:
    of_invoices = await invoices.get_invoices(tx, {note.invoice_id for _, note, _ in taken})
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice.id,
            "credit_note_id": note.id,
            "amount_cents": part,
            "currency": invoice.currency,
            "before_taxes": False,
            "item_type": "credit_note",
            "item_code": note.number,
            "item_name": of_invoices[note.invoice_id].number,
            "item_description": note.description,
            "created_at": now,
        }
        for invoice, note, part in taken
    ]


async def give_back(tx: Tx, invoice_id: UUID, *, now: datetime) -> int:
    """Return to notes what an invoice took of them that is being voided, and tell how much (invoicing §10.4).

    In minor units; needs the customer's lock. One that was voided after it had paid is available again with that: voiding it dropped
    what was left of it, not what had been spent.
    """
    return await _return(tx, await repository.taken_by(tx, invoice_id), now=now)


async def put_back(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Return to notes what an invoice took of them that was never issued; needs the customer's lock.

    A note that was voided meanwhile is void of that, too: it had not been spent.
    """
    taken = await repository.taken_by(tx, invoice_id)
    await _return(tx, [(note, cents) for note, cents in taken if note.credit_status != "voided"], now=now)
    for note, cents in taken:
        if note.credit_status == "voided":
            await posting.post_voided(tx, note.id, balance_cents=cents, now=now)


async def _return(tx: Tx, taken: Sequence[tuple[CreditNote, int]], *, now: datetime) -> int:
    rows = [
        {
            "id": note.id,
            "balance_amount_cents": note.balance_amount_cents + cents,
            "credit_status": "available",
            "updated_at": now,
        }
        for note, cents in taken
    ]
    await repository.update_notes(tx, rows)
    return sum(cents for _, cents in taken)
