"""Add-ons invoiced at once (invoicing §10.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import new_invoice_dates
from tallymark.domain.errors import Invalid, NotFound, element
from tallymark.domain.fees.add_on import compute_add_on_fee
from tallymark.domain.fees.model import Fee
from tallymark.domain.invoicing import InvoicedFee, InvoiceDraft, compute_invoice
from tallymark.domain.money import currency
from tallymark.domain.periods import local_date, parse_instant_of_any_zone
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.add_ons import service as add_ons
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.billing.model import OneOffFee, OneOffInput
from tallymark.rooms.billing.service.retax import as_computed, retaxed_columns
from tallymark.rooms.billing.service.rows import amount_columns, fee_tax_rows, tax_rows, total_columns
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoices import copying
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.invoices.numbering import draft_number
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.subscriptions.model import PaidBy
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax

INVOICE_TYPE = "one_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffLine:
    """A fee of a one-off invoice, its taxes, and the columns that tell what it is for."""

    fee: Fee
    taxes: tuple[Tax, ...]
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who pays, and who issues; taxes and terms are inherited from the customer's own entity."""

    customer: Customer
    customer_entity: BillingEntity
    entity: BillingEntity

    @property
    def timezone(self) -> ZoneInfo:
        """The customer's applicable zone."""
        return ZoneInfo(self.customer.applicable_timezone(self.customer_entity))


def read_boundaries(from_text: Any, to_text: Any) -> tuple[datetime | None, datetime | None]:
    """The period of a fee, both ends or none of them. Raises `Invalid`."""
    if from_text is None and to_text is None:
        return None, None
    try:
        start, end = (parse_instant_of_any_zone(str(text)) for text in (from_text, to_text))
    except ValueError:
        raise Invalid({"boundaries": ["values_are_invalid"]}) from None
    if start > end:
        raise Invalid({"boundaries": ["values_are_invalid"]})
    return start, end


async def create(tx: Tx, asked: OneOffInput, *, now: datetime) -> Invoice:
    """Invoice add-ons at once; closed where it comes to nothing and the customer wants none of that.

    Raises `NotFound` for customer, fees, add-on and billing entity in this order, and `Invalid`; before the entity, for a payment
    method that is not the customer's.
    """
    found = await customers.get_customer(tx, external_id=asked.external_customer_id)
    await tx.lock("customer", found.id)
    if not asked.fees:
        raise NotFound("fees")
    sold = await add_ons.find_add_ons(tx, {fee.add_on_code for fee in asked.fees})
    if any(fee.add_on_code not in sold for fee in asked.fees):
        raise NotFound("add_on")
    await check_method(tx, found.id, asked.paid_by)
    parties = await _parties(tx, found, asked)
    code = asked.currency or found.currency
    if code is None:
        raise Invalid({"currency": ["value_is_mandatory"]})
    printed = await _sections(tx, found, asked)
    lines = await _lines(tx, parties, asked, sold, code, now=now)
    await customers.set_currency_if_blank(tx, found, code, now=now)
    about = About(
        currency=code,
        purchase_order_number=asked.purchase_order_number,
        sections=printed,
        skip_psp=asked.skip_psp,
        paid_by=asked.paid_by,
    )
    return await bill(tx, parties, lines, about, now=now)


