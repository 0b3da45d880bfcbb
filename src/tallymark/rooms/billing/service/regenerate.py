"""Make a void invoice anew, of some of its fees, as they were or told otherwise (invoicing §10.4, §8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import new_invoice_dates
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.domain.fees.adjusted import Adjustment, adjust
from tallymark.domain.fees.model import Fee
from tallymark.domain.invoicing import InvoicedFee, InvoiceDraft, compute_invoice
from tallymark.domain.money import currency
from tallymark.domain.periods import local_date
from tallymark.domain.values import names_of
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.billing.model import Computed, Foreseen, KeptFee, Line
from tallymark.rooms.billing.service import credits, credits_anew, one_off
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.billing.service.adjusted import model_of
from tallymark.rooms.billing.service.coupons import CouponBook, make_computed
from tallymark.rooms.billing.service.credits_anew import Sale
from tallymark.rooms.billing.service.documenting import document
from tallymark.rooms.billing.service.progressive_credits import gather_of_records, take_over
from tallymark.rooms.billing.service.retax import as_computed, lines_of
from tallymark.rooms.billing.service.rows import amount_columns, fee_tax_rows, tax_rows, total_columns
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import copying
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import (
    REGENERABLE_TYPES,
    BillingRecord,
    Invoice,
    InvoiceStatus,
    InvoiceView,
)
from tallymark.rooms.invoices.numbering import draft_number
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import EventCorrectionPolicy
from tallymark.rooms.plans import service as plans
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Tax

JOINED = frozenset(
    ("external_subscription_id", "external_customer_id", "charge_model", "charge_parent_id", "filter_values",
     "true_up_fee_id", "self_billed", "taxes")
)  # fmt: skip
"""What a fee is read with that is no column of it."""

_Kept = tuple[FeeRecord, KeptFee]
"""A fee of the void invoice that comes again, and what is asked of it."""

NEW = {"payment_status": "pending", "succeeded_at": None, "failed_at": None, "refunded_at": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A fee to be made: what it was, what was asked, what it comes to."""

    stored: FeeRecord
    asked: KeptFee
    fee: Fee
    taxes: tuple[Tax, ...]
    line: Line | None = None
    """The same as billing knows it, where it is a subscription's."""

    is_adjusted: bool = False
    """Whether it comes to something else than it did; what cannot be is copied as it was."""


async def regenerate(tx: Tx, invoice_id: UUID, asked: Sequence[KeptFee], *, now: datetime) -> UUID:
    """Issue an invoice in place of a void one, of the fees that are asked for; the rest is dropped.

    Raises, in this order, `NotFound("invoice")`, `NotAllowed("not_regenerable")` for one that is not void or of a type that is
    made by other means, `NotAllowed("already_regenerated")`, `NotFound("customer")` for one who was deleted, and `NotFound("fee")`;
    of credits what `credits_anew.plan` does.
    """
    found = await invoices.get_invoice(tx, invoice_id)
    await tx.lock("customer", found.customer_id)
    view = await _void_view(tx, invoice_id, now=now)
    kept = _kept(view, asked)
    if view.invoice.invoice_type == credits.INVOICE_TYPE:
        made_id = await credits_anew.sell(tx, await _sale(tx, view, kept, now=now), now=now)
    else:
        made_id = await _bill_anew(tx, view, kept, now=now)
    replaced = Message(activity_type="invoice.regenerated", object_type="invoice", object_id=view.invoice.id)
    await emit(tx, replaced, now=now)
    return made_id


async def _bill_anew(tx: Tx, view: InvoiceView, kept: Sequence[_Kept], *, now: datetime) -> UUID:
    """Issue the invoice. What corrected events cost otherwise since the other was void is documented, as the organization wants it."""
    voided = view.invoice
    parts = await _parts(tx, view, kept)
    computed, book = await _compute(tx, view, parts)
    values = _invoice(tx, view, computed.totals, now=now)
    content = _content(tx, view, parts, computed.totals, values, now=now)
    made = await invoices.save_regenerated(tx, voided, values, content)
    await take_over(tx, [(made.id, computed)], now=now)
    await coupons.consume(tx, [(made.id, made.currency, computed.coupon_uses)], book.used, now=now)
    await _copy_sections(tx, view, parts, made, now=now)
    if voided.invoice_type == one_off.INVOICE_TYPE:
        await one_off.issue(tx, made, now=now)
    else:
        await billing.issue_drafts(tx, [made], now=now)
    (made,) = (await invoices.get_invoices(tx, [made.id])).values()
    differing = await adjustments.take_over_adjustments(tx, voided, made)
    of_events = await adjustments.corrected_while_void(tx, made, now=now)
    if await _is_refused(tx):
        await adjustments.waive(tx, of_events, now=now)
    elif differing or of_events:
        await document(tx, [*differing, *of_events], now=now)
    return made.id


