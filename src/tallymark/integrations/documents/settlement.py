"""From an invoice's total to what is due of it (invoicing §15): now, or `as_issued`, as an electronic one tells it for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from tallymark.domain.periods import local_date
from tallymark.rooms.invoices.model import InvoiceStatus, InvoiceView, Settled

SUCCEEDED = "succeeded"
Json = dict[str, Any]


def headline(view: InvoiceView, *, as_issued: bool) -> Json:
    """The one answer of an invoice: what is due and by when; or that it is paid, and on which day."""
    due_cents = _due_cents(view, as_issued=as_issued)
    if due_cents:
        return {
            "kind": "due",
            "date": view.invoice.payment_due_date.isoformat(),
            "amount_cents": due_cents,
        }
    payments = [one for one in view.settled if one.credit_note_number is None]
    paid_cents = sum(one.amount_cents for one in payments)
    if payments and paid_cents == view.invoice.total_amount_cents:
        return {"kind": "paid", "date": _day(payments[-1], view), "amount_cents": paid_cents}
    return {"kind": "nothing_due", "amount_cents": 0}


def settlement(view: InvoiceView, *, as_issued: bool) -> list[Json]:
    """The rows that follow the total; none where nothing has lowered what is due, or where it is due no more."""
    due_cents = _due_cents(view, as_issued=as_issued)
    if due_cents == view.invoice.total_amount_cents or view.invoice.status is InvoiceStatus.VOIDED:
        return []
    return [*_lowered(view, due_cents), {"kind": "due", "amount_cents": due_cents}]


def _due_cents(view: InvoiceView, *, as_issued: bool) -> int:
    if as_issued:
        return view.invoice.total_amount_cents
    # One that was marked as paid, or whose fees were, has no payment: its amounts stay (invoicing §12).
    return 0 if view.invoice.payment_status == SUCCEEDED else view.invoice.total_due_amount_cents


def _lowered(view: InvoiceView, due_cents: int) -> Iterator[Json]:
    told_cents = sum(one.amount_cents for one in view.settled)
    if rest_cents := view.invoice.total_amount_cents - told_cents - due_cents:
        yield {"kind": "paid_before", "amount_cents": -rest_cents}
    for one in view.settled:
        yield _payment(one, view) if one.credit_note_number is None else _offset(one)


def _payment(one: Settled, view: InvoiceView) -> Json:
    reference = {"reference": one.reference} if one.reference else {}
    how = {"method": one.payment_type, **reference}
    return {"kind": "paid", "date": _day(one, view), "amount_cents": -one.amount_cents, **how}


def _offset(one: Settled) -> Json:
    return {"kind": "credit_note", "ref": one.credit_note_number, "amount_cents": -one.amount_cents}


def _day(one: Settled, view: InvoiceView) -> str:
    """The customer's day, as on the payment's receipt."""
    zone = ZoneInfo(view.customer.applicable_timezone(view.customer_entity))
    return local_date(one.at, zone).isoformat()