async def check_method(tx: Tx, customer_id: UUID, paid_by: PaidBy | None) -> None:
    """Raise `Invalid` for a payment method that is not the customer's."""
    if paid_by is None or paid_by.method_id is None:
        return
    if await customers.find_payment_method(tx, customer_id, paid_by.method_id) is None:
        raise Invalid({"payment_method": ["invalid_payment_method"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a one-off invoice says beside its fees; `paid_by` is by what it is collected where its maker says so."""

    currency: str
    purchase_order_number: str | None
    sections: Sequence[Any]
    skip_psp: bool = False
    paid_by: PaidBy | None = None


async def bill(
    tx: Tx, parties: Parties, lines: Sequence[OneOffLine], about: About, *, now: datetime
) -> Invoice:
    """Write a one-off invoice and issue it; needs the customer's lock."""
    invoice = await _save(tx, parties, lines, about, now=now)
    await copying.save_sections(tx, [(invoice.id, about.sections)], now=now)
    await issue(tx, invoice, now=now)
    made = await invoices.find_invoice(tx, invoice.id)
    assert made is not None, "it was written just now"
    return made


async def _parties(tx: Tx, customer: Customer, asked: OneOffInput) -> Parties:
    own = (await organizations.get_entities(tx, {customer.billing_entity_id}))[customer.billing_entity_id]
    entity = own
    if asked.billing_entity_code is not None:
        entity = await organizations.get_entity(tx, code=asked.billing_entity_code)
    return Parties(customer=customer, customer_entity=own, entity=entity)


async def _sections(tx: Tx, customer: Customer, asked: OneOffInput) -> Sequence[Any]:
    """What it prints: nothing, what the request selects, or what the customer's invoices do."""
    if asked.skips_sections:
        return []
    if asked.section_codes is not None:
        selected = await sections.find_sections(tx, asked.section_codes)
        return [*selected, *customers.generated_sections(tx, customer)]
    return (await customers.applicable_sections(tx, [customer])).get(customer.id, ())


async def _lines(
    tx: Tx, parties: Parties, asked: OneOffInput, sold: Mapping[str, AddOn], code: str, *, now: datetime
) -> list[OneOffLine]:
    named = {one for fee in asked.fees for one in fee.tax_codes or ()}
    chosen = await taxes.find_taxes(tx, named)
    for place, fee in enumerate(asked.fees):
        if set(fee.tax_codes or ()) - chosen.keys():
            with element("fees", place):
                raise Invalid({"tax_codes": ["value_is_invalid"]})
    inherited = await inherited_taxes(tx, parties)
    lines = []
    for place, fee in enumerate(asked.fees):
        add_on = sold[fee.add_on_code]
        own = tuple(chosen[one] for one in dict.fromkeys(fee.tax_codes or ())) or add_on.taxes
        cents = add_on.amount_cents if fee.unit_amount_cents is None else fee.unit_amount_cents
        computed = compute_add_on_fee(fee.units, unit_amount_cents=cents, currency=currency(code))
        if computed.amount_cents >= 2**53:
            with element("fees", place):
                raise Invalid({"units": ["value_is_out_of_range"]})
        columns = _columns(fee, add_on, now=now)
        lines.append(OneOffLine(fee=computed, taxes=own or inherited, columns=columns))
    return lines


def _columns(asked: OneOffFee, add_on: AddOn, *, now: datetime) -> dict[str, Any]:
    return {
        "add_on_id": add_on.id,
        "item_code": add_on.code,
        "item_name": add_on.name,
        "item_description": add_on.description,
        "invoice_display_name": asked.invoice_display_name or add_on.invoice_name,
        "description": asked.description or add_on.description,
        "from_at": asked.from_at or now,
        "to_at": asked.to_at or now,
    }


async def inherited_taxes(tx: Tx, parties: Parties) -> tuple[Tax, ...]:
    """What fees without taxes of their own are taxed with: the customer's, else their entity's (pricing §2).

    While the customer's VAT number is being checked that is not known, and left out.
    """
    customer, entity = parties.customer, parties.customer_entity
    if entity.eu_tax_management and await customers.awaiting_vat_checks(tx, {customer.id}):
        return ()
    own = (await taxes.taxes_of(tx, Owner.CUSTOMER, {customer.id})).get(customer.id, ())
    return own or (await taxes.taxes_of(tx, Owner.BILLING_ENTITY, {entity.id})).get(entity.id, ())


def totals_of(lines: Sequence[OneOffLine]) -> InvoiceDraft:
    """What a one-off invoice of these comes to."""
    return _totals([(line.fee, line.taxes) for line in lines])


def _totals(parts: Sequence[tuple[Fee, Sequence[Tax]]]) -> InvoiceDraft:
    return compute_invoice(
        [InvoicedFee(fee=fee, taxes=tuple(tax.as_rate for tax in carried)) for fee, carried in parts]
    )


async def _save(
    tx: Tx, parties: Parties, lines: Sequence[OneOffLine], about: About, *, now: datetime
) -> Invoice:
    customer = parties.customer
    day = local_date(now, parties.timezone)
    rules = customer.issuing_rules(parties.customer_entity)
    dates = new_invoice_dates(rules, day=day, is_recurring=False, has_grace=False)
    totals = totals_of(lines)
    invoice_id = new_id()
    values = {
        "id": invoice_id,
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "billing_entity_id": parties.entity.id,
        "number": draft_number(parties.entity),
        "invoice_type": INVOICE_TYPE,
        "status": InvoiceStatus.DRAFT,
        "currency": about.currency,
        "timezone": parties.timezone.key,
        "billing_day": day,
        "billed_at": now,
        "issuing_date": dates.issuing_date,
        "expected_finalization_date": dates.expected_finalization_date,
        "payment_due_date": dates.payment_due_date,
        "net_payment_term": rules.net_payment_term,
        "self_billed": customer.is_partner,
        "purchase_order_number": about.purchase_order_number,
        "skip_psp": about.skip_psp,
        "payment_method_type": about.paid_by.method_type if about.paid_by else None,
        "payment_method_id": about.paid_by.method_id if about.paid_by else None,
        **total_columns(totals),
        "created_at": now,
        "updated_at": now,
    }
    (draft,) = await invoices.save_drafts(tx, [(values, _content(tx, lines, totals, values, now=now))])
    return draft


def _content(
    tx: Tx, lines: Sequence[OneOffLine], totals: InvoiceDraft, invoice: Mapping[str, Any], *, now: datetime
) -> invoices.Content:
    keys: dict[str, Any] = {"organization_id": tx.organization_id, "created_at": now}
    fee_rows, fee_taxes = [], []
    for position, (line, invoiced) in enumerate(zip(lines, totals.fees, strict=True)):
        fee_id = new_id()
        fee_rows.append(
            {
                **keys,
                "id": fee_id,
                "invoice_id": invoice["id"],
                "customer_id": invoice["customer_id"],
                "position": position,
                **amount_columns(invoiced, invoice["currency"]),
                **line.columns,
                "updated_at": now,
            }
        )
        fee_taxes += list(fee_tax_rows(line.taxes, invoiced, invoice["currency"], {**keys, "fee_id": fee_id}))
    carried = (tax for line in lines for tax in line.taxes)
    applied = tax_rows(carried, totals, invoice["currency"], {**keys, "invoice_id": invoice["id"]})
    return invoices.Content(records=(), fees=fee_rows, fee_taxes=fee_taxes, taxes=applied)


async def issue(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Issue a one-off invoice that is written."""
    (view,) = await invoices.get_views(tx, [invoice], now=now, with_lines=False)
    dates = {
        "issuing_date": invoice.issuing_date,
        "expected_finalization_date": invoice.expected_finalization_date,
        "payment_due_date": invoice.payment_due_date,
    }
    for invoice_id in await invoices.finalize(tx, [invoices.Settled(view=view, dates=dates)], now=now):
        message = Message(webhook_type="invoice.one_off_created", object_type="invoice", object_id=invoice_id)
        await emit(tx, message, now=now)


async def release(tx: Tx, invoice: Invoice, stored: Sequence[FeeRecord], *, now: datetime) -> None:
    """Issue an invoice that waited for the customer's taxes: they are those of the fees that have none yet (§1.7)."""
    (view,) = await invoices.get_views(tx, [invoice], now=now, with_lines=False)
    parties = Parties(
        customer=view.customer, customer_entity=view.customer_entity, entity=view.billing_entity
    )
    inherited = await inherited_taxes(tx, parties)
    known = await taxes.get_taxes(tx, {tax.tax_id for fee in stored for tax in fee.taxes})
    carried = [tuple(known[tax.tax_id] for tax in fee.taxes) or inherited for fee in stored]
    totals = _totals([(as_computed(fee), own) for fee, own in zip(stored, carried, strict=True)])
    keys: dict[str, Any] = {"organization_id": tx.organization_id, "created_at": now}
    fee_taxes = [
        row
        for fee, own, invoiced in zip(stored, carried, totals.fees, strict=True)
        for row in fee_tax_rows(own, invoiced, invoice.currency, {**keys, "fee_id": fee.id})
    ]
    columns = [
        retaxed_columns(fee, invoiced, now=now) for fee, invoiced in zip(stored, totals.fees, strict=True)
    ]
    await fees.replace_taxes(tx, columns, fee_taxes)
    all_taxes = (tax for own in carried for tax in own)
    applied = tax_rows(all_taxes, totals, invoice.currency, {**keys, "invoice_id": invoice.id})
    await invoices.replace_taxes(tx, invoice.id, {**total_columns(totals), "updated_at": now}, applied)
    await issue(tx, await invoices.get_invoice(tx, invoice.id), now=now)