async def foresee(tx: Tx, invoice_id: UUID, asked: Sequence[KeptFee], *, now: datetime) -> Foreseen:
    """What `regenerate` would issue, without issuing it. Raises what that does."""
    view = await _void_view(tx, invoice_id, now=now)
    kept = _kept(view, asked)
    if view.invoice.invoice_type == credits.INVOICE_TYPE:
        return credits_anew.foresee(await _sale(tx, view, kept, now=now))
    parts = await _parts(tx, view, kept)
    computed, _ = await _compute(tx, view, parts)
    return Foreseen(
        fees={part.stored.id: part.fee.amount_cents for part in parts},
        currency=view.invoice.currency,
        totals=computed.totals,
    )


async def _sale(tx: Tx, view: InvoiceView, kept: Sequence[_Kept], *, now: datetime) -> Sale:
    ((fee, asked),) = kept
    return await credits_anew.plan(tx, view.invoice, fee, asked, now=now)


async def _void_view(tx: Tx, invoice_id: UUID, *, now: datetime) -> InvoiceView:
    """The void invoice, held to what may be made anew."""
    voided = await invoices.get_invoice(tx, invoice_id)
    if voided.status is not InvoiceStatus.VOIDED or voided.invoice_type not in REGENERABLE_TYPES:
        raise NotAllowed("not_regenerable")
    if await invoices.find_regenerated(tx, voided.id) is not None:
        raise NotAllowed("already_regenerated")
    (view,) = await invoices.get_views(tx, [voided], now=now)
    if view.customer.deleted_at is not None:
        raise NotFound("customer")
    return view


def _kept(view: InvoiceView, asked: Sequence[KeptFee]) -> list[_Kept]:
    """The fees that come again, in the order of the void invoice's lines, each with what is asked of it."""
    wanted = {one.fee_id: one for one in asked}
    kept = [(fee, wanted[fee.id]) for fee in view.fees if fee.id in wanted]
    if len(kept) < len(wanted):
        raise NotFound("fee")
    return kept


async def _is_refused(tx: Tx) -> bool:
    """Whether the organization wants no difference documented: what was waived stays so."""
    return (await organizations.get_metering(tx)).event_correction_policy is EventCorrectionPolicy.REFUSE


async def _parts(tx: Tx, view: InvoiceView, kept: Sequence[_Kept]) -> list[_Part]:
    """The fees to be made."""
    stored = [fee for fee, _ in kept]
    if view.invoice.invoice_type == one_off.INVOICE_TYPE:
        carried = await _add_on_taxes(tx, view, stored)
        return [
            _Part(stored=fee, asked=asked, fee=as_computed(fee), taxes=own)
            for (fee, asked), own in zip(kept, carried, strict=True)
        ]
    # Prices of the subscription's own may have come after the bill: a fee is of the charges that it was billed by.
    billed_by = await plans.get_plans(tx, {fee.plan_id for fee in stored if fee.plan_id is not None})
    return [
        _adjusted(fee, line, asked, billed_by.get(fee.plan_id or line.contract.plan.id))
        for (fee, asked), line in zip(kept, await lines_of(tx, stored), strict=True)
    ]


async def _add_on_taxes(tx: Tx, view: InvoiceView, kept: Sequence[FeeRecord]) -> list[tuple[Tax, ...]]:
    """Those that a fee was sold with, else what the customer's fees are taxed with today."""
    parties = one_off.Parties(
        customer=view.customer, customer_entity=view.customer_entity, entity=view.billing_entity
    )
    inherited = await one_off.inherited_taxes(tx, parties)
    known = await taxes.get_taxes(tx, {tax.tax_id for fee in kept for tax in fee.taxes})
    return [tuple(known[tax.tax_id] for tax in fee.taxes if tax.tax_id in known) or inherited for fee in kept]


def _adjusted(stored: FeeRecord, line: Line, asked: KeptFee, billed_by: Plan | None) -> _Part:
    wanted = Adjustment(units=asked.units, unit_amount=asked.unit_amount)
    model = model_of(billed_by or line.contract.plan, stored)
    fee = adjust(line.fee, wanted, model, currency(stored.currency))
    return _Part(
        stored=stored,
        asked=asked,
        fee=fee,
        taxes=line.taxes,
        line=replace(line, fee=fee),
        is_adjusted=fee is not line.fee,
    )


