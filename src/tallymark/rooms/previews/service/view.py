"""A computed invoice as reading it back would give it, had it been saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_period
from tallymark.domain.money import fixed
from tallymark.domain.values import names_of
from tallymark.rooms.billing.model import Computed, Subject
from tallymark.rooms.billing.service.estimate import fee_records
from tallymark.rooms.billing.service.invoice import draft_row
from tallymark.rooms.billing.service.progressive_credits import credit_rows
from tallymark.rooms.billing.service.rows import record_rows, tax_rows
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.fees.model import PayableFee
from tallymark.rooms.invoices import copying
from tallymark.rooms.invoices.model import (
    AppliedSection,
    AppliedTaxRecord,
    BillingRecord,
    CreditLine,
    Invoice,
    InvoiceStatus,
    InvoiceView,
)
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import SubscriptionView
from tallymark.rooms.wallets import service as wallets

UNSET = ("prepaid_granted_credit_amount_cents", "prepaid_purchased_credit_amount_cents")
"""What stays null where wallets pay nothing (invoicing §2.3)."""


async def show(
    tx: Tx,
    computed: Computed,
    given_back: Sequence[CreditNote],
    before: Sequence[Computed] = (),
    *,
    now: datetime,
) -> tuple[InvoiceView, set[UUID]]:
    """The invoice with its lines and what is deducted from it, and the ids in it that nothing has.

    Credit notes and wallets pay the ones `before` it first.
    """
    in_turn = [(_invoice(draft_row(tx, one, now=now)), _payable(one)) for one in (*before, computed)]
    taken = await credit_notes.deductions(
        tx, [invoice for invoice, _ in in_turn], assumed=given_back, now=now
    )
    left = [
        (_less(invoice, [row for row in taken if row["invoice_id"] == invoice.id]), payable)
        for invoice, payable in in_turn
    ]
    invoice = (await wallets.foresee(tx, left, now=now))[-1]
    notes = [row for row in taken if row["invoice_id"] == invoice.id]
    invoice = replace(invoice, payment_status="pending" if invoice.total_amount_cents else "succeeded")
    used = [(invoice.id, invoice.currency, computed.coupon_uses)]
    taken_over = credit_rows(tx, [(invoice.id, computed)], now=now)
    deducted = [*taken_over, *coupons.credit_rows(tx, used, now=now), *notes]
    credits = [_of(CreditLine, row) for row in deducted]
    records = list(_records(tx, computed, invoice, now=now))
    first = computed.subjects[0].contract
    contracts = [subject.contract for subject in computed.subjects]
    printed = await copying.imagine_sections(tx, contracts, invoice, computed.customer, now=now)
    view = InvoiceView(
        invoice=invoice,
        customer=computed.customer,
        billing_entity=first.billing_entity,
        customer_entity=first.customer_entity,
        applied_taxes=tuple(_taxes(tx, computed, invoice, now=now)),
        records=tuple(records),
        subscriptions=tuple(_subscription(subject, now=now) for subject in computed.subjects),
        fees=tuple(fee_records(tx, computed, invoice_id=invoice.id, now=now)),
        credits=tuple(credits),
        sections=tuple(_of(AppliedSection, row) for row in printed),
    )
    return view, set(_ids(view)) | {note.id for note in given_back}


def _invoice(row: Mapping[str, Any]) -> Invoice:
    zeros = {name: 0 for name in names_of(Invoice) if name.endswith("_cents") and name not in UNSET}
    values: dict[str, Any] = {**dict.fromkeys(names_of(Invoice)), **zeros, "payment_overdue": False}
    known = {name: value for name, value in row.items() if name in values}
    return Invoice(**{**values, **known, "status": InvoiceStatus.DRAFT, "payment_status": "pending"})


def _less(invoice: Invoice, notes: Sequence[Mapping[str, Any]]) -> Invoice:
    taken = sum(row["amount_cents"] for row in notes)
    total = invoice.total_amount_cents - taken
    return replace(invoice, credit_notes_amount_cents=taken, total_amount_cents=total)


def _payable(computed: Computed) -> list[PayableFee]:
    """The fees as wallets pay them."""
    return [
        PayableFee(
            fee_type=invoiced.fee.fee_type,
            billable_metric_id=line.billable_metric_id,
            target_wallet_code=line.target_wallet_code,
            amount_cents=invoiced.fee.amount_cents,
            precise_coupons_amount_cents=fixed(invoiced.precise_coupons_amount_cents, 5),
            taxes_amount_cents=invoiced.taxes_amount_cents,
            taxes_precise_amount_cents=fixed(invoiced.taxes_precise_amount_cents, 15),
        )
        for line, invoiced in zip(computed.lines, computed.totals.fees, strict=True)
    ]


def _records(tx: Tx, computed: Computed, invoice: Invoice, *, now: datetime) -> Iterator[BillingRecord]:
    for row in record_rows(computed, invoice_id=invoice.id, organization_id=tx.organization_id, now=now):
        yield _of(BillingRecord, row)


def _taxes(tx: Tx, computed: Computed, invoice: Invoice, *, now: datetime) -> Iterator[AppliedTaxRecord]:
    keys = {"invoice_id": invoice.id, "organization_id": tx.organization_id, "created_at": now}
    carried = (tax for line in computed.lines for tax in line.taxes)
    rows = tax_rows(carried, computed.totals, invoice.currency, keys)
    for row in sorted(rows, key=lambda row: row["tax_rate"], reverse=True):
        yield _of(AppliedTaxRecord, row)


def _of(kind: Any, row: Mapping[str, Any]) -> Any:
    return kind(**{name: row.get(name) for name in kind.__slots__})


def _subscription(subject: Subject, *, now: datetime) -> SubscriptionView:
    """A subscription as it stands: one that goes on now, one that begins or ends when it is billed."""
    contract, life = subject.contract, subject.contract.life
    at = now if subject.is_recurring else subject.at
    return SubscriptionView(
        contract=contract,
        current_period=current_charges_period(contract.schedule, life, max(at, life.started_at)),
        downgrade_plan_date=subscriptions.downgrade_day(contract, now=now),
    )


def _ids(view: InvoiceView) -> Iterator[UUID]:
    yield view.invoice.id
    yield from (tax.id for tax in view.applied_taxes)
    yield from (fee.id for fee in view.fees)
    yield from (line.id for line in view.credits)
    yield from (section.id for section in view.sections)
