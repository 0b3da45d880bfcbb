"""Make, refresh and finalize subscription invoices (invoicing §6, subscriptions §5.4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import InvoiceDates, finalized_dates, new_invoice_dates
from tallymark.domain.errors import NotFound
from tallymark.domain.periods import local_date
from tallymark.jobs import usage_watch
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.billing.model import Computed, Subject
from tallymark.rooms.billing.service import one_off
from tallymark.rooms.billing.service.compute import compute, compute_all
from tallymark.rooms.billing.service.coupons import NO_COUPONS, CouponBook, open_book
from tallymark.rooms.billing.service.last_days import ended_usage
from tallymark.rooms.billing.service.lifetime import look_again_after
from tallymark.rooms.billing.service.ongoing import refresh_wallets
from tallymark.rooms.billing.service.progressive_credits import take_over
from tallymark.rooms.billing.service.regroup import regroup_paid_fees
from tallymark.rooms.billing.service.retax import is_fixed, retax
from tallymark.rooms.billing.service.rows import fee_rows, record_rows, tax_rows, total_columns
from tallymark.rooms.billing.service.standalone import fee_created, renew_standalone
from tallymark.rooms.billing.service.subjects import subjects_of_records
from tallymark.rooms.billing.service.terms import Terms, keep_terms
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.daily_usages import service as daily_usages
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import PayableFee
from tallymark.rooms.invoices import copying, holding
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.explaining import fees_of_rows
from tallymark.rooms.invoices.model import (
    NOTHING_WRITTEN,
    PROGRESSIVE_TYPE,
    Invoice,
    InvoiceStatus,
    InvoiceView,
    Reason,
    Written,
    WrittenOf,
)
from tallymark.rooms.invoices.numbering import draft_number
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Status
from tallymark.rooms.wallets import service as wallets

INVOICE_TYPE = "subscription"

AT_ONCE = (Reason.IN_ADVANCE, Reason.PROGRESSIVE)
"""What is billed within a period: it is never a draft (invoicing §2.1, §3)."""


async def issue(
    tx: Tx, subjects: Sequence[Subject], *, now: datetime, skips_empty: bool = False
) -> UUID | None:
    """Invoice subjects that share customer, currency, entity and order number; final at once without a grace period.

    With `skips_empty`, an invoice without fees is not made. Beside it, recurring charges in advance that are on no invoice
    are renewed, and fees that were paid in advance get an invoice of their own.
    """
    (made,) = await issue_all(tx, [subjects], now=now, skips_empty=skips_empty)
    return made


async def issue_all(
    tx: Tx, groups: Sequence[Sequence[Subject]], *, now: datetime, skips_empty: bool = False
) -> list[UUID | None]:
    """Invoice many groups, each as `issue` does."""
    book = await open_book(tx, [subject for group in groups if not _has_grace(group) for subject in group])
    computed = await compute_all(
        tx, [(group, NO_COUPONS if _has_grace(group) else book) for group in groups], made_at=now
    )
    wanted = [one for one in computed if one.lines or not skips_empty]
    made = iter(await issue_computed(tx, wanted, book, now=now))
    issued = [next(made) if one.lines or not skips_empty else None for one in computed]
    await renew_standalone(tx, [subject for group in groups for subject in group], now=now)
    await regroup_paid_fees(tx, groups, now=now)
    return issued


async def issue_computed(
    tx: Tx, computed: Sequence[Computed], book: CouponBook, *, now: datetime
) -> list[UUID]:
    """Write invoices that are computed, in the order given; those without a grace period are final at once.

    `book` has the coupons that they were computed with.
    """
    if not computed:
        return []
    rows = [draft_row(tx, one, now=now) for one in computed]
    terms = await keep_terms(tx, computed, now=now)
    contents = [_content(tx, one, row["id"], terms, now=now) for one, row in zip(computed, rows, strict=True)]
    drafts = await invoices.save_drafts(tx, list(zip(rows, contents, strict=True)))
    for one, content in zip(computed, contents, strict=True):
        await adjustments.attach(tx, _adjusted(one, content))
    await copying.copy_sections(
        tx,
        [(draft.id, [s.contract for s in one.subjects]) for draft, one in zip(drafts, computed, strict=True)],
        now=now,
    )
    of_events = [fee["id"] for content in contents for fee in content.fees if fee["event_id"] is not None]
    await emit(tx, *(fee_created(fee_id) for fee_id in of_events), now=now)
    made = list(zip(drafts, computed, strict=True))
    await take_over(tx, [(draft.id, one) for draft, one in made], now=now)
    await _consume(tx, made, book, now=now)
    waiting = [(draft, one.customer) for draft, one in made if _has_grace(one.subjects)]
    await invoices.note_finalizations(tx, waiting)
    drafted = ("invoice.drafted", "invoice.ready_to_finalize")
    await emit(tx, *(_message(name, draft.id) for draft, _ in waiting for name in drafted), now=now)
    final = [(draft, one) for draft, one in made if not _has_grace(one.subjects)]
    written = {
        row["id"]: _written(one, content) for row, one, content in zip(rows, computed, contents, strict=True)
    }
    held = {draft.id for draft, one in final if is_held(one.subjects)}
    dated = [_dated(_view(draft, one)) for draft, one in final]
    issued = await _settle(tx, dated, written, held=held, now=now)
    ended = [
        usage
        for row, one, content in zip(rows, computed, contents, strict=True)
        if row["id"] in issued
        for usage in ended_usage(row, one, content)
    ]
    await daily_usages.keep_last_days(tx, ended, now=now)
    await look_again_after(tx, computed, now=now)
    # Many events of a customer may be invoiced at once, each by itself: who bills them has the wallets looked at after all.
    settled = [one for one in computed if not one.is_of_event]
    known = [subject.contract for one in settled for subject in one.subjects if subject.is_recurring]
    await refresh_wallets(tx, {one.customer.id for one in settled}, known, now=now)
    return [draft.id for draft in drafts]


def _adjusted(computed: Computed, content: invoices.Content) -> dict[UUID, UUID]:
    """The fees that bill differences of earlier periods, by these."""
    return {
        line.adjustment_id: row["id"]
        for line, row in zip(computed.lines, content.fees, strict=True)
        if line.adjustment_id is not None
    }


def _view(draft: Invoice, computed: Computed) -> InvoiceView:
    """A draft as far as who issues it looks at it."""
    contract = computed.subjects[0].contract
    return InvoiceView(
        invoice=draft,
        customer=contract.customer,
        billing_entity=contract.billing_entity,
        customer_entity=contract.customer_entity,
        applied_taxes=(),
    )


def _written(computed: Computed, content: invoices.Content) -> Written:
    return Written(
        payable=[
            PayableFee.of_row(row, line.target_wallet_code)
            for row, line in zip(content.fees, computed.lines, strict=True)
        ],
        explained=fees_of_rows(content.fees, content.fee_taxes),
    )


async def issue_drafts(tx: Tx, drafts: Sequence[Invoice], *, now: datetime) -> None:
    """Issue invoices that are written, with the dates that they have."""
    views = await invoices.get_views(tx, drafts, now=now, with_lines=False)
    await _settle_stored(tx, [_dated(view) for view in views], now=now)


def _dated(view: InvoiceView) -> tuple[InvoiceView, Mapping[str, Any]]:
    return view, _date_columns(view.invoice.dates)


async def _consume(
    tx: Tx, made: Sequence[tuple[Invoice, Computed]], book: CouponBook, *, now: datetime
) -> None:
    used = [
        (invoice.id, invoice.currency, computed.coupon_uses)
        for invoice, computed in made
        if computed.coupon_uses
    ]
    if used:
        await coupons.consume(tx, used, book.used, now=now)


def _has_grace(subjects: Sequence[Subject]) -> bool:
    """Whether it stays a draft for a while. What is paid in advance within a period never waits (invoicing §3)."""
    first = subjects[0]
    rules = first.contract.customer.issuing_rules(first.contract.customer_entity)
    return first.reason not in AT_ONCE and rules.grace_days > 0 and not is_held(subjects)


def is_held(subjects: Sequence[Subject]) -> bool:
    """Whether an invoice has to be paid before it is issued: a subscription waits for it to begin (subscriptions §2.10)."""
    return subjects[0].contract.subscription.status is Status.INCOMPLETE


def draft_row(tx: Tx, computed: Computed, *, now: datetime) -> dict[str, Any]:
    """The columns of an invoice that is made of what was computed."""
    first = computed.subjects[0]
    contract, rules = first.contract, computed.issuing_rules
    dates = new_invoice_dates(
        rules,
        day=first.day,
        is_recurring=first.is_recurring,
        has_grace=first.reason not in AT_ONCE,
    )
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "customer_id": contract.customer.id,
        "billing_entity_id": contract.billing_entity.id,
        "number": draft_number(contract.billing_entity),
        "invoice_type": PROGRESSIVE_TYPE if first.reason is Reason.PROGRESSIVE else INVOICE_TYPE,
        "status": InvoiceStatus.DRAFT,
        "currency": contract.plan.amount_currency,
        "timezone": contract.timezone.key,
        "billing_day": first.day,
        "billed_at": first.at,
        "net_payment_term": rules.net_payment_term,
        "is_recurring": first.is_recurring,
        "self_billed": contract.customer.is_partner,
        "purchase_order_number": contract.subscription.purchase_order_number,
        **_date_columns(dates),
        **total_columns(computed.totals),
        "created_at": now,
        "updated_at": now,
    }


async def refresh(tx: Tx, invoice: Invoice, *, now: datetime, is_final: bool = False) -> Invoice:
    """Compute a draft, or what waits for taxes, anew as of its own billing instant; others are returned as they are (invoicing §6).

    With `is_final` it is about to be issued, and uses the customer's coupons.
    """
    if (
        invoice.status not in (InvoiceStatus.DRAFT, InvoiceStatus.PENDING)
        or invoice.invoice_type != INVOICE_TYPE
    ):
        return invoice
    subjects = await subjects_of_records(tx, await invoices.records_of(tx, invoice.id), zone=invoice.timezone)
    book = await open_book(tx, subjects) if is_final else NO_COUPONS
    computed = await compute(tx, subjects, made_at=invoice.created_at, invoice_id=invoice.id, book=book)
    # Fees keep the invoice's own time of creation.
    terms = await keep_terms(tx, [computed], now=now)
    content = _content(tx, computed, invoice.id, terms, now=invoice.created_at)
    values = {**total_columns(computed.totals), "updated_at": now}
    await invoices.replace_content(tx, invoice.id, values, content)
    await adjustments.attach(tx, _adjusted(computed, content))
    await take_over(tx, [(invoice.id, computed)], now=now)
    await look_again_after(tx, [computed], now=now)
    await _consume(tx, [(invoice, computed)], book, now=now)
    await copying.copy_sections(tx, [(invoice.id, [s.contract for s in subjects])], now=now)
    if not is_final:
        await usage_watch.follow_customers(tx, [invoice.customer_id], now=now)
    return await invoices.get_invoice(tx, invoice.id)


async def finalize(tx: Tx, invoice_id: UUID, *, now: datetime, as_of: datetime) -> UUID:
    """Refresh a draft, date it as of an instant, and issue it. Raises `NotFound("invoice")` for what is no draft."""
    draft = await invoices.find_invoice(tx, invoice_id)
    if draft is None or draft.status is not InvoiceStatus.DRAFT:
        raise NotFound("invoice")
    fresh = await refresh(tx, draft, now=now, is_final=True)
    (view,) = await invoices.get_views(tx, [fresh], now=now, with_lines=False)
    await _settle_stored(tx, [(view, _final_date_columns(view, as_of))], now=now)
    await _give_back(tx, view, now=now)
    await refresh_wallets(tx, [view.customer.id], now=now)
    return invoice_id


async def release(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Issue an invoice that waited for its taxes, with the dates that it would have had (subscriptions §1.7)."""
    stored = (await fees.of_invoices(tx, [invoice.id])).get(invoice.id, [])
    if invoice.invoice_type == one_off.INVOICE_TYPE:
        await one_off.release(tx, invoice, stored, now=now)
        return
    if is_fixed(invoice, stored):
        fresh = await retax(tx, invoice, stored, now=now)
    else:
        fresh = await refresh(tx, invoice, now=now, is_final=True)
    records = await invoices.records_of(tx, invoice.id)
    billed = await subscriptions.live_contracts(tx, {record.subscription_id for record in records})
    held = {invoice.id} if any(one.subscription.status is Status.INCOMPLETE for one in billed) else set()
    (view,) = await invoices.get_views(tx, [fresh], now=now, with_lines=False)
    await _settle_stored(tx, [(view, _date_columns(fresh.dates))], held=held, now=now)
    await _give_back(tx, view, now=now)
    await refresh_wallets(tx, [view.customer.id], now=now)


