"""Write a note that is computed: number it, take its offset off what is due, and tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.invoicing.notes import NoteAmounts
from tallymark.domain.money import fixed, round_cents
from tallymark.domain.periods import local_date
from tallymark.jobs import outbox
from tallymark.jobs.mail import MailKind
from tallymark.jobs.outbox import Message
from tallymark.jobs.queue import RENDER_CREDIT_NOTE, Job, enqueue
from tallymark.rooms.credit_notes import posting, repository
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.credit_notes.service.facts import Facts
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.organizations import mailing
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.wallets import service as wallets


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Why a note is made, and what is written on it; `note_id` where it was told before it was made."""

    reason: str
    description: str | None = None
    metadata: Mapping[str, str | None] | None = None
    note_id: UUID | None = None


async def save(
    tx: Tx, facts: Facts, amounts: NoteAmounts, parts: Parts, about: About, *, now: datetime
) -> UUID:
    """Write a note with its items and taxes; needs the customer's lock.

    It is not written if its parts are not what its items come to, or if it gives back more than is left.
    """
    note = await note_row(tx, facts, amounts, parts, about, now=now)
    invoice, note_id = facts.invoice, note["id"]
    keys = {"organization_id": tx.organization_id, "created_at": now}
    own: dict[str, Any] = {**keys, "credit_note_id": note_id, "currency": invoice.currency}
    await repository.insert_note(tx, note, item_rows(facts, amounts, own), note_tax_rows(facts, amounts, own))
    await posting.post_issued(tx, note_id, now=now)
    if facts.creditable.is_top_up and parts.refund_cents:
        await wallets.refund(tx, invoice.id, parts.refund_cents, credit_note_id=note_id, now=now)
    if parts.offset_cents:
        await settlements.offset(tx, invoice, note_id, parts.offset_cents, now=now)
    message = Message(webhook_type="credit_note.created", object_type="credit_note", object_id=note_id)
    await outbox.emit(tx, message, now=now)
    entity_id = invoice.billing_entity_id
    await mailing.note_if_wanted(tx, MailKind.CREDIT_NOTE, note_id, entity_id=entity_id, now=now)
    if not tx.is_simulated:
        arguments = {"organization_id": str(tx.organization_id), "note_id": str(note_id)}
        await enqueue(tx, Job(task=RENDER_CREDIT_NOTE, arguments=arguments, lock=f"document:{note_id}"))
    found: UUID = note_id
    return found


async def note_row(
    tx: Tx, facts: Facts, amounts: NoteAmounts, parts: Parts, about: About, *, now: datetime
) -> dict[str, Any]:
    """The columns of a note with the next number; nothing is written."""
    _check(facts, amounts, parts)
    invoice = facts.invoice
    sequence = 1 + await repository.last_sequential_id(tx, invoice.id)
    return {
        "organization_id": tx.organization_id,
        "created_at": now,
        "id": about.note_id or new_id(),
        "customer_id": invoice.customer_id,
        "invoice_id": invoice.id,
        "sequential_id": sequence,
        "number": f"{invoice.number}-CN{sequence:03d}",
        "issuing_date": await _today(tx, invoice, now=now),
        "currency": invoice.currency,
        "reason": about.reason,
        "description": about.description,
        "metadata": None if about.metadata is None else dict(about.metadata),
        **_amount_columns(amounts, parts),
        "updated_at": now,
    }


def as_note(row: Mapping[str, Any]) -> CreditNote:
    """The columns of a note as reading it back would give it."""
    values: dict[str, Any] = {name: row.get(name) for name in CreditNote.__slots__}
    return CreditNote(**values)


def _check(facts: Facts, amounts: NoteAmounts, parts: Parts) -> None:
    of = facts.creditable
    assert parts.total_cents == amounts.total_cents > 0, f"{parts} are not {amounts.total_cents}"
    assert min(parts.credit_cents, parts.refund_cents, parts.offset_cents) >= 0, f"{parts}: less than nothing"
    assert amounts.total_cents <= of.left_cents, f"{amounts.total_cents} of {of.left_cents} that are left"
    assert parts.refund_cents <= of.unrefunded_cents, f"{parts}: {of.unrefunded_cents} are paid"
    assert parts.offset_cents <= max(of.due_cents, 0), f"{parts}: {of.due_cents} are due"


async def _today(tx: Tx, invoice: Invoice, *, now: datetime) -> date:
    customer = (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    return local_date(now, ZoneInfo(customer.applicable_timezone(entities[customer.billing_entity_id])))


def item_rows(facts: Facts, amounts: NoteAmounts, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a note gives back of each fee, as rows."""
    return [
        {
            **own,
            "id": new_id(),
            "fee_id": facts.fees[position].id,
            "amount_cents": round_cents(amount),
            "precise_amount_cents": fixed(amount, 5),
        }
        for position, amount in amounts.items
    ]


def note_tax_rows(facts: Facts, amounts: NoteAmounts, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The taxes that a note gives back, as rows."""
    applied = facts.taxes
    return [
        {
            **own,
            "id": new_id(),
            **{
                name: getattr(applied[tax.tax], name)
                for name in ("tax_id", "tax_code", "tax_name", "tax_description", "tax_rate")
            },
            "amount_cents": tax.amount_cents,
            "fees_amount_cents": tax.base_amount_cents,
        }
        for tax in amounts.taxes
    ]


def _amount_columns(amounts: NoteAmounts, parts: Parts) -> dict[str, Any]:
    return {
        "credit_status": "available",
        "refund_status": "pending" if parts.refund_cents else None,
        "total_amount_cents": parts.total_cents,
        "credit_amount_cents": parts.credit_cents,
        "refund_amount_cents": parts.refund_cents,
        "offset_amount_cents": parts.offset_cents,
        "balance_amount_cents": parts.credit_cents,
        "taxes_amount_cents": amounts.taxes_amount_cents,
        "sub_total_excluding_taxes_amount_cents": amounts.sub_total_cents,
        "precise_coupons_adjustment_amount_cents": fixed(amounts.coupons_adjustment_cents, 5),
        "precise_taxes_amount_cents": fixed(amounts.precise_taxes_cents, 5),
        "precise_total_amount_cents": fixed(amounts.precise_total_cents, 5),
        "taxes_rate": fixed(amounts.taxes_rate, 5),
    }
