"""Fees that were made on no invoice and are on one now: what corrected events cost less can be given back of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.fees.correction import adjustment_name
from tallymark.domain.periods import local_date
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import Waived
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.model import GivenBack, Wanted
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.subscriptions.model import Contract


async def give_back_regrouped(
    tx: Tx, invoice_id: UUID, found: Sequence[FeeRecord], contract: Contract, *, now: datetime
) -> None:
    """Give back of fees that an invoice has now what was waived of their charges and periods; needs the customer's lock.

    `contract` is one of those of whom they are: by it the notes are written.
    """
    ids = {fee.subscription_id for fee in found if fee.subscription_id is not None}
    waived = [
        (one, own)
        for one in await repository.waived_decreases(tx, ids)
        if (own := [fee for fee in found if one.is_of(fee)])
    ]
    wanted = [
        Wanted(amount_cents=-one.amount_cents, fees=_in_order(own), name=_name(one, own, contract))
        for one, own in waived
    ]
    given = await credit_notes.give_back_fees(tx, wanted, now=now) if wanted else []
    rows = [
        row for (one, _), parts in zip(waived, given, strict=True) for row in _rows(one, parts, invoice_id)
    ]
    await repository.drop(tx, {one.id for (one, _), parts in zip(waived, given, strict=True) if parts})
    await repository.insert(tx, rows, now=now)


def _in_order(own: Sequence[FeeRecord]) -> list[FeeRecord]:
    """Increases, then the largest, first."""
    return sorted(own, key=lambda fee: (not fee.is_adjustment, -fee.amount_cents, fee.position))


def _name(waived: Waived, own: Sequence[FeeRecord], contract: Contract) -> str:
    named = next((fee.invoice_display_name for fee in own if not fee.is_adjustment), None)
    return adjustment_name(
        named or own[0].item_name,
        first=local_date(waived.period.start, contract.timezone).isoformat(),
        last=local_date(waived.period.last, contract.timezone).isoformat(),
        locale=contract.customer.document_locale or contract.customer_entity.document_locale,
    )


def _rows(waived: Waived, parts: Sequence[GivenBack], invoice_id: UUID) -> Iterator[dict[str, Any]]:
    """What was given back, and what of it is still waived."""
    if not parts:
        return
    for part in parts:
        yield waived.row(
            "documented",
            -part.amount_cents,
            invoice_id=invoice_id,
            fee_id=part.fee_id,
            credit_note_id=part.credit_note_id,
        )
    rest = waived.amount_cents + sum(part.amount_cents for part in parts)
    if rest:
        yield waived.row("waived", rest, invoice_id=invoice_id)
