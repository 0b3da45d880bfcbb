"""A credit note as an electronic document: an invoice of what is given back, all of it negative (invoicing §15.1)."""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.domain.einvoicing import (
    DocumentType,
    ElectronicDocument,
    Line,
    PaymentMeans,
    Predecessor,
    TaxedAmount,
    Totals,
    compute_tax_groups,
)
from tallymark.domain.einvoicing.tax_groups import category_of
from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency, major_units, round_cents
from tallymark.integrations.documents.einvoicing.source import buyer_of, seller_of
from tallymark.integrations.documents.naming import fee_name
from tallymark.rooms.credit_notes.model import CreditNoteView, Item
from tallymark.rooms.fees.model import FeeRecord


def note_document(view: CreditNoteView) -> ElectronicDocument:
    """A credit note; one on a wallet's top-up is outside the scope of VAT, as that was."""
    note, invoice = view.note, view.invoice
    is_outside = invoice.invoice_type == "credit"
    # What the note says it gives back of coupons; what its rounded items miss its sub-total by is on a line.
    discount_cents = -round_cents(Fraction(note.precise_coupons_adjustment_amount_cents))
    lines = _lines(
        view.items,
        total_cents=discount_cents - note.sub_total_excluding_taxes_amount_cents,
        is_outside=is_outside,
    )
    return ElectronicDocument(
        document_type=DocumentType.CREDIT_NOTE,
        number=note.number,
        issuing_date=note.issuing_date,
        due_date=None,
        payment_terms=None,
        currency=note.currency,
        seller=seller_of(view.billing_entity, is_outside=is_outside),
        buyer=buyer_of(view.customer, is_outside=is_outside),
        buyer_reference=view.customer.external_id,
        purchase_order_number=invoice.purchase_order_number,
        predecessor=Predecessor(number=invoice.number, issuing_date=invoice.issuing_date),
        note=view.billing_entity.invoice_footer,
        # Credit and offsets are cleared between the parties; a refund is paid, by whatever means.
        payment_means=PaymentMeans.STANDARD if note.refund_amount_cents else PaymentMeans.CREDIT_NOTES,
        lines=tuple(sorted(lines, key=lambda line: line.amount_cents)),
        tax_groups=compute_tax_groups(
            [
                TaxedAmount(
                    amount_cents=line.amount_cents,
                    discount_cents=-_coupon_share(item, fee),
                    rate=line.tax_rate,
                )
                for line, (item, fee) in zip(lines, view.items, strict=True)
            ],
            discount_cents=discount_cents,
            taxes_cents=-note.taxes_amount_cents,
            is_outside=is_outside,
        ),
        totals=Totals(
            lines_cents=sum(line.amount_cents for line in lines),
            allowances_cents=discount_cents,
            taxes_cents=-note.taxes_amount_cents,
            prepaid_cents=0,
        ),
    )


def _coupon_share(item: Item, fee: FeeRecord) -> Fraction:
    """What of an item the invoice's coupons had taken (invoicing §11.3)."""
    if not fee.amount_cents:
        return Fraction(0)
    share = Fraction(item.precise_amount_cents) / fee.amount_cents
    return Fraction(fee.precise_coupons_amount_cents) * share


def _lines(items: Sequence[tuple[Item, FeeRecord]], *, total_cents: int, is_outside: bool) -> list[Line]:
    """Each item given back once; the largest bears the cent by which rounded items miss the total."""
    amounts = [-item.amount_cents for item, _ in items]
    if amounts:
        amounts[amounts.index(min(amounts))] += total_cents - sum(amounts)
    return [
        _line(item, fee, cents, is_outside=is_outside)
        for (item, fee), cents in zip(items, amounts, strict=True)
    ]


def _line(item: Item, fee: FeeRecord, cents: int, *, is_outside: bool) -> Line:
    rate = Fraction(fee.taxes_rate)
    return Line(
        name=fee_name(fee),
        description=fee.description or fee.item_description,
        units=Fraction(-1 if cents <= 0 else 1),
        unit_amount=abs(major_units(cents, currency(item.currency))),
        amount_cents=cents,
        tax_rate=rate,
        category=category_of(rate, is_outside=is_outside),
    )
