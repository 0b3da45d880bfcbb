"""A credit note as the template's data (invoicing §15)."""

from __future__ import annotations

from collections.abc import Iterator

from tallymark.domain.money import plain_text
from tallymark.integrations.documents.data import Json, base_data, labels_of, notices, words_of
from tallymark.integrations.documents.naming import fee_name
from tallymark.rooms.credit_notes.model import CreditNoteView


def credit_note_data(view: CreditNoteView) -> Json:
    """Everything that the template shows of a credit note: items, coupons, taxes, and how it is given back."""
    note = view.note
    words = words_of(view.customer.document_locale or view.customer_entity.document_locale)
    return {
        **base_data(view.billing_entity, view.customer, note.currency, words),
        "kind": "credit_note",
        "title": "credit_note",
        "number": note.number,
        "issuing_date": note.issuing_date.isoformat(),
        "facts": list(_facts(view, words)),
        "headline": _headline(view),
        "sections": [{"name": view.invoice.number, "groups": [_items(view, words)]}],
        "totals": list(_totals(view, words)),
        "notices": notices((tax.tax_code for tax in view.applied_taxes), words),
    }


def _facts(view: CreditNoteView, words: str) -> Iterator[Json]:
    note, invoice = view.note, view.invoice
    yield {"kind": "credit_note", "value": note.number}
    yield {"kind": "issue_date", "type": "date", "value": note.issuing_date.isoformat()}
    yield {"kind": "for_invoice", "value": invoice.number}
    yield {"kind": "invoice_date", "type": "date", "value": invoice.issuing_date.isoformat()}
    if invoice.purchase_order_number:
        yield {"kind": "purchase_order", "value": invoice.purchase_order_number}
    yield {"kind": "reason", "value": labels_of(words)["reason"][note.reason]}


def _headline(view: CreditNoteView) -> Json:
    note = view.note
    said = {"note": note.description} if note.description else {}
    return {"kind": "credited", "amount_cents": note.total_amount_cents, **said}


def _items(view: CreditNoteView, words: str) -> Json:
    fees = []
    for item, fee in view.items:
        rate = {"taxes_rate": plain_text(fee.taxes_rate, 5)} if fee.taxes else {}
        fees.append({"name": fee_name(fee), **rate, "amount_cents": item.amount_cents})
    return {"title": labels_of(words)["group"]["credited"], "fees": fees}


def _totals(view: CreditNoteView, words: str) -> Iterator[Json]:
    """The rows from the items to the total, which they add up to; then the parts of it."""
    note = view.note
    items = sum(item.amount_cents for item, _ in view.items)
    share = note.sub_total_excluding_taxes_amount_cents - items
    if share:
        yield {"kind": "items", "amount_cents": items}
        yield {"kind": "coupon", "name": labels_of(words)["coupon_share"], "amount_cents": share}
    yield {"kind": "subtotal_excl", "amount_cents": note.sub_total_excluding_taxes_amount_cents}
    for tax in view.applied_taxes:
        yield {
            "kind": "tax",
            "name": tax.tax_name,
            "rate": plain_text(tax.tax_rate, 5),
            "basis_cents": tax.base_amount_cents,
            "amount_cents": tax.amount_cents,
        }
    if not view.applied_taxes:
        yield {"kind": "no_tax", "amount_cents": 0}
    rounding = note.taxes_amount_cents - sum(tax.amount_cents for tax in view.applied_taxes)
    if rounding:
        yield {"kind": "tax_rounding", "amount_cents": rounding}
    yield {"kind": "total", "amount_cents": note.total_amount_cents}
    for kind, cents in (
        ("offset", note.offset_amount_cents),
        ("credited", note.credit_amount_cents),
        ("refunded", note.refund_amount_cents),
    ):
        if cents:
            yield {"kind": kind, "ref": view.invoice.number, "amount_cents": cents, "aside": True}
