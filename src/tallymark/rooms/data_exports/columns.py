"""The columns of each type of export, and where in the API's answers their values are (platform §14, beyond.md §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Columns = Mapping[str, str]
"""Where a column's value is in what the API shows, dots leading inwards."""


def _same(*names: str) -> Columns:
    return {name: name for name in names}


def _of(part: str, prefix: str, *names: str) -> Columns:
    return {f"{prefix}{name}": f"{part}.{name}" for name in names}


_CUSTOMER = _of(
    "customer", "customer_", "lago_id", "external_id", "name", "email", "country", "tax_identification_number"
)

ENTITY = "billing_entity_code"
"""The column of documents that is there only where an organization has several issuers."""

INVOICES: Columns = {
    **_same("lago_id", "sequential_id"),
    "partner_billing": "self_billed",
    **_same("issuing_date"),
    **_CUSTOMER,
    "invoice_number": "number",
    **_same(
        "purchase_order_number", "invoice_type", "payment_status", "status", "file_url", "currency",
        "fees_amount_cents", "coupons_amount_cents", "taxes_amount_cents", "credit_notes_amount_cents",
        "prepaid_credit_amount_cents", "total_amount_cents", "payment_due_date", "payment_dispute_lost_at",
        "payment_overdue", "total_due_amount_cents", "total_paid_amount_cents",
        "total_offsetted_credit_note_amount_cents", "progressive_billing_credit_amount_cents",
    ),
}  # fmt: skip

INVOICE_FEES: Columns = {
    **_of("invoice", "invoice_", "lago_id", "number", "issuing_date"),
    "fee_lago_id": "fee.lago_id",
    **_of(
        "fee.item", "fee_item_", "type", "code", "name", "description", "invoice_display_name",
        "filter_invoice_display_name", "grouped_by",
    ),
    "subscription_external_id": "fee.external_subscription_id",
    **_same("subscription_plan_code", "fee_from_date", "fee_to_date"),
    **_of(
        "fee", "fee_", "amount_currency", "units", "precise_unit_amount", "taxes_amount_cents",
        "total_amount_cents",
    ),
}  # fmt: skip

CREDIT_NOTES: Columns = {
    **_same("lago_id", "sequential_id"),
    "partner_billing": "self_billed",
    **_same("issuing_date"),
    **_CUSTOMER,
    **_same(
        "number", "invoice_number", "purchase_order_number", "credit_status", "refund_status", "reason",
        "description", "currency", "total_amount_cents", "taxes_amount_cents",
        "sub_total_excluding_taxes_amount_cents", "coupons_adjustment_amount_cents", "offset_amount_cents",
        "credit_amount_cents", "balance_amount_cents", "refund_amount_cents", "file_url",
    ),
}  # fmt: skip

CREDIT_NOTE_ITEMS: Columns = {
    **_of("note", "credit_note_", "lago_id", "number", "invoice_number", "issuing_date"),
    **_of("item", "credit_note_item_", "lago_id", "fee_lago_id", "currency", "amount_cents"),
}

JOURNAL_LINES: Columns = {
    "entry_lago_id": "entry.lago_id",
    **_of("entry", "", "sequence", "posted_at"),
    **_of("entry.document", "document_", "type", "lago_id", "number"),
    "description": "entry.description",
    **_of("line", "", "account", "external_customer_id", "debit_cents", "credit_cents", "currency"),
}


def pick(shown: Mapping[str, Any], columns: Columns) -> Sequence[Any]:
    """The values of a row, in the order of the columns.

    >>> pick({"number": "A-1", "customer": {"name": "Ada"}}, {"invoice_number": "number", "who": "customer.name"})
    ['A-1', 'Ada']
    """
    return [_inside(shown, place) for place in columns.values()]


def _inside(shown: Any, place: str) -> Any:
    for name in place.split("."):
        shown = shown[name]
    return shown
