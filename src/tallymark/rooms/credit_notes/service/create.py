"""Make a note by hand, or see what one would come to (invoicing §11.3-11.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed, NotFound, Problems, element
from tallymark.domain.invoicing import notes
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.invoicing.notes import Item
from tallymark.rooms.credit_notes.model import REASONS, CreditNoteView, ItemInput
from tallymark.rooms.credit_notes.service import drafts
from tallymark.rooms.credit_notes.service.facts import Facts, gather
from tallymark.rooms.credit_notes.service.read import get_note, get_views
from tallymark.rooms.credit_notes.service.save import About, save
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus

PART_FIELDS = ("credit_amount_cents", "refund_amount_cents", "offset_amount_cents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What a note would come to, and of what."""

    facts: Facts
    estimate: notes.Estimate


async def estimate(tx: Tx, invoice_id: UUID, items: Sequence[ItemInput] | None) -> Estimated:
    """What a note of these items may give back. Raises as `create` does for the invoice and the items.

    Credits that were bought must be paid for.
    """
    facts, asked = await _read(tx, invoice_id, items)
    if facts.creditable.is_top_up and not facts.creditable.is_paid:
        raise NotAllowed("invalid_type_or_status")
    return Estimated(facts=facts, estimate=notes.estimate(facts.creditable, asked))


async def create(
    tx: Tx,
    invoice_id: UUID,
    items: Sequence[ItemInput] | None,
    parts: Parts,
    about: About,
    *,
    now: datetime,
) -> CreditNoteView:
    """Give money back on an invoice; items are None where the request has no list. On a draft the note waits for its issue.

    Raises `NotFound` for the invoice and a fee, `NotAllowed("invalid_type_or_status")`, and `Invalid`: for the items
    first, then for all that is wrong with the parts and the reason.
    """
    found = await invoices.get_invoice(tx, invoice_id)
    await tx.lock("customer", found.customer_id)
    facts, asked = await _read(tx, invoice_id, items)
    _check_top_up(facts, parts)
    amounts = notes.compute_note(facts.creditable, asked)
    problems = Problems()
    for field, cents in zip(
        PART_FIELDS, (parts.credit_cents, parts.refund_cents, parts.offset_cents), strict=True
    ):
        if cents < 0:
            problems.add(field, "value_is_out_of_range")
    problems.raise_any()
    for field, code in notes.part_problems(facts.creditable, amounts, parts):
        problems.add(field, code)
    if about.reason not in REASONS:
        problems.add("reason", "value_is_invalid")
    problems.raise_any()
    fitted = notes.fit_parts(facts.creditable, amounts, parts)
    if facts.invoice.status is InvoiceStatus.DRAFT:
        return await drafts.keep(tx, facts, amounts, fitted, about, now=now)
    note = await get_note(tx, await save(tx, facts, amounts, fitted, about, now=now))
    (view,) = await get_views(tx, [note])
    return view


def _check_top_up(facts: Facts, parts: Parts) -> None:
    """Credits that are not paid for can only be unsold: by an offset, and nothing else."""
    of = facts.creditable
    is_unsold = parts.offset_cents > 0 and not parts.credit_cents and not parts.refund_cents
    if of.is_top_up and not of.is_paid and not is_unsold:
        raise NotAllowed("invalid_type_or_status")


async def _read(tx: Tx, invoice_id: UUID, items: Sequence[ItemInput] | None) -> tuple[Facts, list[Item]]:
    """An invoice that can be credited, and the asked items that leave something of each fee."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    if items is None:
        raise Invalid({"items": ["must_be_an_array"]})
    facts = await drafts.follow_drafts(tx, await gather(tx, invoice))
    positions = {fee.id: position for position, fee in enumerate(facts.fees)}
    if any(item.fee_id not in positions for item in items):
        raise NotFound("fee")
    if invoice.status not in (InvoiceStatus.FINALIZED, InvoiceStatus.DRAFT):
        raise NotAllowed("invalid_type_or_status")
    asked = [(positions[item.fee_id], item.amount_cents) for item in items if item.fee_id is not None]
    for place, code in notes.item_problems(facts.creditable, asked):
        with element("items", place):
            raise Invalid({"amount_cents": [code]})
    return facts, asked
