"""How the journal is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, exists, func, select

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import customers, journal_entries, journal_lines
from tallymark.domain.journal import Account, Line
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Entry, Filters, LineKey

_OF_CUSTOMERS = select(journal_entries, customers.c.external_id).join(
    customers, customers.c.id == journal_entries.c.customer_id
)


async def insert_entries(
    tx: Tx, entries: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]
) -> None:
    """Add entries with all of their lines: the database holds each statement of lines to its balance."""
    await insert_rows(tx, journal_entries, entries)
    await insert_rows(tx, journal_lines, lines)


async def booked(tx: Tx, document_ids: Collection[UUID]) -> dict[Account, int]:
    """Debits less credits by account, over all entries of some documents."""
    column = journal_lines.c
    net = func.sum(column.debit_cents - column.credit_cents).label("cents")
    statement = (
        select(column.account, net)
        .join(journal_entries, journal_entries.c.id == column.entry_id)
        .where(among(journal_entries.c.document_id, document_ids))
        .group_by(column.account)
    )
    return {Account(row.account): int(row.cents) for row in await tx.execute(statement)}


async def list_line_keys(tx: Tx, filters: Filters) -> list[LineKey]:
    line = journal_lines.c
    of_entries = select(line.entry_id, line.position).join(
        journal_entries, journal_entries.c.id == line.entry_id
    )
    statement = of_entries.where(*_conditions(filters)).order_by(journal_entries.c.sequence, line.position)
    return [LineKey(row.entry_id, row.position) for row in await tx.execute(statement)]


async def get_entries(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Entry]:
    rows = (await tx.execute(_OF_CUSTOMERS.where(among(journal_entries.c.id, ids)))).all()
    lines = await _lines_of(tx, ids)
    return {row.id: _as_entry(row, lines[row.id]) for row in rows}


async def list_entries(tx: Tx, filters: Filters, page: Page) -> tuple[list[Entry], int]:
    entries = journal_entries.c
    found = _OF_CUSTOMERS.where(*_conditions(filters))
    total = (await tx.execute(select(func.count()).select_from(found.subquery()))).scalar_one()
    of_page = found.order_by(entries.sequence).limit(page.size).offset(page.offset)
    rows = (await tx.execute(of_page)).all()
    lines = await _lines_of(tx, [row.id for row in rows])
    return [_as_entry(row, lines[row.id]) for row in rows], int(total)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = journal_entries.c
    if filters.posted_from is not None:
        yield column.posted_at >= filters.posted_from
    if filters.posted_to is not None:
        yield column.posted_at <= filters.posted_to
    if filters.accounts is not None:
        of_entry = journal_lines.c.entry_id == column.id
        yield exists().where(of_entry, journal_lines.c.account.in_(filters.accounts))
    for name, value in (
        ("currency", filters.currency),
        ("document_type", filters.document_type),
        ("document_id", filters.document_id),
    ):
        if value is not None:
            yield column[name] == value
    if filters.external_customer_id is not None:
        of_id = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield column.customer_id.in_(of_id)


async def _lines_of(tx: Tx, entry_ids: Collection[UUID]) -> dict[UUID, list[Line]]:
    column = journal_lines.c
    statement = (
        select(journal_lines)
        .where(among(column.entry_id, entry_ids))
        .order_by(column.entry_id, column.position)
    )
    found: dict[UUID, list[Line]] = defaultdict(list)
    for row in await tx.execute(statement) if entry_ids else ():
        line = Line(account=Account(row.account), debit_cents=row.debit_cents, credit_cents=row.credit_cents)
        found[row.entry_id].append(line)
    return found


def _as_entry(row: Row[Any], lines: Sequence[Line]) -> Entry:
    return Entry(
        id=row.id,
        sequence=row.sequence,
        posted_at=row.posted_at,
        document=Document(
            type=DocumentType(row.document_type),
            id=row.document_id,
            number=row.document_number,
            customer_id=row.customer_id,
            currency=row.currency,
        ),
        cause=Cause(row.cause),
        external_customer_id=row.external_id,
        lines=lines,
    )
