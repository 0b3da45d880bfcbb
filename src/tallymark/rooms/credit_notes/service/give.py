"""Notes that nobody asks for by item: for a voided invoice, and for what a progressive one billed too much (§10.4, §11.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.domain.invoicing import notes
from tallymark.domain.invoicing.creditable import Parts
from tallymark.rooms.credit_notes import posting, repository
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.credit_notes.service.facts import TOP_UP, Facts, gather, gather_all
from tallymark.rooms.credit_notes.service.save import About, Made, as_note, note_rows, save, save_all
from tallymark.rooms.invoices.model import Invoice

OTHER = About(reason="other")


async def give_back_voided(tx: Tx, invoice: Invoice, parts: Parts, *, now: datetime) -> None:
    """Give parts of an invoice back that is about to be voided; what is left of it becomes a second, voided note (§10.4).

    Needs the customer's lock. Raises `Invalid` where the parts are more than can be credited or refunded.
    """
    total = parts.total_cents
    if invoice.invoice_type == TOP_UP and not total:
        return
    facts = await gather(tx, invoice)
    of, most = facts.creditable, _most(facts)
    if (
        min(parts.credit_cents, parts.refund_cents) < 0
        or parts.refund_cents > most.refund_cents
        or total > most.credit_cents
    ):
        raise Invalid({"credit_refund_amount": ["total_amount_exceeds_invoice_amount"]})
    if total:
        amounts = notes.with_total(of, notes.compute_note(of, notes.share_items(of, total)), total)
        await save(tx, facts, amounts, parts, OTHER, now=now)
    rest = await gather(tx, invoice)
    amounts = notes.compute_note(rest.creditable, notes.all_items(rest.creditable))
    if amounts.total_cents:
        unused = Parts(credit_cents=amounts.total_cents)
        note_id = await save(tx, rest, amounts, unused, OTHER, now=now)
        await repository.update_note(tx, note_id, {"credit_status": "voided", "balance_amount_cents": 0})
        await posting.post_voided(tx, note_id, balance_cents=unused.credit_cents, now=now)


async def most_of_voided(tx: Tx, invoice: Invoice) -> Parts:
    """The most that can be credited, and the most that can be refunded, of an invoice that is about to be voided (§10.4).

    Nothing of credits that were bought can be credited, and so voiding them gives nothing back by a note.
    """
    if invoice.invoice_type == TOP_UP:
        return Parts()
    return _most(await gather(tx, invoice))


def _most(facts: Facts) -> Parts:
    of = facts.creditable
    return Parts(credit_cents=0 if of.is_top_up else of.left_cents, refund_cents=of.refundable_cents)


async def give_back_excess(tx: Tx, excess_cents: Sequence[tuple[Invoice, int]], *, now: datetime) -> None:
    """Credit what invoices billed too much, after their deductions and before taxes: of their largest fees first (§5.1, §11.6).

    Each invoice is named once; a wave takes the statements of one. Needs the customers' locks. Where nothing is left to
    credit of an invoice, it has no note.
    """
    if excess_cents:
        found = await gather_all(tx, [invoice for invoice, _ in excess_cents])
        notes_to_be = [_excess(of, cents) for of, (_, cents) in zip(found, excess_cents, strict=True)]
        await save_all(tx, [made for made in notes_to_be if made is not None], now=now)


async def excess_note_to_be(
    tx: Tx, invoice: Invoice, excess_cents: int, *, now: datetime
) -> CreditNote | None:
    """The note that `give_back_excess` would make, not made."""
    made = _excess(await gather(tx, invoice), excess_cents)
    if made is None:
        return None
    (row,) = await note_rows(tx, [made], now=now)
    return as_note(row)


def _excess(facts: Facts, excess_cents: int) -> Made | None:
    items = notes.largest_items(facts.creditable, excess_cents)
    amounts = notes.compute_note(facts.creditable, items)
    if not amounts.total_cents:
        return None
    parts = notes.fit_parts(facts.creditable, amounts, Parts(credit_cents=amounts.expected_cents))
    return Made(facts=facts, amounts=amounts, parts=parts, about=OTHER)
