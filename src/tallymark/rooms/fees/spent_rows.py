"""What subscriptions were charged for their periods, here and elsewhere: what a commitment is held against (pricing §15)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import elsewhere_fees, fees, invoices
from tallymark.domain.values import names_of
from tallymark.rooms.fees.model import SpentFee
from tallymark.rooms.fees.repository import ADJUSTS


async def spent_by(
    tx: Tx, subscription_ids: Collection[UUID], *, except_invoice: UUID | None
) -> dict[UUID, list[SpentFee]]:
    """What subscriptions were charged, on invoices that stand or on none, but for what corrected events cost more."""
    statement = (
        select(fees.c.subscription_id, *(fees.c[name] for name in names_of(SpentFee)))
        .outerjoin(invoices, invoices.c.id == fees.c.invoice_id)
        .where(
            among(fees.c.subscription_id, subscription_ids),
            fees.c.fee_type.in_(("subscription", "charge", "fixed_charge")),
            fees.c.from_at.is_not(None),
            ~ADJUSTS,
            or_(
                invoices.c.id.is_(None),
                # What was billed progressively is billed again, in full, with its period.
                invoices.c.status.not_in(("voided", "deleted"))
                & (invoices.c.invoice_type != "progressive_billing"),
            ),
        )
    )
    if except_invoice is not None:
        statement = statement.where(fees.c.invoice_id.is_distinct_from(except_invoice))
    found: dict[UUID, list[SpentFee]] = {}
    for row in await tx.execute(statement.union_all(_spent_elsewhere(subscription_ids))):
        values = {name: getattr(row, name) for name in names_of(SpentFee)}
        found.setdefault(row.subscription_id, []).append(SpentFee(**values))
    return found


def _spent_elsewhere(subscription_ids: Collection[UUID]) -> Select[Any]:
    """What another system had charged of subscriptions that were taken over from it."""
    column = elsewhere_fees.c
    return select(column.subscription_id, *(column[name] for name in names_of(SpentFee))).where(
        among(column.subscription_id, subscription_ids)
    )


async def insert_elsewhere(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, elsewhere_fees, rows)
