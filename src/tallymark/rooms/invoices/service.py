"""What can be done with stored invoices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import Continuity
from tallymark.domain.errors import NotFound
from tallymark.domain.periods import TICK
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.queue import RENDER_DOCUMENT, enqueue
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.fees import service as fees
from tallymark.rooms.invoices import numbering, repository
from tallymark.rooms.invoices.model import (
    CHANGES,
    BillingRecord,
    Filters,
    Invoice,
    InvoiceStatus,
    InvoiceView,
)
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract


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
    of_customers = await customers.get_customers(tx, {invoice.customer_id for invoice in invoices})
    entities = await organizations.get_entities(
        tx,
        {invoice.billing_entity_id for invoice in invoices}
        | {customer.billing_entity_id for customer in of_customers.values()},
    )
    taxes = await repository.applied_taxes_of(tx, ids)
    records = await repository.records_of(tx, ids) if with_lines else {}
    lines = await fees.of_invoices(tx, ids) if with_lines else {}
    sections = await repository.sections_of(tx, ids) if with_lines else {}
    credit_lines = await repository.credits_of(tx, ids) if with_lines else {}
    views = await _subscription_views(tx, records, now=now)
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
        )
        for invoice in invoices
    ]


async def _subscription_views(
    tx: Tx, records: Mapping[UUID, Sequence[BillingRecord]], *, now: datetime
) -> dict[UUID, Any]:
    ids = {record.subscription_id for of_invoice in records.values() for record in of_invoice}
    if not ids:
        return {}
    contracts = await subscriptions.live_contracts(tx, ids)
    views = await subscriptions.get_views(tx, [contract.subscription for contract in contracts], now=now)
    return {view.contract.subscription.id: view for view in views}


async def records_of(tx: Tx, invoice_id: UUID) -> list[BillingRecord]:
    """What an invoice bills of each subscription."""
    return (await repository.records_of(tx, [invoice_id])).get(invoice_id, [])


TAXED_BEFORE = ("advance_charges", "credit")
"""Types of invoices that wait for no taxes: those of their fees stand already, or there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What hangs on an invoice, as rows."""

    records: Sequence[Mapping[str, Any]]
    fees: Sequence[Mapping[str, Any]]
    fee_taxes: Sequence[Mapping[str, Any]]
    taxes: Sequence[Mapping[str, Any]]


async def save_draft(tx: Tx, values: Mapping[str, Any], content: Content) -> None:
    """Write a new invoice with all that hangs on it; it waits for its finalization."""
    await repository.insert_invoice(tx, values)
    await _save_content(tx, values["id"], content)


async def replace_content(tx: Tx, invoice_id: UUID, values: Mapping[str, Any], content: Content) -> None:
    """Write a draft that was computed anew over the old one."""
    await fees.drop_of_invoice(tx, invoice_id)
    await repository.delete_records(tx, invoice_id)
    await repository.delete_sections(tx, invoice_id)
    await repository.update_invoice(tx, invoice_id, values)
    await _save_content(tx, invoice_id, content)


async def replace_taxes(
    tx: Tx, invoice_id: UUID, values: Mapping[str, Any], applied: Sequence[Mapping[str, Any]]
) -> None:
    """Write totals that follow from other taxes, and these."""
    await repository.update_invoice(tx, invoice_id, values)
    await repository.replace_applied_taxes(tx, invoice_id, applied)


async def _save_content(tx: Tx, invoice_id: UUID, content: Content) -> None:
    await repository.insert_records(tx, content.records)
    await fees.save_fees(tx, content.fees, content.fee_taxes)
    await repository.replace_applied_taxes(tx, invoice_id, content.taxes)


async def copy_sections(tx: Tx, invoice_id: UUID, contracts: Sequence[Contract], *, now: datetime) -> None:
    """Copy the custom sections that subscriptions and their customer print onto an invoice just computed (invoicing §14)."""
    keys = {"organization_id": tx.organization_id, "invoice_id": invoice_id, "created_at": now}
    applicable = await subscriptions.invoice_sections(tx, contracts)
    names = ("code", "name", "display_name", "details")
    rows = [
        {"id": new_id(), **{name: getattr(section, name) for name in names}, **keys} for section in applicable
    ]
    await repository.insert_sections(tx, rows)


async def note_finalization(tx: Tx, invoice: Invoice, customer: Customer) -> None:
    """Note when a draft's grace period ends: at 00:00 UTC of that day (subscriptions §5.6), or with its customer."""
    due_at = customer.drafts_end_at or datetime.combine(invoice.expected_finalization_date, time.min, UTC)
    await agenda.put(
        tx,
        Item(kind=Kind.FINALIZE_INVOICE, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=due_at),
    )