async def issue_paid(tx: Tx, invoice: Invoice, *, now: datetime) -> Invoice:
    """Issue an invoice that was held back until its payment, with the dates that it has; all was deducted from it then."""
    (view,) = await invoices.get_views(tx, [invoice], now=now, with_lines=False)
    await _issue(tx, [invoices.Settled(view=view, dates=_date_columns(invoice.dates))], now=now)
    return await invoices.get_invoice(tx, invoice.id)


async def _settle(
    tx: Tx,
    dated: Sequence[tuple[InvoiceView, Mapping[str, Any]]],
    written: WrittenOf = NOTHING_WRITTEN,
    *,
    held: Collection[UUID] = (),
    now: datetime,
) -> set[UUID]:
    """Deduct the customers' credit, then have their wallets pay, and issue (subscriptions §5.4); those that are issued.

    Those of `held` have to be paid first.
    """
    views = await credit_notes.deduct(tx, [view for view, _ in dated], now=now)
    views = await wallets.draw(tx, views, written, now=now)
    settled = [
        invoices.Settled(view=view, dates=dates) for view, (_, dates) in zip(views, dated, strict=True)
    ]
    waiting = await _hold(tx, [one for one in settled if one.view.invoice.id in held], now=now)
    return await _issue(tx, [one for one in settled if one.view.invoice.id not in waiting], written, now=now)


