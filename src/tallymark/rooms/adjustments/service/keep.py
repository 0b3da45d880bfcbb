"""Keep what is documented of a difference, or waits for the next invoice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tallymark.db.engine import Tx
from tallymark.domain.fees.correction import adjustment_fee, compute_adjustment
from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.money import currency
from tallymark.domain.periods import Period
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import BilledItem, Difference, PendingAdjustment
from tallymark.rooms.plans.model import Charge, Commitment
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.usage import service as usage


class _Content(msgspec.Struct):
    """What the fee of an increase is made of."""

    taxes: tuple[Tax, ...]
    name: str
    explanation: tuple[dict[str, Any], ...]
    charge: Charge | None = None
    commitment: Commitment | None = None

    @classmethod
    def of(cls, billed: BilledItem, explanation: tuple[dict[str, Any], ...]) -> _Content:
        item = billed.item
        return cls(
            taxes=billed.taxes,
            name=billed.name,
            explanation=explanation,
            charge=item if isinstance(item, Charge) else None,
            commitment=item if isinstance(item, Commitment) else None,
        )

    @property
    def item(self) -> Charge | Commitment:
        found = self.charge or self.commitment
        assert found is not None, "it is of one of both"
        return found

    @property
    def fee_type(self) -> FeeType:
        return FeeType.CHARGE if self.charge is not None else FeeType.COMMITMENT


def fee_of(found: Difference) -> Fee:
    """The fee that bills a difference."""
    billed = found.billed
    return compute_adjustment(
        found.lines,
        adjusted_cents=billed.adjusted_cents,
        window=usage.period_step(billed.usage.window.period, billed.usage.contract),
        currency=currency(billed.usage.currency),
        fee_type=billed.fee_type,
    )


async def supersede(tx: Tx, found: Sequence[Difference]) -> None:
    """Forget what was waived of differences, or waits, for they have it in them."""
    for one in found:
        if one.billed.is_to_be_told_anew:
            await repository.supersede(tx, one.billed.key)


async def waive(tx: Tx, found: Sequence[Difference], *, now: datetime) -> None:
    """Keep differences of which nothing is documented, for their invoice is void: one made anew is adjusted by them."""
    await repository.insert(tx, [adjustment_row(one.billed, one.amount_cents) for one in found], now=now)


async def keep_billed(tx: Tx, billed: Sequence[tuple[Difference, UUID]], *, now: datetime) -> None:
    """Keep which fees bill differences."""
    rows = [adjustment_row(one.billed, one.amount_cents, fee_id=fee_id) for one, fee_id in billed]
    await repository.insert(tx, rows, now=now)


async def keep_pending(tx: Tx, found: Sequence[Difference], *, now: datetime) -> None:
    """Keep increases for the next invoices of their subscriptions."""
    rows = []
    for one in found:
        explanation = tuple(dict(step) for step in fee_of(one).explanation)
        billed = one.billed
        content = _Content.of(billed, explanation)
        row = adjustment_row(billed, one.amount_cents)
        rows.append({**row, "status": "pending", "content": msgspec.to_builtins(content)})
    await repository.insert(tx, rows, now=now)


async def pending_of(
    tx: Tx, subscription_ids: Collection[UUID], *, invoice_id: UUID | None = None
) -> Mapping[UUID, Sequence[PendingAdjustment]]:
    """What the next invoices of subscriptions bill of earlier periods, the first period first.

    With `invoice_id` that is a draft which is computed anew: what is on it is on it again.
    """
    found: dict[UUID, list[PendingAdjustment]] = defaultdict(list)
    for row in await repository.pending_of(tx, subscription_ids, invoice_id=invoice_id):
        content = msgspec.json.decode(row.content, type=_Content)
        found[row.subscription_id].append(
            PendingAdjustment(
                id=row.id,
                item=content.item,
                fee=adjustment_fee(
                    row.amount_cents, content.explanation, currency(row.currency), fee_type=content.fee_type
                ),
                taxes=content.taxes,
                period=Period(row.from_at, row.to_at),
                name=content.name,
            )
        )
    return found


async def attach(tx: Tx, fee_ids: Mapping[UUID, UUID]) -> None:
    """Note which fees bill adjustments, by these."""
    await repository.attach(tx, fee_ids)


def adjustment_row(
    billed: BilledItem, amount_cents: int, *, fee_id: UUID | None = None, credit_note_id: UUID | None = None
) -> dict[str, Any]:
    """An adjustment as a row; without a fee it is waived."""
    subscription_id, charge_id, _ = billed.key
    period = billed.usage.window.period
    return {
        "invoice_id": None if billed.usage.invoice is None else billed.usage.invoice.id,
        "subscription_id": subscription_id,
        "charge_id": charge_id,
        "from_at": period.start,
        "to_at": period.end,
        "status": "waived" if fee_id is None else "documented",
        "currency": billed.usage.currency,
        "amount_cents": amount_cents,
        "content": None,
        "fee_id": fee_id,
        "credit_note_id": credit_note_id,
    }