async def finalize(tx: Tx, view: InvoiceView, dates: Mapping[str, Any], *, now: datetime) -> None:
    """Issue an invoice: number it, or close it where nothing is on it and the customer wants none of that (§5.8).

    While a VAT number is being checked the taxes are not known, and the invoice waits (subscriptions §1.7).
    """
    invoice = view.invoice
    assert InvoiceStatus.FINALIZED in CHANGES[invoice.status], f"{invoice.status} is not finalized again"
    await agenda.drop(tx, Kind.FINALIZE_INVOICE, invoice.id)
    await agenda.drop(tx, Kind.REFRESH_DRAFT, invoice.id)
    unissued = await _unissued_columns(tx, view)
    if unissued:
        await repository.update_invoice(tx, invoice.id, {**dates, **unissued, "updated_at": now})
        return
    number = await numbering.take_number(tx, customer=view.customer, entity=view.billing_entity, now=now)
    is_paid = invoice.total_amount_cents == 0
    await repository.update_invoice(
        tx,
        invoice.id,
        {
            **dates,
            "status": InvoiceStatus.FINALIZED,
            "number": number.text,
            "sequential_id": number.sequential_id,
            "entity_sequential_id": number.entity_sequential_id,
            "payment_status": "succeeded" if is_paid else "pending",
            "tax_status": "succeeded" if invoice.status is InvoiceStatus.PENDING else None,
            "finalized_at": now,
            "updated_at": now,
        },
    )
    if not is_paid:
        overdue_at = datetime.combine(dates["payment_due_date"] + timedelta(days=1), time.min, UTC)
        overdue = Item(
            kind=Kind.MARK_OVERDUE, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=overdue_at
        )
        await agenda.put(tx, overdue)
    await enqueue_document(tx, invoice.id)


async def deduct(tx: Tx, invoice: Invoice, lines: Sequence[Mapping[str, Any]], *, now: datetime) -> Invoice:
    """Take credit notes off an invoice that is about to be issued; `lines` are rows of what each gives (§5.5)."""
    if not lines:
        return invoice
    taken = sum(line["amount_cents"] for line in lines)
    await repository.insert_credits(tx, lines)
    changed = {
        "credit_notes_amount_cents": invoice.credit_notes_amount_cents + taken,
        "total_amount_cents": invoice.total_amount_cents - taken,
        "updated_at": now,
    }
    await repository.update_invoice(tx, invoice.id, changed)
    return replace(invoice, **changed)


async def is_issued_now(tx: Tx, view: InvoiceView) -> bool:
    """Whether an invoice, once finalized, is numbered at once."""
    return not await _unissued_columns(tx, view)


async def _unissued_columns(tx: Tx, view: InvoiceView) -> dict[str, Any]:
    """What becomes of an invoice that is not issued now: it waits for taxes, or is closed; empty for all others."""
    customer, entity = view.customer, view.customer_entity
    needs_taxes = entity.eu_tax_management and view.invoice.invoice_type not in TAXED_BEFORE
    if needs_taxes and await customers.awaits_vat_check(tx, customer.id):
        return {"status": InvoiceStatus.PENDING, "tax_status": "pending"}
    if not view.invoice.fees_amount_cents and not customer.finalizes_zero_amount_invoices(entity):
        return {"status": InvoiceStatus.CLOSED}
    return {}


async def enqueue_document(tx: Tx, invoice_id: UUID) -> None:
    """Have the PDF made soon; a simulated organization's is made when it is asked for."""
    if not tx.is_simulated:
        arguments = {"organization_id": str(tx.organization_id), "invoice_id": str(invoice_id)}
        await enqueue(tx, RENDER_DOCUMENT, arguments, lock=f"document:{invoice_id}")


async def mark_paid(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Note that all of an invoice was paid before it was made: it never becomes overdue."""
    invoice = await repository.find_invoice(tx, invoice_id, visible_only=False)
    assert invoice is not None, "only what was made is paid"
    await agenda.drop(tx, Kind.MARK_OVERDUE, invoice_id)
    paid = {"payment_status": "succeeded", "total_paid_amount_cents": invoice.total_amount_cents}
    await repository.update_invoice(tx, invoice_id, {**paid, "updated_at": now})


async def mark_overdue(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Mark an invoice overdue if it is still unpaid (invoicing §12)."""
    invoice = await repository.find_invoice(tx, invoice_id)
    if (
        invoice is None
        or invoice.status is not InvoiceStatus.FINALIZED
        or invoice.payment_status == "succeeded"
    ):
        return
    await repository.update_invoice(tx, invoice_id, {"payment_overdue": True, "updated_at": now})


async def set_file(tx: Tx, invoice_id: UUID, key: str) -> None:
    """Note where the invoice's document is kept."""
    await repository.update_invoice(tx, invoice_id, {"file_key": key})


async def drafts_billing(tx: Tx, subscription_ids: Collection[UUID]) -> list[UUID]:
    """Drafts that bill any of these subscriptions, oldest first."""
    return await repository.drafts_billing(tx, subscription_ids)


async def last_billed_days(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, date]:
    """The last billing day of each subscription that was billed by the calendar."""
    return await repository.recurring_days(tx, subscription_ids) if subscription_ids else {}


async def is_period_billed(
    tx: Tx,
    *,
    subscription_id: UUID,
    from_at: datetime,
    to_at: datetime,
    charges: tuple[datetime, datetime] | None,
) -> bool:
    """Whether the calendar billed these windows of a subscription."""
    return await repository.is_period_billed(
        tx, subscription_id=subscription_id, from_at=from_at, to_at=to_at, charges=charges
    )


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
        ended = ends.get(contract.subscription.id)
        found[contract.subscription.id] = Continuity(
            not_before=ended + TICK if ended else None,
            continues_from=row.charges_to_at if row is not None and has_moved else None,
        )
    return found