async def _hold(tx: Tx, settled: Sequence[invoices.Settled], *, now: datetime) -> set[UUID]:
    """Have invoices wait for their payment; which do. What comes to nothing does not, nor what waits for its taxes."""
    if not settled:
        return set()
    unissued = await invoices.unissued_columns(tx, [one.view for one in settled])
    waiting = [
        one for one in settled if one.view.invoice.total_amount_cents and one.view.invoice.id not in unissued
    ]
    await holding.hold(tx, waiting, now=now)
    return {one.view.invoice.id for one in waiting}


async def _issue(
    tx: Tx, settled: Sequence[invoices.Settled], written: WrittenOf = NOTHING_WRITTEN, *, now: datetime
) -> set[UUID]:
    issued = await invoices.finalize(tx, settled, written, now=now)
    await emit(tx, *(_message("invoice.created", invoice_id) for invoice_id in issued), now=now)
    return set(issued)


async def _settle_stored(
    tx: Tx,
    dated: Sequence[tuple[InvoiceView, Mapping[str, Any]]],
    *,
    held: Collection[UUID] = (),
    now: datetime,
) -> None:
    """The same with invoices that were written before; the last days of their periods are kept soon after."""
    issued = await _settle(tx, dated, held=held, now=now)
    await daily_usages.note_last_days(tx, issued, now=now)


