"""A payment's receipt as an electronic document: what it was for, and what it left to pay (invoicing §15.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from tallymark.domain.einvoicing import DocumentType, ElectronicDocument, PaymentMeans, Predecessor, Receipt
from tallymark.domain.periods import local_date
from tallymark.integrations.documents.einvoicing.source import buyer_of, invoice_document, seller_of
from tallymark.rooms.payments.model import ReceiptDocument


def receipt_response(of: ReceiptDocument) -> Receipt:
    """The receipt as a response to its invoice."""
    view = of.invoice
    return Receipt(
        number=of.receipt.number,
        issuing_date=_paid_on(of),
        currency=of.payment.currency,
        amount_cents=of.payment.amount_cents,
        reference=of.payment.reference,
        invoice_numbers=tuple(part.invoice.number for part in of.parts) or (view.invoice.number,),
        sender=seller_of(view.billing_entity, is_outside=False),
        receiver=buyer_of(view.customer, is_outside=False),
    )


def receipt_document(of: ReceiptDocument) -> ElectronicDocument:
    """The receipt as its invoice was paid: what came in until then is prepaid, and what is left is payable."""
    invoice = of.invoice.invoice
    document = invoice_document(of.invoice)
    totals = replace(document.totals, prepaid_cents=document.totals.inclusive_cents - of.remaining_cents)
    is_by_hand = of.payment.payment_type == "manual"
    return replace(
        document,
        document_type=DocumentType.RECEIPT,
        number=of.receipt.number,
        issuing_date=_paid_on(of),
        predecessor=Predecessor(number=invoice.number, issuing_date=invoice.issuing_date),
        payment_means=PaymentMeans.STANDARD if is_by_hand else PaymentMeans.CARD,
        totals=totals,
    )


def _paid_on(of: ReceiptDocument) -> date:
    view = of.invoice
    zone = ZoneInfo(view.customer.applicable_timezone(view.customer_entity))
    return local_date(of.payment.created_at, zone)
