"""Which invoice took the place of which, after one was void (invoicing §10.4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import customers, invoices, wallets
from tallymark.domain.errors import NotFound
from tallymark.domain.values import value
from tallymark.rooms.invoices import repository
from tallymark.rooms.invoices.model import REGENERABLE_TYPES, VISIBLE, Invoice, InvoiceStatus


@value
class Related:
    """An invoice as another one names it."""

    id: UUID
    number: str


@value
class Relations:
    """What an invoice took the place of, and what took its place."""

    voided: Related | None
    regenerated: Related | None
    is_regenerable: bool
    """Whether it is void, and may be made anew."""


async def find_relations(tx: Tx, invoice_id: UUID, *, now: datetime) -> Relations:
    """The invoices beside one that was void, or is in a void one's place. Raises `NotFound("invoice")`."""
    before = select(invoices.c.voided_invoice_id).where(invoices.c.id == invoice_id).scalar_subquery()
    statement = select(
        invoices.c.id, invoices.c.number, invoices.c.voided_invoice_id, invoices.c.status
    ).where(
        (invoices.c.id == invoice_id)
        | (invoices.c.id == before)
        | (invoices.c.voided_invoice_id == invoice_id)
    )
    rows = {row.id: row for row in await tx.execute(statement)}
    own = rows.get(invoice_id)
    if own is None or own.status not in VISIBLE:
        raise NotFound("invoice")
    voided = rows.get(own.voided_invoice_id)
    regenerated = next((row for row in rows.values() if row.voided_invoice_id == invoice_id), None)
    return Relations(
        voided=Related(id=voided.id, number=voided.number) if voided else None,
        regenerated=Related(id=regenerated.id, number=regenerated.number) if regenerated else None,
        is_regenerable=invoice_id in await regenerable_of(tx, [invoice_id], now=now),
    )


async def regenerable_of(
    tx: Tx, ids: Collection[UUID], *, status: InvoiceStatus = InvoiceStatus.VOIDED, now: datetime
) -> set[UUID]:
    """Those of some invoices that may be made anew: void, of a type that can be, not made anew yet, of a customer who is there.

    Credits are bought again where the customer has an active wallet in their currency. With another status those are found that
    might be made anew if they were void now.
    """
    after = invoices.alias()
    statement = (
        select(invoices.c.id)
        .join(customers, customers.c.id == invoices.c.customer_id)
        .where(
            among(invoices.c.id, ids),
            invoices.c.status == status,
            invoices.c.invoice_type.in_(REGENERABLE_TYPES),
            customers.c.deleted_at.is_(None),
            ~exists().where(after.c.voided_invoice_id == invoices.c.id),
            or_(invoices.c.invoice_type != "credit", _has_wallet(now)),
        )
    )
    return set((await tx.execute(statement)).scalars())


def _has_wallet(now: datetime) -> ColumnElement[bool]:
    column = wallets.c
    return exists().where(
        column.customer_id == invoices.c.customer_id,
        column.currency == invoices.c.currency,
        column.status == "active",
        or_(column.expiration_at.is_(None), column.expiration_at > now),
    )


async def standing_of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Invoice]:
    """What stands for invoices, by id: each itself, or the last that was made anew in its place, be that void or not."""
    last = {one: one for one in ids}
    while after := await _regenerated_of(tx, set(last.values())) if last else {}:
        last = {first: after.get(at, at) for first, at in last.items()}
    found = await repository.get_invoices(tx, set(last.values())) if last else {}
    return {first: found[at] for first, at in last.items()}


async def _regenerated_of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The invoices that took the place of void ones, by these."""
    statement = select(invoices.c.voided_invoice_id, invoices.c.id).where(
        among(invoices.c.voided_invoice_id, ids)
    )
    return {row.voided_invoice_id: row.id for row in await tx.execute(statement)}
