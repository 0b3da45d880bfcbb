"""What can be done with stored invoices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.calendar import Boundaries, Continuity
from tallymark.domain.errors import NotFound
from tallymark.domain.invoicing.explain import explain_invoice
from tallymark.domain.values import value
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.mail import MailKind
from tallymark.jobs.outbox import Message, emit
from tallymark.jobs.queue import RENDER_DOCUMENT, Job, enqueue
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.fees import service as fees
from tallymark.rooms.invoices import (
    collecting,
    copied_rows,
    explaining,
    numbering,
    posting,
    progressive_rows,
    repository,
)
from tallymark.rooms.invoices.model import (
    NOTHING_WRITTEN,
    PROGRESSIVE_TYPE,
    BillingRecord,
    CreditLine,
    Files,
    Filters,
    Invoice,
    InvoiceStatus,
    InvoiceView,
    WrittenOf,
    check_change,
)
from tallymark.rooms.organizations import mailing
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, SubscriptionView


async def get_invoice(tx: Tx, invoice_id: UUID) -> Invoice:
    """A visible invoice. Raises `NotFound("invoice")`."""
    invoice = await repository.find_invoice(tx, invoice_id)
    if invoice is None:
        raise NotFound("invoice")
    return invoice


async def find_invoice(tx: Tx, invoice_id: UUID) -> Invoice | None:
    """An invoice of any status."""
    return await repository.find_invoice(tx, invoice_id, visible_only=False)


async def get_invoices(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Invoice]:
    """Invoices by id, of any status."""
    return await repository.get_invoices(tx, ids) if ids else {}


async def list_invoices(tx: Tx, filters: Filters, page: Page) -> tuple[list[Invoice], int]:
    """A page of invoices, newest first. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_invoices(tx, filters, page)


async def get_views(
    tx: Tx, invoices: Sequence[Invoice], *, now: datetime, with_lines: bool = True
) -> list[InvoiceView]:
    """Invoices with what hangs on them, in the order given; a list leaves the lines out (invoicing §2.3)."""
    if not invoices:
        return []
    ids = [invoice.id for invoice in invoices]
    records = await repository.records_of(tx, ids) if with_lines else {}
    views = await _subscription_views(tx, records, now=now)
    of_customers = {view.contract.customer.id: view.contract.customer for view in views.values()}
    others = {invoice.customer_id for invoice in invoices} - of_customers.keys()
    of_customers |= await customers.get_customers(tx, others)
    entities = await organizations.get_entities(
        tx,
        {invoice.billing_entity_id for invoice in invoices}
        | {customer.billing_entity_id for customer in of_customers.values()},
    )
    taxes = await repository.applied_taxes_of(tx, ids)
    lines = await fees.of_invoices(tx, ids) if with_lines else {}
    sections = await copied_rows.sections_of(tx, ids) if with_lines else {}
    credit_lines = await repository.credits_of(tx, ids) if with_lines else {}
    notes = await repository.metadata_of(tx, ids)
    progressive = [invoice.id for invoice in invoices if invoice.invoice_type == PROGRESSIVE_TYPE]
    passed = await progressive_rows.applied_of(tx, progressive) if progressive else {}
    return [
        InvoiceView(
            invoice=invoice,
            customer=of_customers[invoice.customer_id],
            billing_entity=entities[invoice.billing_entity_id],
            customer_entity=entities[of_customers[invoice.customer_id].billing_entity_id],
            applied_taxes=tuple(taxes.get(invoice.id, ())),
            records=tuple(records.get(invoice.id, ())),
            subscriptions=tuple(views[record.subscription_id] for record in records.get(invoice.id, ())),
            fees=tuple(lines.get(invoice.id, ())),
            sections=tuple(sections.get(invoice.id, ())),
            credits=tuple(credit_lines.get(invoice.id, ())),
            metadata=tuple(notes.get(invoice.id, ())),
            applied_thresholds=tuple(passed.get(invoice.id, ())),
        )
        for invoice in invoices
    ]


