"""Which invoices a list is asked for, read from its query (invoicing §10.3)."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from starlette.datastructures import QueryParams

from tallymark.api.queries import BOOLEANS, read_cents, reads
from tallymark.api.wire import query_flag
from tallymark.domain.errors import Invalid
from tallymark.rooms.invoices.model import VISIBLE, Filters

METADATA_KEY = re.compile(r"metadata\[(.+)\]")

STATUSES = ("draft", "finalized", "voided", "failed", "pending")
INVOICE_TYPES = ("subscription", "one_off", "credit", "advance_charges", "progressive_billing", "add_on")
SETTLEMENTS = ("payment", "credit_note")
PAYMENT_STATUSES = ("pending", "succeeded", "failed")
FILTERS = reads(
    "currency", "invoice_type", "status", "statuses[]", "payment_status", "payment_statuses[]", "payment_overdue",
    "payment_dispute_lost", "self_billed", "partially_paid", "issuing_date_from", "issuing_date_to", "amount_from",
    "amount_to", "billing_entity_codes[]", "purchase_order_number", "settlements[]", "metadata[key]", "search_term",
    "external_customer_id",
)  # fmt: skip

LISTS = frozenset(
    ["status", "statuses", "payment_status", "payment_statuses", "billing_entity_codes", "settlements"]
)
"""Those that may be lists."""


def read_filters(query: QueryParams, customer_id: UUID | None = None) -> Filters:
    """The filters of a list, or of that of one customer (invoicing §10.3). Raises `Invalid` for a value that is none of its list."""

    def several(*names: str) -> tuple[str, ...]:
        return tuple(value for name in names for value in query.getlist(f"{name}[]") or query.getlist(name))

    def checked(field: str, allowed: tuple[str, ...], *names: str) -> tuple[str, ...]:
        is_list = any(f"{name}[]" in query for name in names)
        return _checked(field, several(*names), allowed, is_list=is_list)

    statuses = checked("status", STATUSES, "status", "statuses")
    payment_statuses = checked("payment_status", PAYMENT_STATUSES, "payment_status", "payment_statuses")
    hidden = tuple(status for status in statuses if status not in VISIBLE)
    if query.get("invoice_type") and query["invoice_type"] not in INVOICE_TYPES:
        raise Invalid({"invoice_type": ["value_is_invalid"]})
    return Filters(
        customer_id=customer_id,
        external_customer_id=None
        if customer_id
        else query.get("external_customer_id") or query.get("customer_external_id"),
        currency=query.get("currency") or None,
        invoice_type=query.get("invoice_type") or None,
        statuses=tuple(status for status in statuses if status in VISIBLE) or hidden,
        payment_statuses=payment_statuses,
        payment_overdue=_flag(query.get("payment_overdue"), "payment_overdue"),
        self_billed=_flag(query.get("self_billed"), "self_billed"),
        partially_paid=_flag(query.get("partially_paid"), "partially_paid"),
        issuing_date_from=_day(query.get("issuing_date_from"), "issuing_date_from"),
        issuing_date_to=_day(query.get("issuing_date_to"), "issuing_date_to"),
        amount_from=read_cents(query.get("amount_from"), "amount_from"),
        amount_to=read_cents(query.get("amount_to"), "amount_to"),
        billing_entity_codes=several("billing_entity_codes"),
        purchase_order_number=query.get("purchase_order_number"),
        settlements=checked("settlements", SETTLEMENTS, "settlements"),
        search_term=query.get("search_term"),
        payment_dispute_lost=_flag(query.get("payment_dispute_lost"), "payment_dispute_lost"),
        metadata=tuple(
            (found.group(1), value)
            for name, value in query.multi_items()
            if (found := METADATA_KEY.fullmatch(name))
        ),
    )


def _checked(
    field: str, values: tuple[str, ...], allowed: tuple[str, ...], *, is_list: bool
) -> tuple[str, ...]:
    """The values of a filter; a wrong one is named alone, or by its place in a list. Raises `Invalid`."""
    wrong = [place for place, value in enumerate(values) if value not in allowed]
    if not wrong:
        return values
    if is_list:
        told = f"must be one of: {', '.join(allowed)}"
        raise Invalid({field: {str(place): [told] for place in wrong}})
    raise Invalid({field: [f"must be one of: {', '.join(allowed)} or must be an array"]})


def _flag(text: str | None, field: str) -> bool | None:
    if text and text.strip().lower() not in BOOLEANS:
        raise Invalid({field: ["must be boolean"]})
    return query_flag(text)


def _day(text: str | None, field: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None
