"""Write a note that is computed: number it, take its offset off what is due, and tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from tallymark.jobs import agenda, outbox
from tallymark.jobs.agenda import Item, Kind
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A note that is computed: of which invoice, what it comes to, in which parts, and why."""

    facts: Facts
    amounts: NoteAmounts
    parts: Parts
    about: About


async def save(
    tx: Tx, facts: Facts, amounts: NoteAmounts, parts: Parts, about: About, *, now: datetime
) -> UUID:
    """Write one note, as `save_all` does."""
    made = Made(facts=facts, amounts=amounts, parts=parts, about=about)
    (note_id,) = await save_all(tx, [made], now=now)
    return note_id


async def save_all(tx: Tx, made: Sequence[Made], *, now: datetime) -> list[UUID]:
    """Write notes with their items and taxes, of each invoice one; needs the customers' locks. Their ids, in the order given.

    Takes the statements of one, but for refunds of wallet credits and for offsets. None is written if its parts are not what
    its items come to, or if it gives back more than is left.
    """
    if not made:
        return []
    rows = await note_rows(tx, made, now=now)
    keys = {"organization_id": tx.organization_id, "created_at": now}
    own = [{**keys, "credit_note_id": row["id"], "currency": row["currency"]} for row in rows]
    items = [
        item for one, of in zip(made, own, strict=True) for item in item_rows(one.facts, one.amounts, of)
    ]
    taxes = [
        tax for one, of in zip(made, own, strict=True) for tax in note_tax_rows(one.facts, one.amounts, of)
    ]
    await repository.insert_notes(tx, rows, items, taxes)
    await posting.post_issued(tx, [as_note(row) for row in rows], now=now)
    for one, row in zip(made, rows, strict=True):
        await _settle(tx, one, row["id"], now=now)
    await _have_refunded(tx, [row["id"] for row in rows if row["refund_amount_cents"]], now=now)
    await _tell(tx, made, [row["id"] for row in rows], now=now)
    return [row["id"] for row in rows]


async def _settle(tx: Tx, one: Made, note_id: UUID, *, now: datetime) -> None:
    """Take a refund out of the wallet that it was bought for, and an offset off what is due."""
    invoice = one.facts.invoice
    if one.facts.creditable.is_top_up and one.parts.refund_cents:
        await wallets.refund(tx, invoice.id, one.parts.refund_cents, credit_note_id=note_id, now=now)
    if one.parts.offset_cents:
        await settlements.offset(tx, invoice, note_id, one.parts.offset_cents, now=now)


async def _have_refunded(tx: Tx, note_ids: Sequence[UUID], *, now: datetime) -> None:
    """Have it seen whether a provider is to pay refunds back; a slow one keeps no customer's billing waiting (wallets §14)."""
    await agenda.leave(
        tx,
        *(Item(kind=Kind.REFUND_CREDIT_NOTE, subject_id=id_, owner_id=id_, due_at=now) for id_ in note_ids),
    )


async def _tell(tx: Tx, made: Sequence[Made], note_ids: Sequence[UUID], *, now: datetime) -> None:
    messages = [
        Message(webhook_type="credit_note.created", object_type="credit_note", object_id=note_id)
        for note_id in note_ids
    ]
    await outbox.emit(tx, *messages, now=now)
    issuers = {
        note_id: one.facts.invoice.billing_entity_id for note_id, one in zip(note_ids, made, strict=True)
    }
    await mailing.note_all_wanted(tx, MailKind.CREDIT_NOTE, issuers, now=now)
    if not tx.is_simulated:
        jobs = [
            Job(
                task=RENDER_CREDIT_NOTE,
                arguments={"organization_id": str(tx.organization_id), "note_id": str(note_id)},
                lock=f"document:{note_id}",
            )
            for note_id in note_ids
        ]
        await enqueue(tx, *jobs)


async def note_row(
    tx: Tx, facts: Facts, amounts: NoteAmounts, parts: Parts, about: About, *, now: datetime
) -> dict[str, Any]:
    """The columns of a note with the next number; nothing is written."""
    (row,) = await note_rows(tx, [Made(facts=facts, amounts=amounts, parts=parts, about=about)], now=now)
    return row


async def note_rows(tx: Tx, made: Sequence[Made], *, now: datetime) -> list[dict[str, Any]]:
    """The columns of notes with the next numbers of their invoices; nothing is written."""
    for one in made:
        _check(one.facts, one.amounts, one.parts)
    of_invoices = [one.facts.invoice for one in made]
    last = await repository.last_sequential_ids(tx, {invoice.id for invoice in of_invoices})
    days = await _today(tx, of_invoices, now=now)
    return [
        _note_row(tx, one, sequence=1 + last.get(one.facts.invoice.id, 0), day=day, now=now)
        for one, day in zip(made, days, strict=True)
    ]


def _note_row(tx: Tx, one: Made, *, sequence: int, day: date, now: datetime) -> dict[str, Any]:
    invoice, about = one.facts.invoice, one.about
    return {
        "organization_id": tx.organization_id,
        "created_at": now,
        "id": about.note_id or new_id(),
        "customer_id": invoice.customer_id,
        "invoice_id": invoice.id,
        "sequential_id": sequence,
        "number": f"{invoice.number}-CN{sequence:03d}",
        "issuing_date": day,
        "currency": invoice.currency,
        "reason": about.reason,
        "description": about.description,
        "metadata": None if about.metadata is None else dict(about.metadata),
        **_amount_columns(one.amounts, one.parts),
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


async def _today(tx: Tx, of_invoices: Sequence[Invoice], *, now: datetime) -> list[date]:
    """The day at each invoice's customer."""
    owners = await customers.get_customers(tx, {invoice.customer_id for invoice in of_invoices})
    entities = await organizations.get_entities(tx, {owner.billing_entity_id for owner in owners.values()})
    days = {
        key: local_date(now, ZoneInfo(owner.applicable_timezone(entities[owner.billing_entity_id])))
        for key, owner in owners.items()
    }
    return [days[invoice.customer_id] for invoice in of_invoices]


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