async def _subscription_views(
    tx: Tx, records: Mapping[UUID, Sequence[BillingRecord]], *, now: datetime
) -> dict[UUID, SubscriptionView]:
    ids = {record.subscription_id for of_invoice in records.values() for record in of_invoice}
    if not ids:
        return {}
    contracts = await subscriptions.live_contracts(tx, ids)
    shown = await subscriptions.views_of(tx, contracts, now=now)
    return {view.contract.subscription.id: view for view in shown}


async def records_of(tx: Tx, invoice_id: UUID) -> list[BillingRecord]:
    """What an invoice bills of each subscription."""
    return (await repository.records_of(tx, [invoice_id])).get(invoice_id, [])


PAID_BY_WALLETS = (
    "prepaid_credit_amount_cents", "prepaid_granted_credit_amount_cents", "prepaid_purchased_credit_amount_cents",
    "total_amount_cents",
)  # fmt: skip
"""What wallets change of an invoice, which is written as it is issued (invoicing §5.6)."""

TAXED_BEFORE = ("advance_charges", "credit")
"""Types of invoices that wait for no taxes: those of their fees stand already, or there are none."""


ISSUED_EMPTY = (PROGRESSIVE_TYPE, "credit")
"""Types of invoices that are issued whatever comes to nothing on them (invoicing §5.8)."""


@value
class Content:
    """What hangs on an invoice, as rows."""

    records: Sequence[Mapping[str, Any]]
    fees: Sequence[Mapping[str, Any]]
    fee_taxes: Sequence[Mapping[str, Any]]
    taxes: Sequence[Mapping[str, Any]]


async def save_drafts(tx: Tx, drafts: Sequence[tuple[Mapping[str, Any], Content]]) -> list[Invoice]:
    """Write new invoices with all that hangs on them; they wait for their finalization."""
    await repository.insert_invoices(tx, [values for values, _ in drafts])
    await _save_content(tx, [content for _, content in drafts])
    ids = [values["id"] for values, _ in drafts]
    found = await get_invoices(tx, ids)
    return [found[invoice_id] for invoice_id in ids]


async def save_regenerated(tx: Tx, voided: Invoice, values: Mapping[str, Any], content: Content) -> Invoice:
    """Write an invoice that takes a void one's place; what that one bills is this one's from now on."""
    await repository.insert_invoices(tx, [{**values, "voided_invoice_id": voided.id}])
    await repository.supersede_records(tx, voided.id, values["id"])
    await _save_content(tx, [content])
    return (await get_invoices(tx, [values["id"]]))[values["id"]]


async def find_regenerated(tx: Tx, invoice_id: UUID) -> UUID | None:
    """The invoice that took a void one's place."""
    return await repository.find_regenerated(tx, invoice_id)


async def replace_content(tx: Tx, invoice_id: UUID, values: Mapping[str, Any], content: Content) -> None:
    """Write a draft that was computed anew over the old one."""
    await fees.drop_of_invoice(tx, invoice_id)
    await repository.delete_records(tx, invoice_id)
    await copied_rows.delete_sections(tx, invoice_id)
    await repository.delete_applied_taxes(tx, invoice_id)
    await progressive_rows.delete_draws(tx, invoice_id)
    await repository.update_invoice(tx, invoice_id, values)
    await _save_content(tx, [content])


async def replace_taxes(
    tx: Tx, invoice_id: UUID, values: Mapping[str, Any], applied: Sequence[Mapping[str, Any]]
) -> None:
    """Write totals that follow from other taxes, and these."""
    await repository.update_invoice(tx, invoice_id, values)
    await repository.delete_applied_taxes(tx, invoice_id)
    await repository.insert_applied_taxes(tx, applied)


async def _save_content(tx: Tx, contents: Sequence[Content]) -> None:
    await repository.insert_records(tx, [row for content in contents for row in content.records])
    await fees.save_fees(
        tx,
        [row for content in contents for row in content.fees],
        [row for content in contents for row in content.fee_taxes],
    )
    await repository.insert_applied_taxes(tx, [row for content in contents for row in content.taxes])


