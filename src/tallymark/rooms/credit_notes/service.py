"""What can be done with credit notes: give back unused time, deduct, read (subscriptions §4.6, invoicing §5.5, §11)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.domain.invoicing import TaxRate
from tallymark.domain.invoicing.credit_notes import (
    NoteAmounts,
    UnusedTime,
    credit_unused_time,
    deduct_balances,
)
from tallymark.domain.money import fixed, round_cents
from tallymark.domain.periods import local_date, start_of_day
from tallymark.jobs import outbox
from tallymark.jobs.outbox import Message
from tallymark.rooms.credit_notes import repository
from tallymark.rooms.credit_notes.model import CreditNote, CreditNoteView, Filters
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus, InvoiceView
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.subscriptions.model import Contract

ONE_DAY = timedelta(days=1)


async def give_back_unused_time(tx: Tx, contract: Contract, *, now: datetime) -> UUID | None:
    """Make the note for what an ended subscription paid in advance and did not use; None where there is nothing (§4.6).

    While the invoice of that payment is not final there is nothing yet: its finalization calls again. Calling twice
    gives back once.
    """
    subscription, life = contract.subscription, contract.life
    is_upgrade = life.has_successor and not life.is_downgraded
    option = subscription.on_termination_credit_note or "credit"
    if not contract.plan.pay_in_advance or option == "skip" or life.is_downgraded:
        return None
    fee = await fees.last_base_fee(tx, subscription.id)
    if (
        fee is None
        or fee.amount_cents == 0
        or fee.invoice_id is None
        or not _is_of_last_period(contract, fee)
    ):
        return None
    invoice = await invoices.find_invoice(tx, fee.invoice_id)
    if invoice is None or invoice.status is not InvoiceStatus.FINALIZED:
        return None
    credited = await repository.credited_of(tx, fee.id)
    facts = _unused_time(contract, fee, invoice, credited=Fraction(credited), is_upgrade=is_upgrade)
    amounts = credit_unused_time(facts, refunds=option == "refund" and not is_upgrade)
    return None if amounts is None else await _save(tx, contract, fee, invoice, amounts, now)


def _is_of_last_period(contract: Contract, fee: FeeRecord) -> bool:
    """Whether a fee is for the period in which the subscription ended: the first always has one."""
    assert contract.life.terminated_at is not None
    assert fee.from_at is not None
    zone = contract.timezone
    day = local_date(contract.life.terminated_at, zone)
    period_start = start_of_day(contract.schedule.cycle().period_start(day), zone)
    return period_start < contract.life.started_at or fee.from_at >= period_start


def _unused_time(
    contract: Contract, fee: FeeRecord, invoice: Invoice, *, credited: Fraction, is_upgrade: bool
) -> UnusedTime:
    assert contract.life.terminated_at is not None
    assert fee.from_at is not None
    zone, cycle = contract.timezone, contract.schedule.cycle()
    day = local_date(contract.life.terminated_at, zone)
    last = cycle.period_end(cycle.period_start(day))
    first_billed = local_date(fee.from_at, zone)
    unused = (last - day).days + is_upgrade
    trial_day = local_date(contract.trial_end, zone) if contract.trial_end else None
    if trial_day is not None:
        if trial_day >= day - is_upgrade * ONE_DAY:
            unused = (last - min(last, trial_day - ONE_DAY)).days
        first_billed = max(first_billed, trial_day)
    return UnusedTime(
        plan_amount_cents=_plan_amount(fee, contract),
        full_days=cycle.length(day),
        unused_days=max(unused, 0),
        used_days=max((min(day, last) - first_billed).days + 1, 0),
        fee_amount_cents=fee.amount_cents,
        fee_coupons_cents=Fraction(fee.precise_coupons_amount_cents),
        fee_taxes_cents=Fraction(fee.taxes_precise_amount_cents),
        taxes=tuple(
            TaxRate(
                code=tax.tax_code,
                name=tax.tax_name,
                description=tax.tax_description,
                rate=Fraction(tax.tax_rate),
            )
            for tax in fee.taxes
        ),
        credited_cents=credited,
        paid_cents=invoice.total_paid_amount_cents,
        invoice_cents=invoice.sub_total_including_taxes_amount_cents,
    )


def _plan_amount(fee: FeeRecord, contract: Contract) -> int:
    """The price that the fee was computed of."""
    return int(fee.amount_details.get("plan_amount_cents", contract.plan.amount_cents))


async def _save(
    tx: Tx, contract: Contract, fee: FeeRecord, invoice: Invoice, amounts: NoteAmounts, now: datetime
) -> UUID:
    note_id = new_id()
    sequence = 1 + await repository.last_sequential_id(tx, invoice.id)
    keys = {"organization_id": tx.organization_id, "created_at": now}
    own: dict[str, Any] = {**keys, "credit_note_id": note_id, "currency": invoice.currency}
    item = {
        **own,
        "id": new_id(),
        "fee_id": fee.id,
        "amount_cents": round_cents(amounts.item_cents),
        "precise_amount_cents": fixed(amounts.item_cents, 5),
    }
    taxes = [
        {
            **own,
            "id": new_id(),
            **{name: getattr(applied, name) for name in ("tax_id", "tax_code", "tax_name", "tax_rate")},
            "tax_description": applied.tax_description,
            "amount_cents": tax.amount_cents,
            "fees_amount_cents": tax.base_amount_cents,
        }
        for applied, tax in zip(fee.taxes, amounts.taxes, strict=True)
    ]
    note = {
        **keys,
        "id": note_id,
        "customer_id": invoice.customer_id,
        "invoice_id": invoice.id,
        "sequential_id": sequence,
        "number": f"{invoice.number}-CN{sequence:03d}",
        "issuing_date": local_date(now, contract.timezone),
        "currency": invoice.currency,
        **_amount_columns(amounts),
        "updated_at": now,
    }
    await repository.insert_note(tx, note, [item], taxes)
    message = Message(webhook_type="credit_note.created", object_type="credit_note", object_id=note_id)
    await outbox.emit(tx, message, now=now)
    return note_id


def _amount_columns(amounts: NoteAmounts) -> dict[str, Any]:
    return {
        "credit_status": "available",
        "refund_status": "pending" if amounts.refund_amount_cents else None,
        "reason": "order_cancellation",
        "total_amount_cents": amounts.total_amount_cents,
        "credit_amount_cents": amounts.credit_amount_cents,
        "refund_amount_cents": amounts.refund_amount_cents,
        "balance_amount_cents": amounts.credit_amount_cents,
        "taxes_amount_cents": amounts.taxes_amount_cents,
        "sub_total_excluding_taxes_amount_cents": amounts.sub_total_cents,
        "precise_coupons_adjustment_amount_cents": fixed(amounts.coupons_adjustment_cents, 15),
        "precise_taxes_amount_cents": fixed(amounts.precise_taxes_cents, 15),
        "precise_total_amount_cents": fixed(amounts.precise_total_cents, 15),
        "taxes_rate": fixed(amounts.taxes_rate, 5),
    }


async def deduct(tx: Tx, views: Sequence[InvoiceView], *, now: datetime) -> list[InvoiceView]:
    """Take the customers' credit off invoices that are about to be issued, the oldest note first (invoicing §5.5)."""
    unissued = await invoices.unissued_columns(tx, views)
    owing = [v for v in views if v.invoice.total_amount_cents and v.invoice.id not in unissued]
    notes = await repository.available(tx, {view.customer.id for view in owing}) if owing else []
    if not notes:
        return list(views)
    left = {note.id: note.balance_amount_cents for note in notes}
    taken = [deduction for view in owing for deduction in _take(view.invoice, notes, left)]
    await repository.update_notes(tx, _balance_rows({note.id for _, note, _ in taken}, left, now=now))
    by_invoice: dict[UUID, int] = defaultdict(int)
    for invoice, _, part in taken:
        by_invoice[invoice.id] += part
    await invoices.deduct_credit_notes(tx, by_invoice, await _credit_rows(tx, taken, now=now), now=now)
    return [_less(view, by_invoice[view.invoice.id]) for view in views]


