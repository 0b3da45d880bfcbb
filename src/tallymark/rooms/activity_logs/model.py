"""What entries are, and what of a large object they leave out (platform §10.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

MOST_FEES = 25
MOST_CHARGES = 50
MOST_CHARGE_FILTERS = 100

RESOURCE_TYPES = (
    "BillableMetric", "Plan", "Customer", "Invoice", "CreditNote", "BillingEntity", "Subscription", "Wallet", "Coupon",
    "PaymentReceipt", "PaymentRequest", "Entitlement::Feature", "Quote", "OrderForm", "Order",
    "Tax", "AddOn", "InvoiceCustomSection", "PricingUnit", "Alert", "DunningCampaign", "Fee", "Organization",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that was done; changes and object are JSON, the object None as long as it is open, or can't be shown."""

    id: UUID
    activity_type: str
    activity_source: str
    api_key_id: UUID | None
    api_key_name: str | None
    """As it is called now; a key that has ended keeps its name."""
    api_key_ending: str | None
    user_email: str | None
    object_type: str
    object_id: UUID
    resource_type: str
    resource_id: UUID
    external_customer_id: str | None
    external_subscription_id: str | None
    changes: str | None
    object: str | None
    is_open: bool
    logged_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which entries a list shows; None and empty mean any."""

    logged_from: datetime | None = None
    logged_to: datetime | None = None
    activity_types: tuple[str, ...] = ()
    activity_sources: tuple[str, ...] = ()
    user_emails: tuple[str, ...] = ()
    api_key_ids: tuple[UUID, ...] = ()
    external_customer_id: str | None = None
    external_subscription_id: str | None = None
    resource_ids: tuple[UUID, ...] = ()
    resource_types: tuple[str, ...] = ()


def without_bulk(object_type: str, shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object as it is logged: without fees or charges where they are very many.

    >>> sorted(without_bulk("invoice", {"number": "1", "fees": [{}] * 26}))
    ['number']
    """
    match object_type:
        case "invoice" if len(shown.get("fees", ())) > MOST_FEES:
            return _without(shown, "fees")
        case "plan" if _has_many_charges(shown):
            return _without(shown, "charges")
        case "subscription" if _has_many_charges(shown["plan"]):
            return {**shown, "plan": _without(shown["plan"], "charges")}
    return shown


def _has_many_charges(plan: Mapping[str, Any]) -> bool:
    charges = plan["charges"]
    filters = sum(len(charge["filters"]) for charge in charges)
    return len(charges) > MOST_CHARGES or filters > MOST_CHARGE_FILTERS


def _without(shown: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    return {name: part for name, part in shown.items() if name != left_out}
