"""Give back what events cost less than was billed of them: by credit notes on the fees that billed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import Difference
from tallymark.rooms.adjustments.service.keep import adjustment_row
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.model import GivenBack, Wanted


async def give_back(tx: Tx, found: Sequence[Difference], *, now: datetime) -> list[UUID]:
    """Make the notes for decreases, one for each invoice, and keep what they gave; needs the customers' locks.

    What nothing is left of to give back, for notes made by hand or coupons took it, is waived, and told anew by the next
    correction. The ids of the notes.
    """
    for one in found:
        if one.billed.is_to_be_told_anew:
            await repository.supersede(tx, one.billed.key)
    less = [one for one in found if one.amount_cents < 0]
    wanted = [
        Wanted(amount_cents=-one.amount_cents, fees=one.creditable, name=one.billed.name) for one in less
    ]
    given = await credit_notes.give_back_fees(tx, wanted, now=now)
    rows = [row for one, parts in zip(less, given, strict=True) for row in _rows(one, parts)]
    await repository.insert(tx, rows, now=now)
    return list(dict.fromkeys(part.credit_note_id for parts in given for part in parts))


def _rows(one: Difference, parts: Sequence[GivenBack]) -> list[dict[str, Any]]:
    rows = [
        adjustment_row(one.billed, -part.amount_cents, fee_id=part.fee_id, credit_note_id=part.credit_note_id)
        for part in parts
    ]
    waived = one.amount_cents + sum(part.amount_cents for part in parts)
    assert waived <= 0, f"{one.amount_cents} was to be given back, {waived} more was"
    return [*rows, adjustment_row(one.billed, waived)] if waived else rows
