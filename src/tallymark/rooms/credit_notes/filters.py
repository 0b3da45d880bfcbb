"""Which credit notes a list is asked for, read from its query (invoicing §11.2)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from starlette.datastructures import QueryParams

from tallymark.api.queries import BOOLEANS, read_cents, reads
from tallymark.api.wire import query_flag
from tallymark.domain.errors import Invalid
from tallymark.rooms.credit_notes.model import CREDIT_STATUSES, REASONS, REFUND_STATUSES, TYPES, Filters

FILTERS = reads(
    "external_customer_id", "currency", "reason", "credit_status", "refund_status", "types[]", "invoice_number",
    "purchase_order_number", "issuing_date_from", "issuing_date_to", "amount_from", "amount_to", "self_billed",
    "billing_entity_codes[]", "search_term",
)  # fmt: skip

LISTS = frozenset(["types", "billing_entity_codes"])
"""Those that may be lists."""


def read_filters(query: QueryParams, customer_id: UUID | None = None) -> Filters:
    """The filters of a list, or of that of one customer (invoicing §11.2). Raises `Invalid` for a value that is none of its list."""

    def several(name: str) -> tuple[str, ...]:
        return tuple(query.getlist(f"{name}[]") or query.getlist(name))

    for name, allowed in (
        ("reason", REASONS), ("credit_status", CREDIT_STATUSES), ("refund_status", REFUND_STATUSES),
    ):  # fmt: skip
        if query.get(name) and query[name] not in allowed:
            raise Invalid({name: ["value_is_invalid"]})
    if query.get("self_billed") and query["self_billed"].strip().lower() not in BOOLEANS:
        raise Invalid({"self_billed": ["value_is_invalid"]})
    if any(kind not in TYPES for kind in several("types")):
        raise Invalid({"types": ["value_is_invalid"]})
    return Filters(
        customer_id=customer_id,
        external_customer_id=None if customer_id else query.get("external_customer_id"),
        currency=query.get("currency") or None,
        reason=query.get("reason") or None,
        credit_status=query.get("credit_status") or None,
        refund_status=query.get("refund_status") or None,
        types=several("types"),
        search_term=query.get("search_term"),
        invoice_number=query.get("invoice_number"),
        purchase_order_number=query.get("purchase_order_number"),
        self_billed=query_flag(query.get("self_billed")),
        issuing_date_from=_day(query.get("issuing_date_from"), "issuing_date_from"),
        issuing_date_to=_day(query.get("issuing_date_to"), "issuing_date_to"),
        amount_from=read_cents(query.get("amount_from"), "amount_from"),
        amount_to=read_cents(query.get("amount_to"), "amount_to"),
        billing_entity_codes=several("billing_entity_codes"),
    )


def _day(text: str | None, field: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None
