"""How credit notes are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, select

from tallymark.api.pagination import Page
from tallymark.db.bulk import update_rows
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    billing_entities,
    credit_note_items,
    credit_notes,
    credit_notes_applied_taxes,
    customers,
    invoice_credits,
    invoices,
)
from tallymark.rooms.credit_notes.model import CreditNote, Filters, Item, NoteTaxRecord


async def insert_note(
    tx: Tx,
    note: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    taxes: Sequence[Mapping[str, Any]],
) -> None:
    await tx.execute(insert(credit_notes), dict(note))
    await tx.execute(insert(credit_note_items), [dict(item) for item in items])
    if taxes:
        await tx.execute(insert(credit_notes_applied_taxes), [dict(tax) for tax in taxes])


async def update_notes(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of many notes; `id` tells which."""
    await update_rows(tx, credit_notes, rows)


async def find_note(tx: Tx, note_id: UUID) -> CreditNote | None:
    row = (await tx.execute(select(credit_notes).where(credit_notes.c.id == note_id))).first()
    return _as_note(row) if row else None


async def available(tx: Tx, customer_ids: Collection[UUID]) -> list[CreditNote]:
    """Notes of customers with credit left, the oldest first."""
    column = credit_notes.c
    statement = (
        select(credit_notes)
        .where(
            column.customer_id.in_(customer_ids),
            column.credit_status == "available",
            column.balance_amount_cents > 0,
        )
        .order_by(column.created_at, column.id)
    )
    return [_as_note(row) for row in await tx.execute(statement)]


async def taken_by(tx: Tx, invoice_id: UUID) -> list[tuple[CreditNote, int]]:
    """The notes that an invoice took something of, each with how much (minor units)."""
    taken = (
        select(invoice_credits.c.credit_note_id, func.sum(invoice_credits.c.amount_cents).label("taken"))
        .where(invoice_credits.c.invoice_id == invoice_id, invoice_credits.c.credit_note_id.is_not(None))
        .group_by(invoice_credits.c.credit_note_id)
        .subquery()
    )
    statement = select(credit_notes, taken.c.taken).join(taken, taken.c.credit_note_id == credit_notes.c.id)
    return [(_as_note(row), int(row.taken)) for row in await tx.execute(statement)]


async def credited_of(tx: Tx, fee_id: UUID) -> Decimal:
    """What notes have given back of a fee so far, exact."""
    statement = select(func.coalesce(func.sum(credit_note_items.c.precise_amount_cents), 0)).where(
        credit_note_items.c.fee_id == fee_id
    )
    return Decimal((await tx.execute(statement)).scalar_one())


async def last_sequential_id(tx: Tx, invoice_id: UUID) -> int:
    statement = select(func.coalesce(func.max(credit_notes.c.sequential_id), 0)).where(
        credit_notes.c.invoice_id == invoice_id
    )
    return int((await tx.execute(statement)).scalar_one())


async def list_notes(tx: Tx, filters: Filters, page: Page) -> tuple[list[CreditNote], int]:
    conditions = list(_conditions(filters))
    total = (await tx.execute(select(func.count()).select_from(credit_notes).where(*conditions))).scalar_one()
    statement = (
        select(credit_notes)
        .where(*conditions)
        .order_by(credit_notes.c.created_at.desc(), credit_notes.c.id.desc())
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_note(row) for row in await tx.execute(statement)], int(total)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = credit_notes.c
    for name in ("currency", "reason", "credit_status", "refund_status"):
        if getattr(filters, name) is not None:
            yield column[name] == getattr(filters, name)
    for bound, least, most in (
        (column.issuing_date, filters.issuing_date_from, filters.issuing_date_to),
        (column.total_amount_cents, filters.amount_from, filters.amount_to),
    ):
        if least is not None:
            yield bound >= least
        if most is not None:
            yield bound <= most
    if filters.external_customer_id is not None:
        of_id = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield column.customer_id.in_(of_id)
    if filters.invoice_number is not None:
        numbered = select(invoices.c.id).where(invoices.c.number == filters.invoice_number)
        yield column.invoice_id.in_(numbered)
    if filters.billing_entity_codes:
        entities = select(billing_entities.c.id).where(
            billing_entities.c.code.in_(filters.billing_entity_codes)
        )
        of_entities = select(invoices.c.id).where(invoices.c.billing_entity_id.in_(entities))
        yield column.invoice_id.in_(of_entities)


async def items_of(tx: Tx, note_ids: Collection[UUID]) -> dict[UUID, list[Item]]:
    table = credit_note_items
    statement = select(table).where(table.c.credit_note_id.in_(note_ids)).order_by(table.c.id)
    found: dict[UUID, list[Item]] = {}
    for row in await tx.execute(statement):
        item = Item(**{name: getattr(row, name) for name in Item.__slots__})
        found.setdefault(row.credit_note_id, []).append(item)
    return found


async def taxes_of(tx: Tx, note_ids: Collection[UUID]) -> dict[UUID, list[NoteTaxRecord]]:
    table = credit_notes_applied_taxes
    statement = (
        select(table, table.c.fees_amount_cents.label("base_amount_cents"))
        .where(table.c.credit_note_id.in_(note_ids))
        .order_by(table.c.tax_rate.desc(), table.c.id)
    )
    found: dict[UUID, list[NoteTaxRecord]] = {}
    for row in await tx.execute(statement):
        tax = NoteTaxRecord(**{name: getattr(row, name) for name in NoteTaxRecord.__slots__})
        found.setdefault(row.credit_note_id, []).append(tax)
    return found


def _as_note(row: Row[Any]) -> CreditNote:
    return CreditNote(**{name: getattr(row, name) for name in CreditNote.__slots__})
