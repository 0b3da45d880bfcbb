"""What can be done with payments: one file per use case."""

from tallymark.rooms.payments.service.read import (
    get_document,
    get_payment,
    get_receipt,
    get_receipt_views,
    get_views,
    list_payments,
    list_receipts,
    set_files,
)
from tallymark.rooms.payments.service.record import pay_by_hand, record_payment

__all__ = [
    "get_document",
    "get_payment",
    "get_receipt",
    "get_receipt_views",
    "get_views",
    "list_payments",
    "list_receipts",
    "pay_by_hand",
    "record_payment",
    "set_files",
]
