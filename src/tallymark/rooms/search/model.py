"""What is found, and who may find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

LONGEST_TERM = 255
MOST_OF_A_KIND = 5


class Kind(StrEnum):
    """What can be found, in the order in which it is told."""

    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    WALLET = "wallet"
    PLAN = "plan"
    BILLABLE_METRIC = "billable_metric"
    ADD_ON = "add_on"
    COUPON = "coupon"
    FEATURE = "feature"


PERMISSIONS: Mapping[Kind, str] = {
    Kind.CUSTOMER: "customers:view",
    Kind.SUBSCRIPTION: "subscriptions:view",
    Kind.INVOICE: "invoices:view",
    Kind.CREDIT_NOTE: "credit_notes:view",
    # Wallets are seen with their customer.
    Kind.WALLET: "customers:view",
    Kind.PLAN: "plans:view",
    Kind.BILLABLE_METRIC: "billable_metrics:view",
    Kind.ADD_ON: "addons:view",
    Kind.COUPON: "coupons:view",
    Kind.FEATURE: "features:view",
}
"""Who may see a kind may find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something that was found, with the keys that lead to it; those that its kind has not are None."""

    kind: Kind
    id: UUID
    title: str
    subtitle: str | None
    status: str | None
    code: str | None
    number: str | None
    external_id: str | None
    external_customer_id: str | None
