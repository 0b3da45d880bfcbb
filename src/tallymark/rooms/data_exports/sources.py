"""What each type of export reads: first the ids of all its rows, then the rows of some ids at a time.

Reading some rows takes the same few statements however many they are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.api.links import Links
from tallymark.db.engine import Tx
from tallymark.domain.values import value
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.schemas import CreditNoteOutput
from tallymark.rooms.customers import service as customers
from tallymark.rooms.data_exports import columns
from tallymark.rooms.data_exports.columns import Columns, pick
from tallymark.rooms.data_exports.model import ResourceType
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.fees.schemas import FeeOutput
from tallymark.rooms.invoices import listing
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.invoices.schemas import InvoiceListOutput
from tallymark.rooms.journal import service as journal
from tallymark.rooms.journal.model import LineKey
from tallymark.rooms.journal.schemas import EntryOutput
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.subscriptions import service as subscriptions


@value
class Desk:
    """What rows are read with; `links` lead to documents."""

    tx: Tx
    now: datetime
    links: Links


Row = Sequence[Any]


@value
class Source:
    """Where an export's rows come from. What tells of documents names their issuers where there are several."""

    columns: Columns
    names_issuer: bool
    keys: Callable[[Tx, Any], Awaitable[Sequence[Any]]]
    rows: Callable[[Desk, Sequence[Any], Columns], Awaitable[list[Row]]]
    """A row for each key, in their order."""


async def columns_of(tx: Tx, source: Source) -> Columns:
    """The columns that an organization's file has."""
    if source.names_issuer and len(await organizations.list_entities(tx)) > 1:
        return {**source.columns, columns.ENTITY: columns.ENTITY}
    return source.columns


async def _invoice_rows(desk: Desk, ids: Sequence[UUID], wanted: Columns) -> list[Row]:
    found = await invoices.get_invoices(desk.tx, ids)
    listed = [found[one] for one in ids]
    views = await invoices.get_views(desk.tx, listed, now=desk.now, with_lines=False)
    return [pick(InvoiceListOutput.of(view, desk.links).model_dump(mode="json"), wanted) for view in views]


async def _fee_rows(desk: Desk, ids: Sequence[UUID], wanted: Columns) -> list[Row]:
    found = await fees.get_fees(desk.tx, ids)
    of_invoices = await invoices.get_invoices(
        desk.tx, {fee.invoice_id for fee in found.values() if fee.invoice_id}
    )
    zones = await _zones(desk.tx, of_invoices.values())
    subscription_ids = {fee.subscription_id for fee in found.values() if fee.subscription_id}
    contracts = await subscriptions.live_contracts(desk.tx, subscription_ids)
    plan_codes = {contract.subscription.id: contract.plan.code for contract in contracts}
    rows = []
    for fee in (found[one] for one in ids):
        assert fee.invoice_id is not None, "the fees of invoices were asked for"
        invoice = of_invoices[fee.invoice_id]
        shown = {
            "invoice": _named(invoice),
            **_fee(fee, zones[invoice.customer_id]),
            "subscription_plan_code": plan_codes.get(fee.subscription_id) if fee.subscription_id else None,
        }
        rows.append(pick(shown, wanted))
    return rows


def _named(invoice: Invoice) -> dict[str, Any]:
    return {
        "lago_id": str(invoice.id),
        "number": invoice.number,
        "issuing_date": invoice.issuing_date.isoformat(),
    }


def _fee(fee: FeeRecord, zone: ZoneInfo) -> dict[str, Any]:
    output = FeeOutput.of(fee)
    return {
        "fee": output.model_dump(mode="json"),
        "fee_from_date": _day(output.from_date, zone),
        "fee_to_date": _day(output.to_date, zone),
    }


def _day(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else instant.astimezone(zone).date().isoformat()


async def _zones(tx: Tx, of_invoices: Any) -> dict[UUID, ZoneInfo]:
    """The time zones of invoices' customers."""
    found = await customers.get_customers(tx, {invoice.customer_id for invoice in of_invoices})
    entities = await organizations.get_entities(tx, {one.billing_entity_id for one in found.values()})
    return {
        one.id: ZoneInfo(one.applicable_timezone(entities[one.billing_entity_id])) for one in found.values()
    }


async def _note_rows(desk: Desk, ids: Sequence[UUID], wanted: Columns) -> list[Row]:
    found = await credit_notes.get_notes(desk.tx, ids)
    views = await credit_notes.get_views(desk.tx, [found[one] for one in ids], with_lines=False)
    return [
        pick(CreditNoteOutput.of(view, desk.links.file).model_dump(mode="json"), wanted) for view in views
    ]


async def _item_rows(desk: Desk, ids: Sequence[UUID], wanted: Columns) -> list[Row]:
    found = await credit_notes.get_items(desk.tx, ids)
    notes = await credit_notes.get_notes(desk.tx, {item.credit_note_id for item in found.values()})
    of_invoices = await invoices.get_invoices(desk.tx, {note.invoice_id for note in notes.values()})
    rows = []
    for item in (found[one] for one in ids):
        note = notes[item.credit_note_id]
        shown = {
            "note": {
                "lago_id": str(note.id),
                "number": note.number,
                "invoice_number": of_invoices[note.invoice_id].number,
                "issuing_date": note.issuing_date.isoformat(),
            },
            "item": {
                "lago_id": str(item.id),
                "fee_lago_id": str(item.fee_id),
                "currency": item.currency,
                "amount_cents": item.amount_cents,
            },
        }
        rows.append(pick(shown, wanted))
    return rows


async def _line_rows(desk: Desk, keys: Sequence[LineKey], wanted: Columns) -> list[Row]:
    found = await journal.get_entries(desk.tx, {key.entry_id for key in keys})
    entries = {one: EntryOutput.of(entry).model_dump(mode="json") for one, entry in found.items()}
    shown = ((entries[key.entry_id], key.position) for key in keys)
    return [pick({"entry": entry, "line": entry["lines"][position]}, wanted) for entry, position in shown]


SOURCES = {
    ResourceType.INVOICES: Source(
        columns=columns.INVOICES, names_issuer=True, keys=listing.list_ids, rows=_invoice_rows
    ),
    ResourceType.INVOICE_FEES: Source(
        columns=columns.INVOICE_FEES, names_issuer=False, keys=listing.list_fee_ids, rows=_fee_rows
    ),
    ResourceType.CREDIT_NOTES: Source(
        columns=columns.CREDIT_NOTES, names_issuer=True, keys=credit_notes.list_ids, rows=_note_rows
    ),
    ResourceType.CREDIT_NOTE_ITEMS: Source(
        columns=columns.CREDIT_NOTE_ITEMS,
        names_issuer=False,
        keys=credit_notes.list_item_ids,
        rows=_item_rows,
    ),
    ResourceType.JOURNAL_LINES: Source(
        columns=columns.JOURNAL_LINES, names_issuer=False, keys=journal.list_line_keys, rows=_line_rows
    ),
}
"""The source of each type."""
