"""How credit notes are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Uuid, delete, func, insert, literal, or_, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    billing_entities,
    credit_note_items,
    credit_notes,
    credit_notes_applied_taxes,
    customers,
    draft_credit_notes,
    fees,
    invoice_credits,
    invoices,
)
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.invoicing.creditable import Given
from tallymark.domain.journal import IssuedNote
from tallymark.rooms.credit_notes.model import (
    CreditNote,
    DraftItem,
    DraftNote,
    Filters,
    Item,
    NoteTaxRecord,
)

NEWEST_FIRST = (credit_notes.c.created_at.desc(), credit_notes.c.id)


async def insert_notes(
    tx: Tx,
    notes: Sequence[Mapping[str, Any]],
    items: Sequence[Mapping[str, Any]],
    taxes: Sequence[Mapping[str, Any]],
) -> None:
    await insert_rows(tx, credit_notes, notes)
    await insert_rows(tx, credit_note_items, items)
    await insert_rows(tx, credit_notes_applied_taxes, taxes)


async def update_notes(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of many notes; `id` tells which."""
    await update_rows(tx, credit_notes, rows)


async def update_note(tx: Tx, note_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(credit_notes).where(credit_notes.c.id == note_id).values(**values))


async def find_note(tx: Tx, note_id: UUID) -> CreditNote | None:
    return (await get_notes(tx, [note_id])).get(note_id)


async def get_notes(tx: Tx, note_ids: Collection[UUID]) -> dict[UUID, CreditNote]:
    statement = select(credit_notes).where(among(credit_notes.c.id, note_ids))
    return {row.id: _as_note(row) for row in await tx.execute(statement)}


async def ids_on_invoice(tx: Tx, invoice_id: UUID) -> list[UUID]:
    return list(
        (await tx.execute(select(credit_notes.c.id).where(credit_notes.c.invoice_id == invoice_id))).scalars()
    )


async def as_issued(tx: Tx, note_ids: Collection[UUID]) -> dict[UUID, IssuedNote]:
    """Notes as the journal sees them, with what their invoices deducted before taxes."""
    of_note = (
        select(
            credit_notes, invoices.c.coupons_amount_cents, invoices.c.progressive_billing_credit_amount_cents
        )
        .join(invoices, invoices.c.id == credit_notes.c.invoice_id)
        .where(among(credit_notes.c.id, note_ids))
    )
    item = credit_note_items.c
    sums = (
        select(
            item.credit_note_id,
            fees.c.fee_type,
            func.count().label("items"),
            func.sum(item.amount_cents).label("cents"),
        )
        .join(fees, fees.c.id == item.fee_id)
        .where(among(item.credit_note_id, note_ids))
        .group_by(item.credit_note_id, fees.c.fee_type)
    )
    by_type: dict[UUID, list[Row[Any]]] = {}
    for row in await tx.execute(sums):
        by_type.setdefault(row.credit_note_id, []).append(row)
    return {note.id: _as_issued(note, by_type.get(note.id, [])) for note in await tx.execute(of_note)}


def _as_issued(note: Row[Any], by_type: Sequence[Row[Any]]) -> IssuedNote:
    return IssuedNote(
        item_cents={FeeType(row.fee_type): int(row.cents) for row in by_type},
        items_count=sum(row.items for row in by_type),
        # To the cent what the note deducted: the last of several takes back what earlier ones rounded too high.
        deducted_cents=sum(int(row.cents) for row in by_type) - note.sub_total_excluding_taxes_amount_cents,
        invoice_coupons_cents=note.coupons_amount_cents,
        invoice_progressive_cents=note.progressive_billing_credit_amount_cents,
        taxes_cents=note.taxes_amount_cents,
        credit_cents=note.credit_amount_cents,
        refund_cents=note.refund_amount_cents,
        offset_cents=note.offset_amount_cents,
        # Only what was paid is refunded, and credits that are paid for are there.
        is_settled=note.refund_amount_cents > 0,
    )


