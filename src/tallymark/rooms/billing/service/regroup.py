"""Put fees that were paid in advance on one invoice, already paid, when their period is billed (invoicing §7.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import new_invoice_dates
from tallymark.domain.exact import Fraction
from tallymark.domain.money import fixed, round_half_away
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.billing.model import Subject
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord, FeeTax
from tallymark.rooms.invoices import copying
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus, Reason
from tallymark.rooms.invoices.numbering import draft_number
from tallymark.rooms.payments import service as payments
from tallymark.rooms.subscriptions import service as subscriptions

INVOICE_TYPE = "advance_charges"
PAID_BEFORE = "Charges paid in advance"
REGROUPING = (Reason.PERIODIC, Reason.TERMINATING)


async def regroup_paid_fees(tx: Tx, groups: Sequence[Sequence[Subject]], *, now: datetime) -> None:
    """Invoice, for each group of subscriptions being billed, the paid fees of their external ids, where there are any.

    At a renewal only those whose charges period has ended by then. Nothing is computed anew: amounts and taxes are sums
    of the fees' own.
    """
    billed = [[subject for subject in group if subject.reason in REGROUPING] for group in groups]
    having = await fees.with_paid_fees(tx, {_external_id(subject) for group in billed for subject in group})
    for group in billed:
        if any(_external_id(subject) in having for subject in group):
            await _regroup(tx, group, now=now)


def _external_id(subject: Subject) -> str:
    return subject.contract.subscription.external_id


async def _regroup(tx: Tx, billed: Sequence[Subject], *, now: datetime) -> None:
    first = billed[0]
    found = await fees.paid_without_invoice(
        tx,
        external_subscription_ids={_external_id(subject) for subject in billed},
        customer_id=first.contract.customer.id,
        currency=first.contract.plan.amount_currency,
        paid_by=first.at,
        ended_by=first.at if first.reason is Reason.PERIODIC else None,
    )
    for order_number, paid in (await _by_order_number(tx, found)).items():
        await _invoice_paid(tx, billed, paid, order_number=order_number, now=now)


async def _by_order_number(tx: Tx, found: Sequence[FeeRecord]) -> dict[str | None, list[FeeRecord]]:
    """Fees by purchase order number: after a change of plan an external id may have had several."""
    ids = {fee.subscription_id for fee in found if fee.subscription_id is not None}
    contracts = await subscriptions.live_contracts(tx, ids) if ids else []
    numbers = {item.subscription.id: item.subscription.purchase_order_number for item in contracts}
    groups: dict[str | None, list[FeeRecord]] = {}
    for fee in found:
        number = numbers[fee.subscription_id] if fee.subscription_id is not None else None
        groups.setdefault(number, []).append(fee)
    return groups


async def _invoice_paid(
    tx: Tx, billed: Sequence[Subject], found: Sequence[FeeRecord], *, order_number: str | None, now: datetime
) -> None:
    first, invoice_id = billed[0], new_id()
    content = invoices.Content(
        records=_records(tx, found, billed, invoice_id, now=now),
        fees=(),
        fee_taxes=(),
        taxes=_taxes(tx, found, invoice_id, now=now),
    )
    row = {**_invoice(tx, first, found, invoice_id, now=now), "purchase_order_number": order_number}
    (draft,) = await invoices.save_drafts(tx, [(row, content)])
    await fees.put_on_invoice(tx, [fee.id for fee in found], invoice_id, now=now)
    await copying.copy_sections(tx, [(invoice_id, [subject.contract for subject in billed])], now=now)
    (view,) = await invoices.get_views(tx, [draft], now=now, with_lines=False)
    issued = await invoices.finalize(tx, [invoices.Settled(view=view, dates=_dates(first))], now=now)
    await _note_payment(tx, invoice_id, now=now)
    written = (await fees.of_invoices(tx, [invoice_id])).get(invoice_id, ())
    await adjustments.give_back_regrouped(tx, invoice_id, written, first.contract, now=now)
    if not issued:
        return  # closed, for nothing was paid, or waiting for a tax: nobody is told of it now
    message = Message(webhook_type="invoice.created", object_type="invoice", object_id=invoice_id)
    await emit(tx, message, now=now)


async def _note_payment(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """All of it was paid before it was made."""
    await invoices.mark_paid(tx, invoice_id, now=now)
    invoice = (await invoices.get_invoices(tx, [invoice_id]))[invoice_id]
    if invoice.total_amount_cents:
        await payments.record_payment(
            tx, invoice, invoice.total_amount_cents, reference=PAID_BEFORE, paid_at=now, now=now
        )


def _dates(subject: Subject) -> dict[str, Any]:
    rules = subject.contract.customer.issuing_rules(subject.contract.customer_entity)
    dates = new_invoice_dates(rules, day=subject.day, is_recurring=False, has_grace=False)
    return {
        "issuing_date": dates.issuing_date,
        "expected_finalization_date": dates.expected_finalization_date,
        "payment_due_date": dates.payment_due_date,
    }


def _invoice(
    tx: Tx, subject: Subject, paid: Sequence[FeeRecord], invoice_id: UUID, *, now: datetime
) -> dict[str, Any]:
    contract = subject.contract
    amount = sum(fee.amount_cents for fee in paid)
    taxes = sum(fee.taxes_amount_cents for fee in paid)
    rate = round_half_away(Fraction(taxes * 100, amount), 2) if amount else Fraction(0)
    return {
        "id": invoice_id,
        "organization_id": tx.organization_id,
        "customer_id": contract.customer.id,
        "billing_entity_id": contract.billing_entity.id,
        "number": draft_number(contract.billing_entity),
        "invoice_type": INVOICE_TYPE,
        "status": InvoiceStatus.DRAFT,
        "currency": contract.plan.amount_currency,
        "timezone": contract.timezone.key,
        "billing_day": subject.day,
        "billed_at": subject.at,
        "net_payment_term": contract.customer.issuing_rules(contract.customer_entity).net_payment_term,
        "is_recurring": False,
        "self_billed": contract.customer.is_partner,
        **_dates(subject),
        "fees_amount_cents": amount,
        "sub_total_excluding_taxes_amount_cents": amount,
        "taxes_amount_cents": taxes,
        "sub_total_including_taxes_amount_cents": amount + taxes,
        "total_amount_cents": amount + taxes,
        "taxes_rate": fixed(rate, 5),
        "created_at": now,
        "updated_at": now,
    }


def _records(
    tx: Tx, paid: Sequence[FeeRecord], subjects: Sequence[Subject], invoice_id: UUID, *, now: datetime
) -> list[Mapping[str, Any]]:
    """One period for each subscription with fees: fee and charges window both show the one that ended."""
    by_external_id = {subject.contract.subscription.external_id: subject for subject in subjects}
    owners = {fee.subscription_id: fee.external_subscription_id or "" for fee in paid}
    records: list[Mapping[str, Any]] = []
    for subscription_id, external_id in owners.items():
        subject = by_external_id[external_id]
        window = subject.boundaries.charges or subject.boundaries.subscription
        records.append(
            {
                "id": new_id(),
                "organization_id": tx.organization_id,
                "invoice_id": invoice_id,
                "subscription_id": subscription_id,
                "invoicing_reason": Reason.IN_ADVANCE_PERIODIC,
                "is_recurring": False,
                "billing_day": subject.day,
                "billed_at": subject.at,
                "from_at": window.period.start,
                "to_at": window.period.end,
                "wire_to_at": window.wire_to,
                "charges_from_at": window.period.start,
                "charges_to_at": window.period.end,
                "wire_charges_to_at": window.wire_to,
                "created_at": now,
            }
        )
    return records


def _taxes(tx: Tx, paid: Sequence[FeeRecord], invoice_id: UUID, *, now: datetime) -> list[Mapping[str, Any]]:
    """The sums of the fees' taxes, by tax and rate."""
    found: dict[tuple[UUID, Any], tuple[FeeTax, int, int]] = {}
    for fee in paid:
        for tax in fee.taxes:
            _, cents, base = found.get((tax.tax_id, tax.tax_rate), (tax, 0, 0))
            found[tax.tax_id, tax.tax_rate] = tax, cents + tax.amount_cents, base + fee.amount_cents
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice_id,
            **{
                name: getattr(tax, name)
                for name in ("tax_id", "tax_code", "tax_name", "tax_description", "tax_rate", "currency")
            },
            "amount_cents": cents,
            "fees_amount_cents": base,
            "created_at": now,
        }
        for tax, cents, base in found.values()
    ]
