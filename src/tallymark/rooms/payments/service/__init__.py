"""What can be done with payments: one file per use case."""

from tallymark.rooms.payments.service.collect import (
    ask_for,
    call_off,
    find,
    have_canceled,
    note_failed,
    note_succeeded,
    note_undecided,
    order_of,
    pending_of,
)
from tallymark.rooms.payments.service.payables import payable_invoice, payable_of, payable_request
from tallymark.rooms.payments.service.read import (
    get_document,
    get_parts,
    get_payment,
    get_payments,
    get_receipt,
    get_receipt_views,
    get_receipts,
    get_views,
    list_payments,
    list_receipts,
    set_files,
)
from tallymark.rooms.payments.service.record import pay_by_hand, record_payment

__all__ = [
    "ask_for",
    "call_off",
    "find",
    "get_document",
    "get_parts",
    "get_payment",
    "get_payments",
    "get_receipt",
    "get_receipt_views",
    "get_receipts",
    "get_views",
    "have_canceled",
    "list_payments",
    "list_receipts",
    "note_failed",
    "note_succeeded",
    "note_undecided",
    "order_of",
    "pay_by_hand",
    "payable_invoice",
    "payable_of",
    "payable_request",
    "pending_of",
    "record_payment",
    "set_files",
]