async def _compute(tx: Tx, view: InvoiceView, parts: Sequence[_Part]) -> tuple[Computed, CouponBook]:
    """What was billed progressively, coupons and taxes of today.

    Coupons take nothing off what is sold once, nor while the taxes are not known.
    """
    lines = [part.line for part in parts if part.line is not None]
    if not lines:
        sold = [InvoicedFee(fee=one.fee, taxes=tuple(tax.as_rate for tax in one.taxes)) for one in parts]
        return Computed(subjects=(), lines=(), totals=compute_invoice(sold)), CouponBook({})
    waits = view.customer_entity.eu_tax_management and await customers.awaiting_vat_checks(
        tx, {view.customer.id}
    )
    book = CouponBook({} if waits else await coupons.usable(tx, {view.customer.id}))
    return make_computed((), lines, book, await gather_of_records(tx, view.records)), book


def _invoice(tx: Tx, view: InvoiceView, totals: InvoiceDraft, *, now: datetime) -> dict[str, Any]:
    voided = view.invoice
    zone = ZoneInfo(view.customer.applicable_timezone(view.customer_entity))
    rules = view.customer.issuing_rules(view.customer_entity)
    dates = new_invoice_dates(
        rules, day=local_date(voided.created_at, zone), is_recurring=False, has_grace=False
    )
    same = (
        "customer_id", "billing_entity_id", "invoice_type", "currency", "timezone", "billing_day", "billed_at",
        "is_recurring", "self_billed", "purchase_order_number",
    )  # fmt: skip
    return {
        **{name: getattr(voided, name) for name in same},
        "id": new_id(),
        "organization_id": tx.organization_id,
        "number": draft_number(view.billing_entity),
        "status": InvoiceStatus.DRAFT,
        "issuing_date": dates.issuing_date,
        "expected_finalization_date": dates.expected_finalization_date,
        "payment_due_date": dates.payment_due_date,
        "net_payment_term": rules.net_payment_term,
        **total_columns(totals),
        "created_at": now,
        "updated_at": now,
    }


def _content(
    tx: Tx,
    view: InvoiceView,
    parts: Sequence[_Part],
    totals: InvoiceDraft,
    invoice: Mapping[str, Any],
    *,
    now: datetime,
) -> invoices.Content:
    keys: dict[str, Any] = {"organization_id": tx.organization_id, "created_at": now}
    ids = {part.stored.id: new_id() for part in parts}
    rows, fee_taxes = [], []
    for position, (part, invoiced) in enumerate(zip(parts, totals.fees, strict=True)):
        own = {**keys, "fee_id": ids[part.stored.id]}
        fee_taxes += list(fee_tax_rows(part.taxes, invoiced, invoice["currency"], own))
        rows.append(
            {**keys, **_fee_row(part, invoiced, ids), "invoice_id": invoice["id"], "position": position}
        )
    carried = (tax for part in parts for tax in part.taxes)
    return invoices.Content(
        records=[_record(record, invoice["id"], keys) for record in view.records],
        fees=[{**row, "updated_at": now} for row in rows],
        fee_taxes=fee_taxes,
        taxes=tax_rows(carried, totals, invoice["currency"], {**keys, "invoice_id": invoice["id"]}),
    )


def _fee_row(part: _Part, invoiced: InvoicedFee, ids: Mapping[UUID, UUID]) -> dict[str, Any]:
    stored, parent = part.stored, part.stored.true_up_parent_fee_id
    copied = {name: getattr(stored, name) for name in names_of(FeeRecord) if name not in JOINED}
    computed = amount_columns(invoiced, stored.currency)
    taxed = ("taxes_amount_cents", "taxes_precise_amount_cents", "taxes_rate", "precise_coupons_amount_cents")
    changed = computed if part.is_adjusted else {name: computed[name] for name in taxed}
    return {
        **copied,
        **NEW,
        **changed,
        "id": ids[stored.id],
        "original_fee_id": stored.root_id,
        "true_up_parent_fee_id": ids.get(parent) if parent else None,
        "invoice_display_name": part.asked.invoice_display_name or stored.invoice_display_name,
    }


def _record(record: BillingRecord, invoice_id: UUID, keys: Mapping[str, Any]) -> dict[str, Any]:
    copied = {name: getattr(record, name) for name in names_of(BillingRecord)}
    return {**copied, **keys, "id": new_id(), "invoice_id": invoice_id}


async def _copy_sections(
    tx: Tx, view: InvoiceView, parts: Sequence[_Part], made: Invoice, *, now: datetime
) -> None:
    contracts = {
        part.line.contract.subscription.id: part.line.contract for part in parts if part.line is not None
    }
    if contracts:
        await copying.copy_sections(tx, [(made.id, list(contracts.values()))], now=now)
        return
    printed = (await customers.applicable_sections(tx, [view.customer])).get(view.customer.id, ())
    await copying.save_sections(tx, [(made.id, printed)], now=now)
