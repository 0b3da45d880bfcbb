"""Notes asked for on drafts: told once, and made of the same shares of the fees when the draft is issued (invoicing §6, §11.4)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import notes
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.invoicing.notes import Item, NoteAmounts
from tallymark.domain.money import round_half_away
from tallymark.rooms.credit_notes import repository
from tallymark.rooms.credit_notes.model import CreditNoteView, DraftNote, NoteTaxRecord
from tallymark.rooms.credit_notes.model import Item as NoteItem
from tallymark.rooms.credit_notes.service.facts import Facts, gather
from tallymark.rooms.credit_notes.service.read import around
from tallymark.rooms.credit_notes.service.save import (
    About,
    as_note,
    item_rows,
    note_row,
    note_tax_rows,
    save,
)
from tallymark.rooms.fees.model import FeeRecord, subject_of
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus


async def keep(
    tx: Tx, facts: Facts, amounts: NoteAmounts, parts: Parts, about: About, *, now: datetime
) -> CreditNoteView:
    """Keep what is asked for on a draft, and show the note that it would be; needs the customer's lock."""
    note = await note_row(tx, facts, amounts, parts, about, now=now)
    sequence = note["sequential_id"] + len(await repository.drafts_on(tx, facts.invoice.id))
    note |= {"sequential_id": sequence, "number": f"{facts.invoice.number}-CN{sequence:03d}"}
    same = ("id", "organization_id", "invoice_id", "reason", "description", "metadata", "created_at")
    parts_of = ("credit_amount_cents", "offset_amount_cents")
    row = {name: note[name] for name in (*same, *parts_of)}
    await repository.insert_draft(tx, {**row, "items": _asked_rows(facts, amounts)})
    own = {"credit_note_id": note["id"], "currency": facts.invoice.currency, "created_at": now}
    items = [_of(NoteItem, item) for item in item_rows(facts, amounts, own)]
    taxes = [
        _of(NoteTaxRecord, {**tax, "base_amount_cents": tax["fees_amount_cents"]})
        for tax in note_tax_rows(facts, amounts, own)
    ]
    of_fees = {fee.id: fee for fee in facts.fees}
    (view,) = await around(tx, [as_note(note)], {note["id"]: items}, of_fees, {note["id"]: taxes})
    return view


def _of(kind: Any, row: Mapping[str, Any]) -> Any:
    return kind(**{name: row[name] for name in kind.__slots__})


def _asked_rows(facts: Facts, amounts: NoteAmounts) -> list[dict[str, Any]]:
    asked: dict[int, Fraction] = defaultdict(Fraction)
    for position, amount in amounts.items:
        asked[position] += amount
    return [
        {
            "place": _place(facts.fees[position]),
            "amount_cents": int(amount),
            "fee_amount_cents": facts.fees[position].amount_cents,
        }
        for position, amount in asked.items()
    ]


def _place(fee: FeeRecord) -> str:
    """What tells a fee again when its draft was computed anew."""
    *subject, grouped_by = subject_of(fee)
    named = (None if part is None else str(part) for part in subject)
    of_period = [str(fee.from_at)] if fee.is_adjustment else []
    return json.dumps([*named, grouped_by, fee.true_up_parent_fee_id is not None, *of_period])


async def follow_drafts(tx: Tx, facts: Facts) -> Facts:
    """A draft as the next note finds it, after those that were asked for already."""
    if facts.invoice.status is not InvoiceStatus.DRAFT:
        return facts
    for draft in await repository.drafts_on(tx, facts.invoice.id):
        if (planned := _planned(facts, draft)) is not None:
            facts = replace(facts, creditable=notes.follow(facts.creditable, *planned))
    return facts


async def issue_drafts(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Make the notes that were asked for while an invoice was a draft; needs the customer's lock.

    Of a fee that is gone nothing is given back, and none is made for an invoice that was closed. While it waits for its
    taxes, they wait too.
    """
    drafts = await repository.drafts_on(tx, invoice_id)
    invoice = await invoices.find_invoice(tx, invoice_id) if drafts else None
    if invoice is None or invoice.status is InvoiceStatus.PENDING:
        return
    for draft in drafts if invoice.status is InvoiceStatus.FINALIZED else ():
        facts = await gather(tx, await invoices.get_invoice(tx, invoice_id))
        if (planned := _planned(facts, draft)) is not None:
            about = About(
                reason=draft.reason, description=draft.description, metadata=draft.metadata, note_id=draft.id
            )
            await save(tx, facts, *planned, about, now=now)
    await repository.delete_drafts_on(tx, invoice_id)


async def drop_drafts(tx: Tx, invoice_id: UUID) -> None:
    """Forget the notes that were asked for on a draft that is deleted."""
    await repository.delete_drafts_on(tx, invoice_id)


def _planned(facts: Facts, draft: DraftNote) -> tuple[NoteAmounts, Parts] | None:
    """The note that a draft one comes to by now, None where nothing is left of it."""
    amounts = notes.compute_note(facts.creditable, _items(facts, draft))
    if amounts.total_cents <= 0:
        return None
    return amounts, notes.fit_parts(facts.creditable, amounts, _parts(facts, draft, amounts.expected_cents))


def _items(facts: Facts, draft: DraftNote) -> list[Item]:
    """The same share of each fee as it is now, and no more than is left of it."""
    positions = {_place(fee): position for position, fee in enumerate(facts.fees)}
    found = []
    for item in draft.items:
        position = positions.get(item.place)
        if position is not None:
            fee = facts.creditable.fees[position]
            exact = round_half_away(item.share * fee.amount_cents, 5)
            found.append((position, min(exact, Fraction(fee.creditable_cents))))
    return found


def _parts(facts: Facts, draft: DraftNote, total_cents: int) -> Parts:
    """An offset takes no more than is due by then; what it cannot take is credit."""
    wanted = draft.offset_amount_cents if draft.credit_amount_cents else total_cents
    if not draft.offset_amount_cents:
        wanted = 0
    offset = min(wanted, total_cents, max(facts.creditable.due_cents, 0))
    return Parts(offset_cents=offset, credit_cents=total_cents - offset)