async def note_finalizations(tx: Tx, drafts: Sequence[tuple[Invoice, Customer]]) -> None:
    """Note when drafts' grace periods end: at 00:00 UTC of that day (subscriptions §5.6), or with their customer."""
    items = []
    for invoice, customer in drafts:
        due_at = customer.drafts_end_at or datetime.combine(invoice.expected_finalization_date, time.min, UTC)
        items.append(
            Item(
                kind=Kind.FINALIZE_INVOICE,
                subject_id=invoice.id,
                owner_id=invoice.customer_id,
                due_at=due_at,
            )
        )
    await agenda.put(tx, *items)


@value
class Settled:
    """An invoice from which all is deducted, with the dates that it is issued with, as columns."""

    view: InvoiceView
    dates: Mapping[str, Any]


async def finalize(
    tx: Tx, settled: Sequence[Settled], written: WrittenOf = NOTHING_WRITTEN, *, now: datetime
) -> list[UUID]:
    """Issue invoices, and tell which were: number each, or close it where nothing is on it and the customer wants none of that (§5.8).

    While a VAT number is being checked the taxes are not known, and the invoice waits (subscriptions §1.7).
    """
    ids = [one.view.invoice.id for one in settled]
    await agenda.drop(tx, Kind.FINALIZE_INVOICE, *ids)
    await agenda.drop(tx, Kind.REFRESH_DRAFT, *ids)
    unissued = await unissued_columns(tx, [one.view for one in settled])
    for one in settled:
        columns = unissued.get(one.view.invoice.id, {"status": InvoiceStatus.FINALIZED})
        check_change(one.view.invoice.status, columns["status"])
    rows = [
        {"id": one.view.invoice.id, **one.dates, **unissued[one.view.invoice.id], "updated_at": now}
        for one in settled
        if one.view.invoice.id in unissued
    ]
    await repository.update_invoices(tx, rows)
    issued = [one for one in settled if one.view.invoice.id not in unissued]
    await _issue(tx, issued, written, now=now)
    return [one.view.invoice.id for one in issued]


async def _issue(tx: Tx, settled: Sequence[Settled], written: WrittenOf, *, now: datetime) -> None:
    if not settled:
        return
    parties = [(one.view.customer, one.view.billing_entity) for one in settled]
    numbers = await numbering.take_numbers(tx, parties, now=now)
    facts = await explaining.gather(tx, [one.view.invoice for one in settled], written)
    rows = [_issued_row(one, number, now=now) for one, number in zip(settled, numbers, strict=True)]
    await repository.update_invoices(
        tx, [{**row, "explanation": explain_invoice(facts[row["id"]])} for row in rows]
    )
    issued = [replace(one.view.invoice, number=n.text) for one, n in zip(settled, numbers, strict=True)]
    await posting.post_issued(tx, [(invoice, facts[invoice.id].fee_cents) for invoice in issued], now=now)
    unpaid = [one for one in settled if one.view.invoice.total_amount_cents]
    await agenda.put(tx, *(overdue_item(one.view.invoice, one.dates["payment_due_date"]) for one in unpaid))
    unasked = [one.view for one in settled if one.view.invoice.status is not InvoiceStatus.OPEN]
    await collecting.have_collected(tx, unasked, now=now)
    await enqueue_documents(tx, [one.view.invoice.id for one in settled])


def _issued_row(one: Settled, number: numbering.Number, *, now: datetime) -> dict[str, Any]:
    invoice = one.view.invoice
    return {
        "id": invoice.id,
        **one.dates,
        **{name: getattr(invoice, name) for name in PAID_BY_WALLETS},
        "status": InvoiceStatus.FINALIZED,
        "number": number.text,
        "sequential_id": number.sequential_id,
        "entity_sequential_id": number.entity_sequential_id,
        "payment_status": "pending" if invoice.total_amount_cents else "succeeded",
        "tax_status": "succeeded" if invoice.status is InvoiceStatus.PENDING else None,
        "finalized_at": now,
        "updated_at": now,
    }


def overdue_item(invoice: Invoice, payment_due_date: date) -> Item:
    """When an invoice that is unpaid then becomes overdue."""
    due_at = datetime.combine(payment_due_date + timedelta(days=1), time.min, UTC)
    return Item(kind=Kind.MARK_OVERDUE, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=due_at)


