"""Notes that give amounts back of given fees: for usage that was billed and corrected since (beyond.md §3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import notes
from tallymark.domain.invoicing.creditable import Parts
from tallymark.rooms.credit_notes.model import GivenBack, Wanted
from tallymark.rooms.credit_notes.service.facts import Facts, gather_all
from tallymark.rooms.credit_notes.service.save import About, Made, save_all
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus

Part = tuple[UUID, UUID, int]
"""An invoice, a fee on it, and what is given back of that."""


async def give_back_fees(tx: Tx, wanted: Sequence[Wanted], *, now: datetime) -> list[list[GivenBack]]:
    """Credit amounts, with one note for each invoice; what was given back of which fees, in the order asked.

    Never more than is left of a fee: less is given back then. An invoice of which nothing is left to credit, since coupons took
    all of it, has no note. Needs the customers' locks.
    """
    ids = {fee.invoice_id for one in wanted for fee in one.fees if fee.invoice_id is not None}
    found = (await invoices.get_invoices(tx, ids)).values()
    final = [invoice for invoice in found if invoice.status is InvoiceStatus.FINALIZED]
    facts = {of.invoice.id: of for of in await gather_all(tx, final)}
    shared = _share(wanted, facts)
    of_invoices: dict[UUID, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    names: dict[UUID, dict[str, None]] = defaultdict(dict)
    for one, parts in zip(wanted, shared, strict=True):
        for invoice_id, fee_id, cents in parts:
            of_invoices[invoice_id][fee_id] += cents
            names[invoice_id][one.name] = None
    made = {
        invoice_id: note
        for invoice_id, items in of_invoices.items()
        if (note := _note(facts[invoice_id], items, ", ".join(names[invoice_id]))) is not None
    }
    note_ids = dict(zip(made, await save_all(tx, list(made.values()), now=now), strict=True))
    return [
        [
            GivenBack(fee_id=fee_id, amount_cents=cents, credit_note_id=note_ids[invoice_id])
            for invoice_id, fee_id, cents in parts
            if invoice_id in note_ids
        ]
        for parts in shared
    ]


def _share(wanted: Sequence[Wanted], facts: Mapping[UUID, Facts]) -> list[list[Part]]:
    """What each asks of which fee, as far as something is left of it."""
    left = {
        fee.id: creditable.creditable_cents
        for of in facts.values()
        for fee, creditable in zip(of.fees, of.creditable.fees, strict=True)
    }
    shared = []
    for one in wanted:
        missing, parts = one.amount_cents, list[Part]()
        for fee in one.fees:
            cents = min(missing, left.get(fee.id, 0))
            if cents > 0 and fee.invoice_id is not None:
                parts.append((fee.invoice_id, fee.id, cents))
                left[fee.id] -= cents
                missing -= cents
        shared.append(parts)
    return shared


def _note(facts: Facts, of_fees: Mapping[UUID, int], description: str) -> Made | None:
    items = [
        (position, Fraction(of_fees[fee.id]))
        for position, fee in enumerate(facts.fees)
        if of_fees.get(fee.id)
    ]
    amounts = notes.compute_note(facts.creditable, items)
    if not amounts.total_cents:
        return None
    parts = notes.fit_parts(facts.creditable, amounts, Parts(credit_cents=amounts.expected_cents))
    about = About(reason="other", description=description)
    return Made(facts=facts, amounts=amounts, parts=parts, about=about)
