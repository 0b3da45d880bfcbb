"""What a connection to a payment provider is, what one is asked for, and what it tells (wallets-and-payments §11–§14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallymark.domain.values import value


class ProviderKind(StrEnum):
    """The providers that customers can be linked to, as the wire calls them."""

    STRIPE = "stripe"
    GOCARDLESS = "gocardless"
    CASHFREE = "cashfree"
    ADYEN = "adyen"
    FLUTTERWAVE = "flutterwave"
    MONEYHASH = "moneyhash"


class PaymentStatus(StrEnum):
    """Where a payment stands, whatever its provider calls that."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """Where money that is paid back stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An organization's account at a provider.

    `options` are the settings that anybody of the organization may read (`supports_3ds`, `merchant_account`, …), `secrets` those that
    nobody reads again once they are given: keys, and by what inbound events are verified.
    """

    id: UUID
    organization_id: UUID
    kind: ProviderKind
    code: str
    name: str
    success_redirect_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    inbound_url: str | None = None
    """Where its provider sends its events now; it is kept nowhere, for the installation's address and the connection's code may change."""


@value
class StoredConnection:
    """A connection as it is kept: its secrets are encrypted."""

    id: UUID
    organization_id: UUID
    kind: ProviderKind
    code: str
    name: str
    success_redirect_url: str | None
    options: Mapping[str, Any]
    secrets: bytes = field(repr=False)
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@value
class ProviderEvent:
    """What a provider has sent, verified: `status` is `pending` until it is understood, then `succeeded` or `failed`."""

    id: UUID
    payment_provider_id: UUID
    body: bytes = field(repr=False)
    status: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer as a provider is told of them; `email` is the first of several."""

    customer_id: UUID
    external_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    currency: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    zipcode: str | None = None
    state: str | None = None
    country: str | None = None
    provider_customer_id: str | None = None
    provider_payment_methods: tuple[str, ...] = ()
    """What they may pay by, in Stripe's words; empty elsewhere."""
    entity_country: str | None = None
    """Where their billing entity is."""
    entity_currency: str | None = None
    """What their billing entity bills in, where they have no currency yet."""


BankAccount = Mapping[str, str]
"""An account to which money is sent, as far as it has each of these: `account_holder`, `account_holder_address`, `iban`, `bic`, `sort_code`,
`account_number`, `routing_number`, `swift_code`, `clabe`, `account_type`, `bank_name`, `bank_code`, `branch_name`, `branch_code`, `bank_address`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A page of a provider's, on which a customer leaves a method or pays."""

    url: str
    provider_link_id: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a provider is asked for: this amount (minor units), by this method of this customer of its own.

    The same key asks for the same payment, however often it comes.
    """

    payment_id: UUID
    idempotency_key: str
    amount_cents: int
    currency: str
    reference: str
    metadata: Mapping[str, str]
    provider_customer_id: str | None
    provider_method_id: str | None
    """None only where the customer pays without one (bank transfers to a balance of theirs at Stripe)."""
    provider_payment_id: str | None = None
    """Under what name the provider knows it, once it has told."""
    person: Person | None = None
    waits_for_customer: bool = False
    """Whether a payment that the customer has to confirm is left to them, in place of being refused: it gates a subscription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a provider says of a payment, at once or later; `status` is its own word."""

    payment_status: PaymentStatus
    status: str
    provider_payment_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    next_action: Mapping[str, Any] | None = None
    """What the customer has to do, in the provider's words."""
    leaves_payable: bool = False
    """Whether what was to be paid stays as it is though this payment failed: an amount too small to charge, a clash of keys (§11.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOrder:
    """A page on which this amount (minor units) is paid once. The same key asks for the same page."""

    idempotency_key: str
    amount_cents: int
    currency: str
    title: str
    """What its one line is called: the invoice's number."""
    reference: str
    metadata: Mapping[str, str]
    """With `payment_type: one-time`; what is paid comes back with it."""
    person: Person
    payable_id: UUID
    """The invoice's or the payment request's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Money of a payment to be paid back (minor units). The same key asks for the same refund."""

    idempotency_key: str
    amount_cents: int
    currency: str
    reason: str | None
    """A credit note's: `duplicated_charge`, `product_unsatisfactory`, `order_change`, `order_cancellation`, `fraudulent_charge`, `other`."""
    provider_payment_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutcome:
    """What a provider says of a refund; `status` is its own word."""

    refund_status: RefundStatus
    status: str
    provider_refund_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSaved:
    """A customer has left a method, or made a known one their default; whose it is, is told by either id.

    An `external_id` tells of a customer who is linked by this (Adyen, §12.2); `provider_customer_id` is stored then.
    """

    provider_method_id: str
    provider_customer_id: str | None = None
    external_id: str | None = None
    links_customer: bool = False
    is_default: bool = True
    """Whether a known one becomes the default; a new one does in any case (§13)."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What may be shown of it: `type`, `brand`, `last4`, `expires`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodLost:
    """A method is no more."""

    provider_method_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFailed:
    """A customer who was to be linked by leaving a method is not."""

    external_id: str
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTold:
    """What became of a payment; it is known by its own name at the provider, else by what came back in `metadata`.

    `amount_cents` is what was paid, where it is said; a payment on a page (`payment_type: one-time`) is made by this.
    """

    outcome: Outcome
    metadata: Mapping[str, str] = field(default_factory=dict)
    amount_cents: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundTold:
    """What became of a refund, known by its name at the provider, else by the payment that it is of."""

    outcome: RefundOutcome
    provider_payment_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeLost:
    """A customer's bank has taken the money of a payment back."""

    provider_payment_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An event that should be known and is not: kept as an error (Adyen, MoneyHash)."""

    event_type: str


Heard = MethodSaved | MethodLost | LinkFailed | PaymentTold | RefundTold | DisputeLost | Unknown
"""What a provider tells that something follows from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a kind of provider can be asked for (§12.3)."""

    keeps_customers: bool
    """Customers have an id there, and are made there by being asked for."""
    follows_customers: bool = False
    """It is told when a customer's name or address changes."""
    saves_methods: bool = False
    """There is a page on which a customer leaves a method."""
    charges: bool = False
    """It collects without the customer."""
    has_pages: bool = False
    """There is a page on which an invoice is paid."""
    refunds: bool = False
    takes_transfers: bool = False
    """Customers have a balance there, to which they send money by bank."""