Deduction = tuple[Invoice, CreditNote, int]
"""What a note takes off an invoice, in minor units."""


def _take(invoice: Invoice, notes: Sequence[CreditNote], left: dict[UUID, int]) -> Iterator[Deduction]:
    """What the customer's notes give to an invoice, but for those on itself; `left` is what they have, and shrinks."""
    usable = [
        note
        for note in notes
        if note.customer_id == invoice.customer_id
        and note.currency == invoice.currency
        and note.invoice_id != invoice.id
    ]
    parts = deduct_balances(invoice.total_amount_cents, [left[note.id] for note in usable])
    for note, part in zip(usable, parts, strict=True):
        if part:
            left[note.id] -= part
            yield invoice, note, part


def _balance_rows(
    changed: Collection[UUID], left: Mapping[UUID, int], *, now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "id": note_id,
            "balance_amount_cents": left[note_id],
            "credit_status": "available" if left[note_id] else "consumed",
            "updated_at": now,
        }
        for note_id in changed
    ]


def _less(view: InvoiceView, taken: int) -> InvoiceView:
    invoice = view.invoice
    changed = replace(
        invoice,
        credit_notes_amount_cents=invoice.credit_notes_amount_cents + taken,
        total_amount_cents=invoice.total_amount_cents - taken,
    )
    return replace(view, invoice=changed)


async def _credit_rows(tx: Tx, taken: Sequence[Deduction], *, now: datetime) -> list[dict[str, Any]]:
    of_invoices = await invoices.get_invoices(tx, {note.invoice_id for _, note, _ in taken})
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice.id,
            "credit_note_id": note.id,
            "amount_cents": part,
            "currency": invoice.currency,
            "before_taxes": False,
            "item_type": "credit_note",
            "item_code": note.number,
            "item_name": of_invoices[note.invoice_id].number,
            "item_description": note.description,
            "created_at": now,
        }
        for invoice, note, part in taken
    ]


async def give_back(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Return to notes what an invoice took of them that is being voided; needs the customer's lock (invoicing §10.4)."""
    rows = [
        {
            "id": note.id,
            "balance_amount_cents": note.balance_amount_cents + taken,
            "credit_status": "available",
            "updated_at": now,
        }
        for note, taken in await repository.taken_by(tx, invoice_id)
        if note.credit_status != "voided"
    ]
    await repository.update_notes(tx, rows)


async def get_note(tx: Tx, note_id: UUID) -> CreditNote:
    """A credit note. Raises `NotFound("credit_note")`."""
    note = await repository.find_note(tx, note_id)
    if note is None:
        raise NotFound("credit_note")
    return note


async def list_notes(tx: Tx, filters: Filters, page: Page) -> tuple[list[CreditNote], int]:
    """A page of notes, newest first. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_notes(tx, filters, page)


async def get_views(tx: Tx, notes: Sequence[CreditNote]) -> list[CreditNoteView]:
    """Notes with what hangs on them, in the order given, in a constant number of queries."""
    if not notes:
        return []
    ids = [note.id for note in notes]
    items, taxes = await repository.items_of(tx, ids), await repository.taxes_of(tx, ids)
    of_fees = await fees.get_fees(tx, {item.fee_id for of_note in items.values() for item in of_note})
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
