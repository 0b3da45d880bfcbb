"""The activity log: what was done to what, noted in the transaction that did it (platform §10.1).

An entry comes of a message of the outbox where the outside hears of it too. How the object looked is written by whoever can show it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text

from tallymark.db.engine import Source, Tx
from tallymark.db.ids import new_id
from tallymark.domain.values import names_of

T = TypeVar("T")

Changes = Mapping[str, Sequence[Any]]
"""[before, after] by field, as JSON has it."""

RESOURCES: Mapping[str, tuple[str, str]] = {
    "add_on": ("add_on", "AddOn"),
    "alert": ("alert", "Alert"),
    "applied_coupon": ("applied_coupon", "Coupon"),
    "billable_metric": ("billable_metric", "BillableMetric"),
    "billing_entities": ("billing_entity", "BillingEntity"),
    "coupon": ("coupon", "Coupon"),
    "credit_note": ("credit_note", "CreditNote"),
    "customer": ("customer", "Customer"),
    "dunning_campaign": ("campaign", "DunningCampaign"),
    "feature": ("feature", "Entitlement::Feature"),
    "fee": ("fee", "Fee"),
    "invoice": ("invoice", "Invoice"),
    "invoice_custom_section": ("invoice_custom_section", "InvoiceCustomSection"),
    "organization": ("organization", "Organization"),
    "payment": ("payment", "Invoice"),
    "payment_receipt": ("payment_receipt", "PaymentReceipt"),
    "payment_request": ("payment_request", "PaymentRequest"),
    "plan": ("plan", "Plan"),
    "pricing_unit": ("pricing_unit", "PricingUnit"),
    "subscription": ("subscription", "Subscription"),
    "tax": ("tax", "Tax"),
    "test_clock": ("organization", "Organization"),
    "wallet": ("wallet", "Wallet"),
    "wallet_transaction": ("wallet_transaction", "Wallet"),
}
"""What entries of a type's first word show, and what they are logged on."""

TYPES = frozenset(
    f"{of}.{what}"
    for of, words in {
        "add_on": "created updated deleted",
        "alert": "created updated deleted",
        "applied_coupon": "created deleted",
        "billable_metric": "created updated deleted",
        "billing_entities": "created updated deleted",
        "coupon": "created updated deleted",
        "credit_note": "created generated refund_failure updated voided",
        "customer": "created updated deleted",
        "dunning_campaign": "created updated deleted",
        "email": "sent",
        "feature": "created updated deleted",
        "fee": "updated deleted",
        "invoice": "drafted ready_to_finalize failed created one_off_created paid_credit_added generated"
        " payment_status_updated payment_overdue voided deleted regenerated payment_failure"
        " updated payment_dispute_lost",
        "invoice_custom_section": "created updated deleted",
        "order": "created executed",
        "organization": "updated",
        "order_form": "created signed file_uploaded expired voided",
        "payment": "recorded",
        "payment_receipt": "created generated",
        "payment_request": "created",
        "plan": "created updated deleted",
        "pricing_unit": "created updated",
        "quote": "created updated approved voided version_created",
        "subscription": "canceled created incomplete started terminated updated",
        "tax": "created updated deleted",
        "test_clock": "advanced",
        "wallet": "created updated terminated",
        "wallet_transaction": "created updated payment_failure",
    }.items()
    for what in words.split()
)
"""What is logged: the list of §10.1, and what it leaves out that somebody may change (docs/differences.md)."""

