"""What can be done with the journal: add to it, and read it (beyond.md §4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.journal import Account
from tallymark.rooms.journal import repository
from tallymark.rooms.journal.model import Entry, Filters, LineKey, Posting


async def post(tx: Tx, postings: Sequence[Posting], *, now: datetime) -> None:
    """Add entries, in this order; what has no lines moves nothing and makes no entry. Two statements, however many."""
    entries: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for posting in postings:
        if not posting.lines:
            continue
        entry_id, document = new_id(), posting.document
        entries.append(
            {
                "id": entry_id,
                "organization_id": tx.organization_id,
                "customer_id": document.customer_id,
                "currency": document.currency,
                "document_type": document.type,
                "document_id": document.id,
                "document_number": document.number,
                "cause": posting.cause,
                "posted_at": now,
            }
        )
        lines += [
            {
                "entry_id": entry_id,
                "position": position,
                "organization_id": tx.organization_id,
                "account": line.account,
                "debit_cents": line.debit_cents,
                "credit_cents": line.credit_cents,
            }
            for position, line in enumerate(posting.lines)
        ]
    await repository.insert_entries(tx, entries, lines)


async def booked(tx: Tx, document_ids: Collection[UUID]) -> dict[Account, int]:
    """What the journal has of some documents: debits less credits by account, in minor units."""
    return await repository.booked(tx, document_ids) if document_ids else {}


async def list_entries(tx: Tx, filters: Filters, page: Page) -> tuple[list[Entry], int]:
    """A page of entries in the order in which they were posted, and how many there are."""
    return await repository.list_entries(tx, filters, page)


async def list_line_keys(tx: Tx, filters: Filters) -> list[LineKey]:
    """Every line of the entries of a list, in their order."""
    return await repository.list_line_keys(tx, filters)


async def get_entries(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Entry]:
    """Entries by id, with all of their lines."""
    return await repository.get_entries(tx, ids) if ids else {}
