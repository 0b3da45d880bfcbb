"""Give back what events cost less than was billed of them: by credit notes on the fees that billed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import Difference
from tallymark.rooms.adjustments.service.keep import adjustment_row
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.model import GivenBack, TakenOver, Wanted
from tallymark.rooms.invoices import progressive
from tallymark.rooms.invoices.model import Invoice

Sources = Sequence[tuple[Invoice, int]]
"""Progressive invoices, the latest first, each with what is left of what it billed itself, in minor units before taxes."""


async def give_back(
    tx: Tx,
    found: Sequence[Difference],
    *,
    sources: Mapping[tuple[UUID, datetime], Sources],
    now: datetime,
) -> list[UUID]:
    """Make the notes for decreases, one for each invoice, and keep what they gave; needs the customers' locks.

    `sources` are the progressive invoices of windows, by subscription and start: what they had billed is given back of them. What
    nothing is left of to give back, for notes made by hand or coupons took it or the invoice is void, is waived, and told anew by the next
    correction; so is what was billed by fees on no invoice, and told anew when they are on one. The ids of the notes.
    """
    less = [one for one in found if one.amount_cents < 0]
    of_usage = [one.billed.usage.invoice for one in less]
    shares = await progressive.shares_of(
        tx, {one.id for one in of_usage if one is not None} if sources else ()
    )
    wanted = [
        Wanted(
            amount_cents=-one.amount_cents,
            fees=one.creditable,
            name=one.billed.name,
            taken_over=_taken_over(one, shares, sources.get(one.billed.usage.key, ())),
        )
        for one in less
    ]
    given = await credit_notes.give_back_fees(tx, wanted, now=now)
    rows = [row for one, parts in zip(less, given, strict=True) for row in _rows(one, parts)]
    await repository.insert(tx, rows, now=now)
    return list(dict.fromkeys(part.credit_note_id for parts in given for part in parts))


def _taken_over(
    one: Difference, shares: Mapping[UUID, Mapping[int, Fraction]], sources: Sources
) -> dict[UUID, TakenOver]:
    invoice = one.billed.usage.invoice
    of_invoice = {} if invoice is None else shares.get(invoice.id, {})
    return {
        fee.id: TakenOver(share_cents=of_invoice[fee.position], sources=sources)
        for fee in one.by_decrease
        if of_invoice.get(fee.position)
    }


def _rows(one: Difference, parts: Sequence[GivenBack]) -> list[dict[str, Any]]:
    rows = [
        adjustment_row(one.billed, -part.amount_cents, fee_id=part.fee_id, credit_note_id=part.credit_note_id)
        for part in parts
    ]
    waived = one.amount_cents + sum(part.amount_cents for part in parts)
    assert waived <= 0, f"{one.amount_cents} was to be given back, {waived} more was"
    return [*rows, adjustment_row(one.billed, waived)] if waived else rows