_INSERT = text("""
INSERT INTO activity_logs (
    id, organization_id, activity_type, activity_source, api_key_id, user_email, object_type, object_id, resource_type, resource_id,
    external_customer_id, external_subscription_id, changes, object, is_open, logged_at, created_at
)
SELECT
    m.id, :organization_id, m.activity_type, m.source, m.api_key_id, m.user_email, m.object_type, m.object_id,
    CASE m.object_type
        WHEN 'payment' THEN (SELECT payable_type FROM payments WHERE id = m.object_id)
        ELSE m.resource_type
    END,
    CASE m.object_type
        WHEN 'wallet_transaction' THEN (SELECT wallet_id FROM wallet_transactions WHERE id = m.object_id)
        WHEN 'applied_coupon' THEN (SELECT coupon_id FROM applied_coupons WHERE id = m.object_id)
        WHEN 'payment' THEN (
            SELECT coalesce(invoice_id, payment_request_id) FROM payments WHERE id = m.object_id
        )
        ELSE m.object_id
    END,
    (SELECT external_id FROM customers WHERE id = CASE m.object_type
        WHEN 'customer' THEN m.object_id
        WHEN 'subscription' THEN (SELECT customer_id FROM subscriptions WHERE id = m.object_id)
        WHEN 'invoice' THEN (SELECT customer_id FROM invoices WHERE id = m.object_id)
        WHEN 'fee' THEN (SELECT customer_id FROM fees WHERE id = m.object_id)
        WHEN 'credit_note' THEN (SELECT customer_id FROM credit_notes WHERE id = m.object_id)
        WHEN 'wallet' THEN (SELECT customer_id FROM wallets WHERE id = m.object_id)
        WHEN 'wallet_transaction' THEN (
            SELECT customer_id FROM wallets
            WHERE id = (SELECT wallet_id FROM wallet_transactions WHERE id = m.object_id)
        )
        WHEN 'payment' THEN (SELECT customer_id FROM payments WHERE id = m.object_id)
        WHEN 'payment_receipt' THEN (SELECT customer_id FROM payment_receipts WHERE id = m.object_id)
        WHEN 'payment_request' THEN (SELECT customer_id FROM payment_requests WHERE id = m.object_id)
        WHEN 'applied_coupon' THEN (SELECT customer_id FROM applied_coupons WHERE id = m.object_id)
        WHEN 'alert' THEN (
            SELECT coalesce(
                (SELECT customer_id FROM wallets WHERE id = a.wallet_id),
                (SELECT customer_id FROM subscriptions WHERE external_id = a.external_subscription_id
                 ORDER BY created_at DESC, id DESC LIMIT 1))
            FROM alerts a WHERE a.id = m.object_id
        )
    END),
    CASE m.object_type
        WHEN 'subscription' THEN (SELECT external_id FROM subscriptions WHERE id = m.object_id)
        WHEN 'alert' THEN (SELECT external_subscription_id FROM alerts WHERE id = m.object_id)
    END,
    m.changes, m.object, m.object IS NULL, :now, :now
FROM json_to_recordset(CAST(:entries AS json)) AS m (
    id uuid, activity_type text, source text, api_key_id uuid, user_email text, object_type text, object_id uuid,
    resource_type text, changes text, object text
)
""")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Whom an entry names: where it was done, and with which key or by which user, where there was one."""

    source: Source
    api_key_id: UUID | None = None
    user_email: str | None = None


def doer_of(tx: Tx) -> Doer:
    """Who is at work in a transaction."""
    actor = tx.actor
    if actor is None:
        return Doer(source=tx.source)
    return Doer(source=tx.source, api_key_id=actor.api_key_id, user_email=actor.user_email)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An entry to be: its type ("plan.updated"), and the object that it shows.

    `logged_on` is the first word of what it is logged on, where that is another than its type's; `shown` what it shows where no row
    holds that; `doer` who had it done, where that is told of another transaction than this one.
    """

    activity_type: str
    object_id: UUID
    changes: Changes
    logged_on: str | None = None
    shown: Mapping[str, Any] | None = None
    doer: Doer | None = None


async def log(tx: Tx, activities: Iterable[Activity], *, now: datetime) -> None:
    """Note what was done, in this order, in one statement; entries exist once the transaction commits."""
    entries: list[dict[str, Any]] = []
    here = doer_of(tx)
    for one in activities:
        object_type, resource_type = RESOURCES[one.logged_on or one.activity_type.split(".")[0]]
        entries.append(
            {
                "id": new_id(),
                "activity_type": one.activity_type,
                "object_type": object_type,
                "object_id": one.object_id,
                "resource_type": resource_type,
                "changes": json.dumps(one.changes) if one.changes else None,
                "object": None if one.shown is None else json.dumps(one.shown),
                **dataclasses.asdict(one.doer or here),
            }
        )
    if entries:
        values = {"organization_id": tx.organization_id, "now": now}
        await tx.execute(_INSERT, {**values, "entries": msgspec.json.encode(entries).decode()})
        tx.logged.extend(entry["id"] for entry in entries if entry["object"] is None)


NAMELESS = frozenset({"id", "position", "created_at", "updated_at"})
"""What a part of a record is known by inside, and says nothing of what it is."""


def changes(before: T, after: T, *, parts: Collection[str] = ()) -> Changes:
    """What of a record's own fields is another than it was, and of `parts` that hang on it; when it changed is left out.

    Parts are shown whole: a list that has changed, as it was and as it is.
    """
    found = {}
    kind: type = type(after)
    for name in names_of(kind):
        was, is_now = getattr(before, name), getattr(after, name)
        if name in parts:
            was, is_now = as_json(was), as_json(is_now)
        if name != "updated_at" and was != is_now and _is_plain(was) and _is_plain(is_now):
            found[name] = [as_json(was), as_json(is_now)]
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What of some values is another than it was, of what hangs on a record or is kept apart from it.

    >>> differences({"tax_codes": [], "name": "A"}, {"tax_codes": ["vat"], "name": "A"})
    {'tax_codes': [[], ['vat']]}
    """
    return {
        name: [as_json(before[name]), as_json(value)]
        for name, value in after.items()
        if before[name] != value
    }


def shown(record: Any, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """A record's own fields as JSON has them, but for some; what hangs on it is left out."""
    kind: type = type(record)
    values = {name: getattr(record, name) for name in names_of(kind) if name not in without}
    return {name: as_json(value) for name, value in values.items() if _is_plain(value)}


def below(place: str, changes: Changes) -> Changes:
    """Changes of what is a part of something, by where that is.

    >>> below("plan", {"name": ["Old", "New"]})
    {'plan.name': ['Old', 'New']}
    """
    return {f"{place}.{name}": values for name, values in changes.items()}


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    if isinstance(value, tuple | list | frozenset):
        return all(map(_is_plain, value))
    return not dataclasses.is_dataclass(value)


def as_json(value: Any) -> Any:
    """A value as changes show it: of a record the fields that say what it is."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"
        case date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case Mapping():
            return {str(key): as_json(part) for key, part in value.items()}
        case tuple() | list() | frozenset():
            return [as_json(part) for part in value]
        case bool() | int() | str() | None:
            return value
        case _ if dataclasses.is_dataclass(value):
            kind: type = type(value)
            return {name: as_json(getattr(value, name)) for name in names_of(kind) if name not in NAMELESS}
        case _:
            return str(value)
