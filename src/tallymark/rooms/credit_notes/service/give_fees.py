"""Notes that give amounts back of given fees: for usage that was billed and corrected since (beyond.md §3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import notes
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.invoicing.notes import Item
from tallymark.domain.money import allocate, round_cents
from tallymark.rooms.credit_notes.model import GivenBack, TakenOver, Wanted
from tallymark.rooms.credit_notes.service.facts import Facts, gather_all
from tallymark.rooms.credit_notes.service.save import About, Made, save_all
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one that asks has of a fee, before coupons and taxes."""

    invoice_id: UUID
    fee: FeeRecord
    cents: int
    name: str
    taken_over: TakenOver | None


async def give_back_fees(tx: Tx, wanted: Sequence[Wanted], *, now: datetime) -> list[list[GivenBack]]:
    """Credit amounts, with one note for each invoice; what was given back of which fees, in the order asked.

    Never more than is left of a fee: less is given back then. An invoice of which nothing is left to credit, since coupons took
    all of it, has no note. What of a fee had been billed progressively is given back of the invoices that did, as far as they
    have some left. Needs the customers' locks.
    """
    facts = await _gather(tx, wanted)
    shared = _share(wanted, facts)
    of_invoices: dict[UUID, list[_Part]] = defaultdict(list)
    for parts in shared:
        for part in parts:
            of_invoices[part.invoice_id].append(part)
    made = {
        invoice_id: note
        for invoice_id, parts in of_invoices.items()
        if (note := _note(facts[invoice_id], parts)) is not None
    }
    before = _before(of_invoices, facts, made)
    made |= before.notes
    note_ids = dict(zip(made, await save_all(tx, list(made.values()), now=now), strict=True))
    ids = {
        one: note_ids[source]
        for one, sources in before.by_invoice.items()
        for source in reversed(sources)
        if source in note_ids
    } | note_ids
    return [_given(parts, ids, before.unmet) for parts in shared]


async def _gather(tx: Tx, wanted: Sequence[Wanted]) -> dict[UUID, Facts]:
    ids = {fee.invoice_id for one in wanted for fee in one.fees if fee.invoice_id is not None}
    sources = {
        source.id for one in wanted for taken in one.taken_over.values() for source, _ in taken.sources
    }
    found = (await invoices.get_invoices(tx, ids | sources)).values()
    final = [invoice for invoice in found if invoice.status is InvoiceStatus.FINALIZED]
    return {of.invoice.id: of for of in await gather_all(tx, final)}


def _share(wanted: Sequence[Wanted], facts: Mapping[UUID, Facts]) -> list[list[_Part]]:
    """What each asks of which fee, as far as something is left of it."""
    left = {
        fee.id: creditable.creditable_cents
        for of in facts.values()
        for fee, creditable in zip(of.fees, of.creditable.fees, strict=True)
    }
    shared = []
    for one in wanted:
        missing, parts = one.amount_cents, list[_Part]()
        for fee in one.fees:
            cents = min(missing, left.get(fee.id, 0))
            if cents > 0 and fee.invoice_id is not None:
                taken = one.taken_over.get(fee.id)
                parts.append(
                    _Part(invoice_id=fee.invoice_id, fee=fee, cents=cents, name=one.name, taken_over=taken)
                )
                left[fee.id] -= cents
                missing -= cents
        shared.append(parts)
    return shared


def _note(facts: Facts, parts: Sequence[_Part]) -> Made | None:
    of_fees: dict[UUID, int] = defaultdict(int)
    for part in parts:
        of_fees[part.fee.id] += part.cents
    items = [
        (position, Fraction(of_fees[fee.id]))
        for position, fee in enumerate(facts.fees)
        if of_fees.get(fee.id)
    ]
    return _made(facts, items, [part.name for part in parts])


def _made(facts: Facts, items: Sequence[Item], names: Sequence[str]) -> Made | None:
    amounts = notes.compute_note(facts.creditable, items)
    if not amounts.total_cents:
        return None
    parts = notes.fit_parts(facts.creditable, amounts, Parts(credit_cents=amounts.expected_cents))
    about = About(reason="other", description=", ".join(dict.fromkeys(names)))
    return Made(facts=facts, amounts=amounts, parts=parts, about=about)