def _message(webhook_type: str, invoice_id: UUID) -> Message:
    return Message(webhook_type=webhook_type, object_type="invoice", object_id=invoice_id)


async def _give_back(tx: Tx, view: InvoiceView, *, now: datetime) -> None:
    """Make the notes that had to wait for a draft's issue: those asked for, then for unused time that it bills (§4.6)."""
    await credit_notes.issue_drafts(tx, view.invoice.id, now=now)
    records = await invoices.records_of(tx, view.invoice.id)
    for contract in await subscriptions.live_contracts(tx, {record.subscription_id for record in records}):
        if contract.subscription.terminated_at is not None:
            await credit_notes.give_back_unused_time(tx, contract, now=now)


def _final_date_columns(view: InvoiceView, as_of: datetime) -> dict[str, Any]:
    rules = view.customer.issuing_rules(view.customer_entity)
    zone = ZoneInfo(view.customer.applicable_timezone(view.customer_entity))
    dates = finalized_dates(
        view.invoice.dates, rules, today=local_date(as_of, zone), is_recurring=view.invoice.is_recurring
    )
    return {**_date_columns(dates), "net_payment_term": rules.net_payment_term}


def _date_columns(dates: InvoiceDates) -> dict[str, Any]:
    return {
        "issuing_date": dates.issuing_date,
        "expected_finalization_date": dates.expected_finalization_date,
        "payment_due_date": dates.payment_due_date,
    }


def _content(
    tx: Tx, computed: Computed, invoice_id: UUID, terms: Terms, *, now: datetime
) -> invoices.Content:
    keys: dict[str, Any] = {"invoice_id": invoice_id, "organization_id": tx.organization_id, "now": now}
    fees, fee_taxes = fee_rows(computed, **keys)
    currency = computed.subjects[0].contract.plan.amount_currency
    return invoices.Content(
        records=record_rows(computed, **keys, terms=terms),
        fees=fees,
        fee_taxes=fee_taxes,
        taxes=tax_rows(
            (tax for line in computed.lines for tax in line.taxes),
            computed.totals,
            currency,
            {"invoice_id": invoice_id, "organization_id": tx.organization_id, "created_at": now},
        ),
    )
