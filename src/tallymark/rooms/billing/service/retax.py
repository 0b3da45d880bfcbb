"""Tax fees anew that are computed once and for all: those of events (subscriptions §1.7, metering §8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.invoicing import InvoicedFee
from tallymark.domain.money import fixed
from tallymark.domain.periods import Period
from tallymark.rooms.billing.model import Computed, Line
from tallymark.rooms.billing.service.coupons import CouponBook, make_computed
from tallymark.rooms.billing.service.progressive_credits import kept_credit
from tallymark.rooms.billing.service.rows import fee_tax_rows, tax_rows, total_columns
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import PROGRESSIVE_TYPE, Invoice
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax
from tallymark.rooms.usage import service as usage


async def retax(tx: Tx, invoice: Invoice, stored: Sequence[FeeRecord], *, now: datetime) -> Invoice:
    """Write an invoice's taxes and those of its fees anew, with the coupons that it now uses."""
    computed, book = await _compute(tx, invoice, stored)
    keys: dict[str, Any] = {"organization_id": tx.organization_id, "created_at": now}
    fee_taxes = [
        row
        for line, invoiced, fee in zip(computed.lines, computed.totals.fees, stored, strict=True)
        for row in fee_tax_rows(line.taxes, invoiced, invoice.currency, {**keys, "fee_id": fee.id})
    ]
    columns = [
        retaxed_columns(fee, invoiced, now=now)
        for invoiced, fee in zip(computed.totals.fees, stored, strict=True)
    ]
    await fees.replace_taxes(tx, columns, fee_taxes)
    carried = (tax for line in computed.lines for tax in line.taxes)
    applied = tax_rows(carried, computed.totals, invoice.currency, {**keys, "invoice_id": invoice.id})
    values = {**total_columns(computed.totals), "updated_at": now}
    await invoices.replace_taxes(tx, invoice.id, values, applied)
    if computed.coupon_uses:
        used = [(invoice.id, invoice.currency, computed.coupon_uses)]
        await coupons.consume(tx, used, book.used, now=now)
    return await invoices.get_invoice(tx, invoice.id)


def retaxed_columns(fee: FeeRecord, invoiced: InvoicedFee, *, now: datetime) -> dict[str, Any]:
    """What changes of a stored fee when it is taxed anew."""
    return {
        "taxed_id": fee.id,
        "taxes_amount_cents": invoiced.taxes_amount_cents,
        "taxes_precise_amount_cents": fixed(invoiced.taxes_precise_amount_cents, 15),
        "taxes_rate": fixed(invoiced.taxes_rate, 10),
        "precise_coupons_amount_cents": fixed(invoiced.precise_coupons_amount_cents, 5),
        "updated_at": now,
    }


async def _compute(tx: Tx, invoice: Invoice, stored: Sequence[FeeRecord]) -> tuple[Computed, CouponBook]:
    """The invoice of stored fees with the coupons and taxes of today; amounts, and what it took over, stay as they are."""
    lines = await lines_of(tx, stored)
    book = CouponBook(await coupons.usable(tx, {line.contract.customer.id for line in lines}))
    # Coupons were not used while it waited: what the fees share is what it took over.
    shares = [Fraction(fee.precise_coupons_amount_cents) for fee in stored]
    kept = kept_credit(invoice.progressive_billing_credit_amount_cents, shares)
    return make_computed((), lines, book, kept=kept), book


async def lines_of(tx: Tx, stored: Sequence[FeeRecord]) -> list[Line]:
    """Stored fees of subscriptions as lines to bill, with the taxes of today."""
    ids = {fee.subscription_id for fee in stored if fee.subscription_id is not None}
    contracts = {
        contract.subscription.id: contract for contract in await subscriptions.live_contracts(tx, ids)
    }
    table = await usage.gather_taxes(tx, contracts.values())
    own = await _own_taxes(tx, stored)
    lines = []
    for fee in stored:
        assert fee.subscription_id is not None, "a fee of an event has a subscription"
        assert fee.from_at is not None, "and a period"
        assert fee.to_at is not None, "with an end"
        contract = contracts[fee.subscription_id]
        carrier = fee.charge_id or fee.fixed_charge_id
        carried = own.get(carrier, ()) if carrier else ()
        if fee.fee_type is FeeType.COMMITMENT and contract.plan.minimum_commitment is not None:
            carried = contract.plan.minimum_commitment.taxes
        period = Period(fee.from_at, fee.to_at)
        lines.append(
            Line(
                fee=as_computed(fee),
                contract=contract,
                taxes=table.of(contract, carried),
                period=period,
                stored=fee,
            )
        )
    return lines


async def _own_taxes(tx: Tx, stored: Sequence[FeeRecord]) -> dict[UUID, tuple[Tax, ...]]:
    """What the charges and fixed charges of fees carry themselves, by their ids."""
    of_charges = await taxes.taxes_of(tx, Owner.CHARGE, {fee.charge_id for fee in stored if fee.charge_id})
    of_fixed = await taxes.taxes_of(
        tx, Owner.FIXED_CHARGE, {fee.fixed_charge_id for fee in stored if fee.fixed_charge_id}
    )
    return {**of_charges, **of_fixed}


def is_fixed(invoice: Invoice, stored: Sequence[FeeRecord]) -> bool:
    """Whether an invoice is not computed a second time: it has usage as it was at a threshold, or fees of events or made anew."""
    is_anew = any(fee.event_id is not None or fee.original_fee_id is not None for fee in stored)
    return is_anew or invoice.invoice_type == PROGRESSIVE_TYPE


def as_computed(fee: FeeRecord) -> Fee:
    """A stored fee as the domain knows it."""
    return Fee(
        fee_type=fee.fee_type,
        units=Fraction(fee.units),
        total_aggregated_units=Fraction(fee.total_aggregated_units),
        events_count=fee.events_count,
        amount_cents=fee.amount_cents,
        precise_amount_cents=Fraction(fee.precise_amount_cents),
        precise_unit_amount=Fraction(fee.precise_unit_amount),
        unit_amount_cents=fee.unit_amount_cents,
    )