async def available(tx: Tx, customer_ids: Collection[UUID]) -> list[CreditNote]:
    """Notes of customers with credit left, the oldest first."""
    column = credit_notes.c
    statement = (
        select(credit_notes)
        .where(
            among(column.customer_id, customer_ids),
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


async def credited_of(tx: Tx, fee_ids: Collection[UUID]) -> dict[UUID, tuple[int, Fraction]]:
    """What notes have given back of fees so far, in whole cents and exact."""
    column = credit_note_items.c
    statement = (
        select(
            column.fee_id,
            func.sum(column.amount_cents).label("cents"),
            func.sum(column.precise_amount_cents).label("precise_cents"),
        )
        .where(among(column.fee_id, fee_ids))
        .group_by(column.fee_id)
    )
    rows = await tx.execute(statement)
    return {row.fee_id: (int(row.cents), Fraction(row.precise_cents)) for row in rows}


async def given_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, Given]:
    """What the notes of invoices sum to, of those that have any."""
    column = credit_notes.c
    summed = {
        "sub_total_cents": column.sub_total_excluding_taxes_amount_cents,
        "taxes_cents": column.taxes_amount_cents,
        "precise_taxes_cents": column.precise_taxes_amount_cents,
        "credit_cents": column.credit_amount_cents,
        "refund_cents": column.refund_amount_cents,
        "offset_cents": column.offset_amount_cents,
    }
    sums = (func.sum(of).label(name) for name, of in summed.items())
    statement = select(column.invoice_id, *sums).where(among(column.invoice_id, invoice_ids))
    found = {}
    for row in await tx.execute(statement.group_by(column.invoice_id)):
        whole = {name: int(getattr(row, name)) for name in summed if name != "precise_taxes_cents"}
        found[row.invoice_id] = Given(**whole, precise_taxes_cents=Fraction(row.precise_taxes_cents))
    return found


async def last_sequential_ids(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, int]:
    """The number of the latest note on each invoice that has any."""
    column = credit_notes.c
    last = select(column.invoice_id, func.max(column.sequential_id).label("last"))
    statement = last.where(among(column.invoice_id, invoice_ids)).group_by(column.invoice_id)
    return {row.invoice_id: int(row.last) for row in await tx.execute(statement)}


async def list_notes(tx: Tx, filters: Filters, page: Page) -> tuple[list[CreditNote], int]:
    conditions = list(_conditions(filters))
    total = (await tx.execute(select(func.count()).select_from(credit_notes).where(*conditions))).scalar_one()
    statement = (
        select(credit_notes).where(*conditions).order_by(*NEWEST_FIRST).limit(page.size).offset(page.offset)
    )
    return [_as_note(row) for row in await tx.execute(statement)], int(total)


async def list_ids(tx: Tx, filters: Filters) -> list[UUID]:
    statement = select(credit_notes.c.id).where(*_conditions(filters)).order_by(*NEWEST_FIRST)
    return list((await tx.execute(statement)).scalars())


async def list_item_ids(tx: Tx, filters: Filters) -> list[UUID]:
    item = credit_note_items.c
    of_notes = select(item.id).join(credit_notes, credit_notes.c.id == item.credit_note_id)
    statement = of_notes.where(*_conditions(filters)).order_by(*NEWEST_FIRST, item.id)
    return list((await tx.execute(statement)).scalars())


async def get_items(tx: Tx, item_ids: Collection[UUID]) -> dict[UUID, Item]:
    table = credit_note_items
    rows = await tx.execute(select(table).where(among(table.c.id, item_ids)))
    return {row.id: Item(**{name: getattr(row, name) for name in Item.__slots__}) for row in rows}


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = credit_notes.c
    for name in ("customer_id", "currency", "reason", "credit_status", "refund_status"):
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
    if filters.types:
        yield or_(*(column[f"{kind}_amount_cents"] > 0 for kind in filters.types))
    if filters.search_term:
        yield _search(filters.search_term.strip())
    if filters.external_customer_id is not None:
        of_id = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield column.customer_id.in_(of_id)
    of_invoice = list(_invoice_conditions(filters))
    if of_invoice:
        yield column.invoice_id.in_(select(invoices.c.id).where(*of_invoice))


def _invoice_conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = invoices.c
    if filters.invoice_number is not None:
        yield column.number == filters.invoice_number
    if filters.purchase_order_number is not None:
        yield func.lower(column.purchase_order_number) == filters.purchase_order_number.lower()
    if filters.self_billed is not None:
        yield column.self_billed == filters.self_billed
    if filters.billing_entity_codes:
        entities = select(billing_entities.c.id)
        of_codes = entities.where(billing_entities.c.code.in_(filters.billing_entity_codes))
        yield column.billing_entity_id.in_(of_codes)


def _search(term: str) -> ColumnElement[bool]:
    """By id, by number, or by who the customer is."""
    names = ("name", "firstname", "lastname", "external_id", "email")
    who = or_(*(customers.c[name].icontains(term, autoescape=True) for name in names))
    found: list[ColumnElement[bool]] = [
        credit_notes.c.number.icontains(term, autoescape=True),
        credit_notes.c.customer_id.in_(select(customers.c.id).where(who)),
    ]
    with suppress(ValueError):
        found.append(credit_notes.c.id == literal(UUID(term), Uuid))
    return or_(*found)


async def items_of(tx: Tx, note_ids: Collection[UUID]) -> dict[UUID, list[Item]]:
    table = credit_note_items
    statement = select(table).where(among(table.c.credit_note_id, note_ids)).order_by(table.c.id)
    found: dict[UUID, list[Item]] = {}
    for row in await tx.execute(statement):
        item = Item(**{name: getattr(row, name) for name in Item.__slots__})
        found.setdefault(row.credit_note_id, []).append(item)
    return found


async def taxes_of(tx: Tx, note_ids: Collection[UUID]) -> dict[UUID, list[NoteTaxRecord]]:
    table = credit_notes_applied_taxes
    statement = (
        select(table, table.c.fees_amount_cents.label("base_amount_cents"))
        .where(among(table.c.credit_note_id, note_ids))
        .order_by(table.c.tax_rate.desc(), table.c.id)
    )
    found: dict[UUID, list[NoteTaxRecord]] = {}
    for row in await tx.execute(statement):
        tax = NoteTaxRecord(**{name: getattr(row, name) for name in NoteTaxRecord.__slots__})
        found.setdefault(row.credit_note_id, []).append(tax)
    return found


def _as_note(row: Row[Any]) -> CreditNote:
    return CreditNote(**{name: getattr(row, name) for name in CreditNote.__slots__})


async def credits_on(tx: Tx, invoice_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """(invoice, credit part, total, total before taxes) of notes on invoices whose credit was not voided."""
    column = credit_notes.c
    statement = select(
        column.invoice_id,
        column.credit_amount_cents,
        column.total_amount_cents,
        column.sub_total_excluding_taxes_amount_cents,
    ).where(among(column.invoice_id, invoice_ids), column.credit_status.in_(("available", "consumed")))
    return (await tx.execute(statement)).all()


async def insert_draft(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(draft_credit_notes), dict(row))


async def drafts_on(tx: Tx, invoice_id: UUID) -> list[DraftNote]:
    """The notes that were asked for on a draft, in the order in which they were."""
    table = draft_credit_notes
    statement = select(table).where(table.c.invoice_id == invoice_id).order_by(table.c.created_at, table.c.id)
    return [_as_draft(row) for row in await tx.execute(statement)]


async def delete_drafts_on(tx: Tx, invoice_id: UUID) -> None:
    await tx.execute(delete(draft_credit_notes).where(draft_credit_notes.c.invoice_id == invoice_id))


def _as_draft(row: Row[Any]) -> DraftNote:
    values: dict[str, Any] = {name: getattr(row, name) for name in DraftNote.__slots__}
    return DraftNote(**{**values, "items": tuple(DraftItem(**item) for item in values["items"])})
