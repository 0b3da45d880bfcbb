"""A payment receipt as the template's data (invoicing §15)."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from tallymark.domain.periods import local_date
from tallymark.integrations.documents.data import Json, base_data, labels_of, lines_and_totals, words_of
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.payments.model import ReceiptDocument


def receipt_data(of: ReceiptDocument) -> Json:
    """Everything that the template shows of a receipt: the payment, the invoice's lines, and what is still due."""
    view, payment = of.invoice, of.payment
    words = words_of(view.customer.document_locale or view.customer_entity.document_locale)
    sections, totals = _of_request(of, words) if of.parts else _of_invoice(of, words)
    paid_on = local_date(
        payment.created_at, ZoneInfo(view.customer.applicable_timezone(view.customer_entity))
    )
    return {
        **base_data(view.billing_entity, view.customer, payment.currency, words),
        "kind": "receipt",
        "title": "receipt",
        "number": of.receipt.number,
        "issuing_date": paid_on.isoformat(),
        "facts": [
            {"kind": "receipt", "value": of.receipt.number},
            {"kind": "paid_on", "type": "date", "value": paid_on.isoformat()},
            {"kind": "method", "value": labels_of(words)["method"][payment.payment_type]},
            *([{"kind": "reference", "value": payment.reference}] if payment.reference else []),
            *([] if of.parts else _facts_of_invoice(view)),
        ],
        "headline": {"kind": "received", "date": paid_on.isoformat(), "amount_cents": payment.amount_cents},
        "sections": sections,
        "totals": totals,
    }


def _facts_of_invoice(view: InvoiceView) -> list[Json]:
    return [
        {"kind": "for_invoice", "value": view.invoice.number},
        {"kind": "invoice_date", "type": "date", "value": view.invoice.issuing_date.isoformat()},
    ]


def _of_invoice(of: ReceiptDocument, words: str) -> tuple[list[Json], list[Json]]:
    sections, totals = lines_and_totals(of.invoice, words)
    return sections, [*totals, *_paid(of)]


def _of_request(of: ReceiptDocument, words: str) -> tuple[list[Json], list[Json]]:
    """Each invoice of a payment request with what was paid of it: all that was due."""
    title = labels_of(words)["group"]["invoices"]
    lines = [{"name": part.invoice.number, "amount_cents": part.amount_cents} for part in of.parts]
    section = {
        "name": title,
        "amount_cents": of.payment.amount_cents,
        "groups": [{"title": title, "fees": lines}],
    }
    return [section], [{"kind": "total", "amount_cents": of.payment.amount_cents}]


def _paid(of: ReceiptDocument) -> Iterator[Json]:
    """What came in until then, and what it left; what came later is on later receipts."""
    for number, cents in of.offsets:
        yield {"kind": "credit_note", "ref": number, "amount_cents": -cents}
    if of.paid_before_cents:
        yield {"kind": "paid_before", "amount_cents": -of.paid_before_cents}
    yield {"kind": "this_payment", "amount_cents": -of.payment.amount_cents}
    yield {"kind": "remaining", "amount_cents": of.remaining_cents}