@dataclass(slots=True, kw_only=True)
class _Before:
    """Notes on progressive invoices, for what their usage was billed on others; minor units before taxes."""

    notes: dict[UUID, Made] = field(default_factory=dict)
    by_invoice: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    """The progressive invoices that are asked, by the one that took them over."""

    unmet: dict[UUID, int] = field(default_factory=dict)
    """What nothing is left of to give back, by the invoice that took it over."""


def _before(
    of_invoices: Mapping[UUID, Sequence[_Part]], facts: Mapping[UUID, Facts], made: Mapping[UUID, Made]
) -> _Before:
    """Give back of progressive invoices what notes on those that took them over do not, for they had billed it."""
    asked: dict[UUID, int] = defaultdict(int)
    parts_of: dict[UUID, list[_Part]] = defaultdict(list)
    found = _Before()
    for invoice_id, parts in of_invoices.items():
        billed_before = [part for part in parts if part.taken_over is not None]
        if not billed_before:
            continue
        note = made.get(invoice_id)
        given = note.amounts.sub_total_cents if note else 0
        missing = max(round_cents(sum(map(_net, parts), Fraction(0))) - given, 0)
        for source, cents in _of_sources(billed_before, missing, asked):
            asked[source.id] += cents
            parts_of[source.id] += billed_before
            found.by_invoice[invoice_id].append(source.id)
            missing -= cents
        if missing:
            found.unmet[invoice_id] = missing
    for source_id, cents in asked.items():
        of, charges = facts[source_id], {part.fee.charge_id for part in parts_of[source_id]}
        first = [position for position, fee in enumerate(of.fees) if fee.charge_id in charges]
        items = notes.items_of_net(of.creditable, cents, first)
        names = [part.name for part in parts_of[source_id]]
        note = _made(of, items, names) if items else None
        if note is not None:
            found.notes[source_id] = note
    return _settled(found, asked)


def _net(part: _Part) -> Fraction:
    """What is to be given back for a part when coupons have their share, whoever billed it."""
    fee, taken = part.fee, part.taken_over
    by_coupons = Fraction(fee.precise_coupons_amount_cents) - (taken.share_cents if taken else 0)
    return part.cents * (1 - by_coupons / fee.amount_cents)


def _of_sources(parts: Sequence[_Part], missing: int, asked: Mapping[UUID, int]) -> list[tuple[Invoice, int]]:
    """What is asked of which progressive invoice: of the latest first, and no more than it billed itself."""
    chains: dict[tuple[UUID, ...], tuple[TakenOver, Fraction]] = {}
    for part in parts:
        taken = part.taken_over
        assert taken is not None, "only what had been billed before"
        key = tuple(source.id for source, _ in taken.sources)
        known = chains[key][1] if key in chains else Fraction(0)
        chains[key] = taken, known + part.cents * taken.share_cents / part.fee.amount_cents
    found = []
    shares = allocate(missing, [int(share * 10**5) for _, share in chains.values()]) if missing else []
    for (taken, _), share in zip(chains.values(), shares, strict=False):
        left = share
        for source, billed_cents in taken.sources:
            cents = min(left, billed_cents - asked.get(source.id, 0))
            if cents > 0:
                found.append((source, cents))
                left -= cents
    return found


def _settled(found: _Before, asked: Mapping[UUID, int]) -> _Before:
    """The same, where notes by hand left less of a progressive invoice than it billed."""
    for invoice_id, source_ids in found.by_invoice.items():
        for source_id in source_ids:
            note = found.notes.get(source_id)
            short = asked[source_id] - (note.amounts.sub_total_cents if note else 0)
            if short > 0:
                found.unmet[invoice_id] = found.unmet.get(invoice_id, 0) + short
    return found


def _given(parts: Sequence[_Part], note_ids: Mapping[UUID, UUID], unmet: dict[UUID, int]) -> list[GivenBack]:
    """What was given back for one that asked; what nothing was left of is taken off, once."""
    found = []
    for part in parts:
        off = min(unmet.get(part.invoice_id, 0), part.cents) if part.taken_over is not None else 0
        if off:
            unmet[part.invoice_id] -= off
        if part.cents > off and part.invoice_id in note_ids:
            found.append(
                GivenBack(
                    fee_id=part.fee.id,
                    amount_cents=part.cents - off,
                    credit_note_id=note_ids[part.invoice_id],
                )
            )
    return found
