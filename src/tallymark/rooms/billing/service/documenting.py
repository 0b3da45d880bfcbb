"""Document by how much what corrected events cost differs from what was billed of them (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.invoicing import InvoicedFee
from tallymark.domain.invoicing.taxes import apply_fee_taxes
from tallymark.jobs.outbox import emit
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import Difference
from tallymark.rooms.billing.service import one_off, progressive_credits
from tallymark.rooms.billing.service.corrected import adjustment_line
from tallymark.rooms.billing.service.one_off import About, OneOffLine, Parties
from tallymark.rooms.billing.service.rows import Row, amount_columns, fee_tax_rows
from tallymark.rooms.billing.service.standalone import fee_created
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import EventCorrectionPolicy

GroupKey = tuple[UUID, UUID, str, str | None]
"""Customer, billing entity, currency, purchase order number."""


async def document(tx: Tx, found: Sequence[Difference], *, now: datetime) -> None:
    """Make the documents of differences, as the organization wants them; needs the customers' locks.

    A decrease is a credit note on the fees that billed it. An increase is a one-off invoice, or a fee on the subscription's next
    one, where it has one and the organization wants it so; what is billed on no invoice has a fee on none, of either. Of what is on a
    void invoice an increase is kept for the one that may take its place.
    """
    await adjustments.supersede(tx, found)
    alone = [one for one in found if one.is_alone]
    await _bill_alone(tx, alone, now=now)
    others = [one for one in found if not one.is_alone]
    await adjustments.give_back(tx, others, sources=await _sources(tx, others), now=now)
    more = [one for one in others if one.amount_cents > 0]
    await adjustments.waive(tx, [one for one in more if one.billed.usage.is_void], now=now)
    policy = (await organizations.get_metering(tx)).event_correction_policy
    may_wait = policy is EventCorrectionPolicy.NEXT_INVOICE
    waiting, at_once = list[Difference](), list[Difference]()
    for one in more:
        if not one.billed.usage.is_void:
            (waiting if may_wait and one.billed.is_to_be_continued else at_once).append(one)
    await adjustments.keep_pending(tx, waiting, now=now)
    await _bill_increases(tx, at_once, now=now)


async def _sources(
    tx: Tx, found: Sequence[Difference]
) -> Mapping[tuple[UUID, datetime], adjustments.Sources]:
    """What is left of the progressive invoices of windows that were billed too much, and had been billed partly by them."""
    sources = {}
    for usage in {one.billed.usage.key: one.billed.usage for one in found if one.amount_cents < 0}.values():
        if usage.invoice is None or not usage.invoice.progressive_billing_credit_amount_cents:
            continue
        subscription_id, start = usage.key
        known = await progressive_credits.gather_at(tx, {subscription_id: start}, except_invoice=None)
        if subscription_id in known:
            sources[usage.key] = known[subscription_id].billed
    return sources


async def _bill_alone(tx: Tx, found: Sequence[Difference], *, now: datetime) -> None:
    """Make a fee on no invoice for each, below zero where events cost less, with its taxes."""
    rows: list[Row] = []
    tax_rows: list[Row] = []
    for one in found:
        line, currency = _line(one), one.billed.usage.currency
        invoiced = apply_fee_taxes(InvoicedFee(fee=line.fee, taxes=tuple(tax.as_rate for tax in line.taxes)))
        keys: Row = {"organization_id": tx.organization_id, "created_at": now}
        row: Row = {
            **keys,
            "id": new_id(),
            "invoice_id": None,
            "customer_id": one.billed.usage.contract.customer.id,
            "position": 0,
            **amount_columns(invoiced, currency),
            **line.columns,
            "pay_in_advance": True,
            "invoiceable": False,
            "updated_at": now,
        }
        rows.append(row)
        tax_rows += list(fee_tax_rows(line.taxes, invoiced, currency, {**keys, "fee_id": row["id"]}))
    if rows:
        await fees.save_fees(tx, rows, tax_rows)
        await emit(tx, *(fee_created(row["id"]) for row in rows), now=now)
    billed = [(one, row["id"]) for one, row in zip(found, rows, strict=True)]
    await adjustments.keep_billed(tx, billed, now=now)


async def _bill_increases(tx: Tx, found: Sequence[Difference], *, now: datetime) -> None:
    """Issue a one-off invoice with a fee for each charge and period, for each customer and issuer."""
    groups: dict[GroupKey, list[Difference]] = {}
    for one in found:
        invoice = one.billed.usage.invoice
        assert invoice is not None, "what is on no invoice is billed by a fee on none"
        key = (
            invoice.customer_id,
            invoice.billing_entity_id,
            invoice.currency,
            invoice.purchase_order_number,
        )
        groups.setdefault(key, []).append(one)
    for key, of_group in groups.items():
        await _bill(tx, key, of_group, now=now)


async def _bill(tx: Tx, key: GroupKey, found: Sequence[Difference], *, now: datetime) -> None:
    customer_id, entity_id, code, order_number = key
    customer = (await customers.get_customers(tx, {customer_id}))[customer_id]
    entities = await organizations.get_entities(tx, {entity_id, customer.billing_entity_id})
    parties = Parties(
        customer=customer,
        customer_entity=entities[customer.billing_entity_id],
        entity=entities[entity_id],
    )
    printed = (await customers.applicable_sections(tx, [customer])).get(customer_id, ())
    about = About(currency=code, purchase_order_number=order_number, sections=printed)
    lines = [_line(one) for one in found]
    made = await one_off.bill(tx, parties, lines, about, now=now)
    written = (await fees.of_invoices(tx, [made.id]))[made.id]
    await adjustments.keep_billed(
        tx, [(one, fee.id) for one, fee in zip(found, written, strict=True)], now=now
    )


def _line(found: Difference) -> OneOffLine:
    billed = found.billed
    return adjustment_line(
        adjustments.fee_of(found),
        contract=billed.usage.contract,
        item=billed.item,
        taxes=billed.taxes,
        period=billed.usage.window.period,
        name=billed.name,
    )
