"""What a payment request is (wallets §16); amounts are in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices.model import Invoice, InvoiceView
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.subscriptions.model import PaidBy

STATUSES = ("pending", "succeeded", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """Invoices that are asked for together; `amount_cents` is what was due of them when it was made.

    One that a campaign made names it.
    """

    id: UUID
    customer_id: UUID
    billing_entity_id: UUID
    dunning_campaign_id: UUID | None
    email: str | None
    payment_method_type: str | None
    payment_method_id: UUID | None
    payment_status: str
    amount_cents: int
    currency: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request with whose it is, and its invoices in the order in which they were asked for."""

    request: PaymentRequest
    customer: Customer
    customer_entity: BillingEntity
    invoices: tuple[InvoiceView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """An invoice of a request, and what the request's payment paid of it."""

    invoice: Invoice
    paid_amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request as it is asked for; `invoice_ids` are as they were sent. Without an e-mail it is the customer's.

    `paid_by` is by what it is to be collected, where that is said.
    """

    external_customer_id: str
    invoice_ids: tuple[object, ...]
    email: str | None = None
    paid_by: PaidBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A request to be: invoices of one customer, issuer and currency with what is due of each, in their order."""

    customer_id: UUID
    billing_entity_id: UUID
    email: str | None
    currency: str
    due_cents: Mapping[UUID, int]
    dunning_campaign_id: UUID | None = None
    paid_by: PaidBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which requests a list shows; None means any."""

    external_customer_id: str | None = None
    customer_id: UUID | None = None
    """One customer, and no other one who had the same external id before."""
    payment_status: str | None = None
    currency: str | None = None
    billing_entity_codes: tuple[str, ...] = ()
