"""An issued invoice as an electronic document: the same amounts, by the rules of EN 16931 (invoicing §15.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tallymark.domain.einvoicing import (
    DocumentType,
    ElectronicDocument,
    Line,
    Party,
    PaymentMeans,
    Place,
    TaxCategory,
    TaxedAmount,
    Totals,
    compute_tax_groups,
)
from tallymark.domain.einvoicing.tax_groups import category_of
from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency, major_units
from tallymark.domain.periods import TICK, local_date
from tallymark.integrations.documents.naming import fee_name
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice, InvoiceView
from tallymark.rooms.organizations.model import BillingEntity

SUPPORTED = frozenset({"FR", "DE"})
"""Where billing entities may issue electronic invoices."""


def is_electronic(entity: BillingEntity) -> bool:
    """Whether an entity's documents are electronic ones as well."""
    return entity.einvoicing and entity.country in SUPPORTED


def invoice_document(view: InvoiceView) -> ElectronicDocument:
    """An invoice; a wallet's top-up is outside the scope of VAT until its credits are used."""
    invoice = view.invoice
    is_outside = invoice.invoice_type == "credit"
    discounts = invoice.coupons_amount_cents + invoice.progressive_billing_credit_amount_cents
    return ElectronicDocument(
        document_type=_type(invoice),
        number=invoice.number,
        issuing_date=invoice.issuing_date,
        due_date=invoice.payment_due_date,
        payment_terms=f"{invoice.net_payment_term} days",
        currency=invoice.currency,
        seller=seller_of(view.billing_entity, is_outside=is_outside),
        buyer=buyer_of(view.customer, is_outside=is_outside),
        buyer_reference=view.customer.external_id,
        purchase_order_number=invoice.purchase_order_number,
        predecessor=None,
        note=view.billing_entity.invoice_footer,
        payment_means=_payment_means(view),
        lines=_lines(view.fees, invoice.timezone, is_outside=is_outside),
        tax_groups=compute_tax_groups(
            [_taxed(fee) for fee in view.fees],
            discount_cents=discounts,
            taxes_cents=invoice.taxes_amount_cents,
            is_outside=is_outside,
        ),
        totals=Totals(
            lines_cents=invoice.fees_amount_cents,
            allowances_cents=discounts,
            taxes_cents=invoice.taxes_amount_cents,
            prepaid_cents=invoice.credit_notes_amount_cents + invoice.prepaid_credit_amount_cents,
        ),
    )


def _type(invoice: Invoice) -> DocumentType:
    if invoice.self_billed:
        return DocumentType.SELF_BILLED
    return DocumentType.PREPAYMENT if invoice.invoice_type == "credit" else DocumentType.INVOICE


def _payment_means(view: InvoiceView) -> PaymentMeans:
    """One for the whole document: of what is still to pay, else of what paid it (rule CII-SR-467)."""
    invoice = view.invoice
    if invoice.total_amount_cents > 0:
        return PaymentMeans.STANDARD
    if invoice.prepaid_credit_amount_cents > 0:
        return PaymentMeans.PREPAID_CREDITS
    return PaymentMeans.CREDIT_NOTES if invoice.credit_notes_amount_cents > 0 else PaymentMeans.STANDARD


def seller_of(entity: BillingEntity, *, is_outside: bool) -> Party:
    """The issuer."""
    return Party(
        identifier=entity.code,
        name=entity.legal_name or entity.name,
        place=Place(
            line1=entity.address_line1,
            line2=entity.address_line2,
            city=entity.city,
            zipcode=entity.zipcode,
            state=entity.state,
            country=entity.country,
        ),
        legal_number=entity.legal_number,
        vat_number=None if is_outside else entity.tax_identification_number,
        email=entity.email,
        phone=entity.phone,
    )


def buyer_of(customer: Customer, *, is_outside: bool) -> Party:
    """Who pays."""
    address = customer.address
    return Party(
        identifier=customer.external_id,
        name=customer.legal_name or customer.display_name,
        place=Place(
            line1=address.address_line1,
            line2=address.address_line2,
            city=address.city,
            zipcode=address.zipcode,
            state=address.state,
            country=address.country,
        ),
        legal_number=customer.legal_number,
        vat_number=None if is_outside else customer.tax_identification_number,
        email=customer.email,
    )


def _taxed(fee: FeeRecord) -> TaxedAmount:
    return TaxedAmount(
        amount_cents=fee.amount_cents,
        discount_cents=Fraction(fee.precise_coupons_amount_cents),
        rate=Fraction(fee.taxes_rate),
    )


def _lines(fees: Sequence[FeeRecord], timezone: str, *, is_outside: bool) -> tuple[Line, ...]:
    """The fees, the smallest first."""
    in_order = sorted(fees, key=lambda fee: (fee.amount_cents, fee.position))
    return tuple(_line(fee, ZoneInfo(timezone), is_outside=is_outside) for fee in in_order)


def _line(fee: FeeRecord, zone: ZoneInfo, *, is_outside: bool) -> Line:
    rate = Fraction(fee.taxes_rate)
    category: TaxCategory = category_of(rate, is_outside=is_outside)
    first, last = _days(fee.from_at, fee.to_at, zone)
    return Line(
        name=fee_name(fee),
        description=fee.description or fee.item_description,
        units=Fraction(fee.units),
        unit_amount=_unit_amount(fee),
        amount_cents=fee.amount_cents,
        tax_rate=rate,
        category=category,
        first_day=first,
        last_day=last,
    )


def _unit_amount(fee: FeeRecord) -> Fraction:
    """The price of one unit; the average one where prices differ by unit."""
    if fee.units:
        return abs(major_units(fee.precise_amount_cents, currency(fee.currency)) / Fraction(fee.units))
    return abs(Fraction(fee.precise_unit_amount))


def _days(start: datetime | None, end: datetime | None, zone: ZoneInfo) -> tuple[date | None, date | None]:
    """Local days, the last one included."""
    if start is None or end is None:
        return None, None
    return local_date(start, zone), local_date(max(end - TICK, start), zone)