async def save_credits(tx: Tx, lines: Sequence[Mapping[str, Any]]) -> None:
    """Note what was deducted from invoices."""
    await repository.insert_credits(tx, lines)


async def credits_of_coupons(
    tx: Tx, applied_coupon_ids: Collection[UUID]
) -> dict[UUID, list[tuple[CreditLine, str]]]:
    """What invoices took of applied coupons, each with the invoice's payment status."""
    return await repository.credits_of_coupons(tx, applied_coupon_ids) if applied_coupon_ids else {}


async def deduct_credit_notes(
    tx: Tx, deducted: Mapping[UUID, int], lines: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Take credit notes off invoices that are about to be issued; `lines` are rows of what each gives (§5.5)."""
    await repository.insert_credits(tx, lines)
    await repository.deduct_credit_notes(tx, deducted, now=now)


async def unissued_columns(tx: Tx, views: Sequence[InvoiceView]) -> dict[UUID, dict[str, Any]]:
    """What becomes of the invoices that are not issued now: they wait for taxes, or are closed."""
    waiting = await customers.awaiting_vat_checks(
        tx,
        {
            view.customer.id
            for view in views
            if view.customer_entity.eu_tax_management and view.invoice.invoice_type not in TAXED_BEFORE
        },
    )
    found: dict[UUID, dict[str, Any]] = {}
    for view in views:
        invoice, customer = view.invoice, view.customer
        if invoice.status is InvoiceStatus.OPEN:
            continue  # its taxes were known when its payment was asked for
        if customer.id in waiting and invoice.invoice_type not in TAXED_BEFORE:
            found[invoice.id] = {"status": InvoiceStatus.PENDING, "tax_status": "pending"}
        elif (
            not invoice.fees_amount_cents
            and invoice.invoice_type not in ISSUED_EMPTY
            and not customer.finalizes_zero_amount_invoices(view.customer_entity)
        ):
            found[invoice.id] = {"status": InvoiceStatus.CLOSED, "tax_status": None}
    return found


async def enqueue_documents(tx: Tx, invoice_ids: Sequence[UUID], *, at: datetime | None = None) -> None:
    """Have the PDFs made soon, or at an instant; a simulated organization's are made when they are asked for."""
    if tx.is_simulated:
        return
    jobs = [
        Job(
            task=RENDER_DOCUMENT,
            arguments={"organization_id": str(tx.organization_id), "invoice_id": str(invoice_id)},
            lock=f"document:{invoice_id}",
            run_at=at,
        )
        for invoice_id in invoice_ids
    ]
    await enqueue(tx, *jobs)


async def mark_paid(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Note that all of an invoice was paid before it was made: it never becomes overdue."""
    invoice = await repository.find_invoice(tx, invoice_id, visible_only=False)
    assert invoice is not None, "only what was made is paid"
    await agenda.drop(tx, Kind.MARK_OVERDUE, invoice_id)
    paid = {"payment_status": "succeeded", "total_paid_amount_cents": invoice.total_amount_cents}
    await repository.update_invoice(tx, invoice_id, {**paid, "updated_at": now})


async def mark_overdue(tx: Tx, invoice_ids: Collection[UUID], *, now: datetime) -> None:
    """Mark those invoices overdue that are still unpaid and not lost to a dispute (invoicing §12)."""
    messages = [
        Message(webhook_type="invoice.payment_overdue", object_type="invoice", object_id=invoice_id)
        for invoice_id in await repository.mark_overdue(tx, invoice_ids, now=now)
    ]
    await emit(tx, *messages, now=now)


async def void(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Cancel an issued invoice: it is not due any more, whether it was paid or not (invoicing §10.4)."""
    check_change(invoice.status, InvoiceStatus.VOIDED)
    await agenda.drop(tx, Kind.MARK_OVERDUE, invoice.id)
    gone = {"status": InvoiceStatus.VOIDED, "voided_at": now, "payment_overdue": False, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, gone)
    await collecting.note_due(tx, invoice, now=now)


async def delete_draft(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Take a draft away: it is never issued, and what it bills is not billed again (invoicing §10)."""
    check_change(invoice.status, InvoiceStatus.DELETED)
    await agenda.drop_kinds(tx, (Kind.FINALIZE_INVOICE, Kind.REFRESH_DRAFT), invoice.id)
    await repository.update_invoice(tx, invoice.id, {"status": InvoiceStatus.DELETED, "updated_at": now})


async def retry(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Ask for the taxes of an invoice again that failed for want of them: it waits for them now (invoicing §2.2)."""
    check_change(invoice.status, InvoiceStatus.PENDING)
    waiting = {"status": InvoiceStatus.PENDING, "tax_status": "pending", "updated_at": now}
    await repository.update_invoice(tx, invoice.id, waiting)
    item = Item(kind=Kind.FINALIZE_INVOICE, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=now)
    await agenda.leave(tx, item)


async def lose_dispute(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Note that a dispute about an invoice was lost: it is not overdue."""
    await agenda.drop(tx, Kind.MARK_OVERDUE, invoice.id)
    lost = {"payment_dispute_lost_at": now, "payment_overdue": False, "updated_at": now}
    await repository.update_invoice(tx, invoice.id, lost)
    await posting.post_lost_dispute(tx, invoice, now=now)


async def set_files(tx: Tx, invoice_id: UUID, files: Files, *, now: datetime) -> None:
    """Note where the invoice's documents are kept, and tell that they are there; the first ones stay."""
    if await repository.set_files(tx, invoice_id, pdf=files.pdf, xml=files.xml):
        message = Message(webhook_type="invoice.generated", object_type="invoice", object_id=invoice_id)
        await emit(tx, message, now=now)
        entity_id = (await get_invoice(tx, invoice_id)).billing_entity_id
        await mailing.note_if_wanted(tx, MailKind.INVOICE, invoice_id, entity_id=entity_id, now=now)


async def drafts_of_customers(tx: Tx, customer_ids: Collection[UUID]) -> list[Invoice]:
    """The drafts of customers."""
    return await repository.drafts_of_customers(tx, customer_ids)


async def drafts_billing(tx: Tx, subscription_ids: Collection[UUID]) -> list[UUID]:
    """Drafts that bill any of these subscriptions, oldest first."""
    return await repository.drafts_billing(tx, subscription_ids)


async def last_billed_days(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, date]:
    """The last billing day of each subscription that was billed by the calendar."""
    return await repository.recurring_days(tx, subscription_ids) if subscription_ids else {}


async def is_period_billed(tx: Tx, subscription_id: UUID, boundaries: Boundaries) -> bool:
    """Whether the calendar billed these windows of a subscription."""
    return await repository.is_period_billed(tx, subscription_id, boundaries)


async def subscription_fee_days(
    tx: Tx, subscription_ids: Collection[UUID], *, except_invoice: UUID | None, before: datetime
) -> dict[UUID, set[date]]:
    """The billing days on which each subscription's base price was billed, but for one invoice."""
    rows = await repository.subscription_fee_days(
        tx, subscription_ids, except_invoice=except_invoice, before=before
    )
    found: dict[UUID, set[date]] = {}
    for row in rows:
        found.setdefault(row.subscription_id, set()).add(row.billing_day)
    return found


async def continuity_of(tx: Tx, contracts: Sequence[Contract], *, at: datetime) -> dict[UUID, Continuity]:
    """What earlier windows force on the next one of each subscription (subscriptions §3.7, §3.9)."""
    ids = [contract.subscription.id for contract in contracts]
    last = (
        {row.subscription_id: row for row in await repository.last_windows(tx, ids, before=at)} if ids else {}
    )
    ends = await subscriptions.ends_of_predecessors(tx, ids)
    found = {}
    for contract in contracts:
        row = last.get(contract.subscription.id)
        has_moved = row is not None and row.timezone != contract.timezone.key
        found[contract.subscription.id] = Continuity(
            not_before=ends.get(contract.subscription.id),
            continues_from=row.charges_to_at if row is not None and has_moved else None,
        )
    return found
