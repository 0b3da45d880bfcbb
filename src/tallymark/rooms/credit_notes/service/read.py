"""Read credit notes (invoicing §11.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.rooms.credit_notes import repository
from tallymark.rooms.credit_notes.model import CreditNote, CreditNoteView, Filters, Item, NoteTaxRecord
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.organizations import service as organizations


async def get_note(tx: Tx, note_id: UUID) -> CreditNote:
    """A credit note. Raises `NotFound("credit_note")`."""
    note = await repository.find_note(tx, note_id)
    if note is None:
        raise NotFound("credit_note")
    return note


async def lock_note(tx: Tx, note_id: UUID) -> CreditNote:
    """The note as it is once nobody else works for its customer. Raises `NotFound("credit_note")`."""
    found = await get_note(tx, note_id)
    await tx.lock("customer", found.customer_id)
    return await get_note(tx, note_id)


async def ids_on_invoice(tx: Tx, invoice_id: UUID) -> list[UUID]:
    """The notes on an invoice."""
    return await repository.ids_on_invoice(tx, invoice_id)


async def list_notes(tx: Tx, filters: Filters, page: Page) -> tuple[list[CreditNote], int]:
    """A page of notes, newest first. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_notes(tx, filters, page)


async def list_ids(tx: Tx, filters: Filters) -> list[UUID]:
    """The notes of a list in its order. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_ids(tx, filters)


async def list_item_ids(tx: Tx, filters: Filters) -> list[UUID]:
    """The items of a list's notes, note by note. Raises as `list_ids` does."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_item_ids(tx, filters)


async def get_notes(tx: Tx, ids: Collection[UUID]) -> dict[UUID, CreditNote]:
    """Notes by id."""
    return await repository.get_notes(tx, ids) if ids else {}


async def get_items(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Item]:
    """Items of notes by their ids."""
    return await repository.get_items(tx, ids) if ids else {}


async def get_views(tx: Tx, notes: Sequence[CreditNote], *, with_lines: bool = True) -> list[CreditNoteView]:
    """Notes with what hangs on them, in the order given, in a constant number of queries; their items and taxes can be left out."""
    if not notes:
        return []
    if not with_lines:
        return await around(tx, notes, {}, {}, {})
    ids = [note.id for note in notes]
    items, taxes = await repository.items_of(tx, ids), await repository.taxes_of(tx, ids)
    of_fees = await fees.get_fees(tx, {item.fee_id for of_note in items.values() for item in of_note})
    return await around(tx, notes, items, of_fees, taxes)


async def around(
    tx: Tx,
    notes: Sequence[CreditNote],
    items: Mapping[UUID, Sequence[Item]],
    of_fees: Mapping[UUID, FeeRecord],
    taxes: Mapping[UUID, Sequence[NoteTaxRecord]],
) -> list[CreditNoteView]:
    """Notes with their invoices, customers and issuers; items and taxes are by note, fees by their ids."""
    of_invoices = await invoices.get_invoices(tx, {note.invoice_id for note in notes})
    of_customers = await customers.get_customers(tx, {note.customer_id for note in notes})
    entities = await organizations.get_entities(
        tx,
        {invoice.billing_entity_id for invoice in of_invoices.values()}
        | {customer.billing_entity_id for customer in of_customers.values()},
    )
    return [
        CreditNoteView(
            note=note,
            invoice=of_invoices[note.invoice_id],
            customer=of_customers[note.customer_id],
            billing_entity=entities[of_invoices[note.invoice_id].billing_entity_id],
            customer_entity=entities[of_customers[note.customer_id].billing_entity_id],
            items=tuple((item, of_fees[item.fee_id]) for item in items.get(note.id, ())),
            applied_taxes=tuple(taxes.get(note.id, ())),
        )
        for note in notes
    ]
