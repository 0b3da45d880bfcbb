"""What a customer is, and which terms apply to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tallymark.domain.calendar import IssuingRules
from tallymark.domain.values import value
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_providers.model import BankAccount, Connection, Person

DRAFTS_OUTLIVE = timedelta(minutes=5)
"""How long after a customer is deleted their drafts are finalized, whatever the grace period."""

ADDRESS = ("address_line1", "address_line2", "city", "zipcode", "state", "country")


@value
class Metadata:
    """A note on a customer that invoices may show."""

    id: UUID
    key: str
    value: str
    display_in_invoice: bool
    created_at: datetime


@value
class Address:
    """Where someone is."""

    address_line1: str | None
    address_line2: str | None
    city: str | None
    zipcode: str | None
    state: str | None
    country: str | None


@value
class Identity:
    """Who a customer is, and whose."""

    external_id: str
    billing_entity_id: UUID


@value
class Customer:
    """Who pays. What is None is inherited from the billing entity."""

    id: UUID
    billing_entity_id: UUID
    external_id: str
    sequential_id: int
    slug: str
    name: str | None
    firstname: str | None
    lastname: str | None
    legal_name: str | None
    legal_number: str | None
    url: str | None
    logo_url: str | None
    phone: str | None
    email: str | None
    tax_identification_number: str | None
    external_salesforce_id: str | None
    customer_type: str | None
    account_type: str
    address: Address
    shipping_address: Address
    currency: str | None
    timezone: str | None
    net_payment_term: int | None
    finalize_zero_amount_invoice: str
    invoice_grace_period: int | None
    subscription_invoice_issuing_date_anchor: str | None
    subscription_invoice_issuing_date_adjustment: str | None
    document_locale: str | None
    payment_provider: str | None
    payment_provider_code: str | None
    payment_provider_id: UUID | None
    """The connection that they are linked to; None where they only name a provider."""
    provider_customer_id: str | None
    sync_with_provider: bool | None
    provider_payment_methods: Sequence[str] | None
    skip_invoice_custom_sections: bool
    metadata: tuple[Metadata, ...]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def drafts_end_at(self) -> datetime | None:
        """When the drafts of a deleted customer are finalized (subscriptions §1.10); None for a live one."""
        return None if self.deleted_at is None else self.deleted_at + DRAFTS_OUTLIVE

    @property
    def is_partner(self) -> bool:
        """Whether the customer sells for the organization and bills themselves (subscriptions §1.9)."""
        return self.account_type == "partner"

    def applicable_timezone(self, entity: BillingEntity) -> str:
        """The zone of every local date about this customer (subscriptions §1.1)."""
        return self.timezone or entity.timezone or "UTC"

    def issuing_rules(self, entity: BillingEntity) -> IssuingRules:
        """Grace, payment term and what the issuing date follows, resolved (subscriptions §1.5)."""
        own = self.invoice_grace_period, self.net_payment_term
        return IssuingRules(
            grace_days=entity.invoice_grace_period if own[0] is None else own[0],
            net_payment_term=entity.net_payment_term if own[1] is None else own[1],
            anchor=self.subscription_invoice_issuing_date_anchor
            or entity.subscription_invoice_issuing_date_anchor,
            adjustment=self.subscription_invoice_issuing_date_adjustment
            or entity.subscription_invoice_issuing_date_adjustment,
        )

    def finalizes_zero_amount_invoices(self, entity: BillingEntity) -> bool:
        """Whether an invoice without fees is issued at all (subscriptions §1.9)."""
        if self.finalize_zero_amount_invoice == "inherit":
            return entity.finalize_zero_amount_invoice
        return self.finalize_zero_amount_invoice == "finalize"

    @property
    def display_name(self) -> str:
        """What people call the customer."""
        person = " ".join(part for part in (self.firstname, self.lastname) if part)
        return self.name or self.legal_name or person or self.external_id


@value
class DraftDates:
    """A draft of a customer, as far as their terms date it."""

    id: UUID
    customer_id: UUID
    is_recurring: bool
    issuing_date: date
    expected_finalization_date: date
    payment_due_date: date
    net_payment_term: int


@value
class VatCheck:
    """A VAT number that waits for the register's answer; `attempts` counts those that got none."""

    id: UUID
    customer_id: UUID
    vat_number: str
    attempts: int


class Step(StrEnum):
    """What is asked of a provider about a customer who is linked to it, in the order in which it is asked (wallets-and-payments §12.2)."""

    CREATE = "create"
    IMPORT = "import"
    FOLLOW = "follow"
    FUND = "fund"
    SETUP = "setup"


@value
class LinkTask:
    """What is still to be asked of a customer's provider."""

    id: UUID
    customer_id: UUID
    steps: tuple[Step, ...]


@value
class Ask:
    """The next thing to be asked of a provider, and what it has to know for it."""

    task_id: UUID
    step: Step
    customer: Customer
    connection: Connection
    person: Person
    currency: str | None = None
    """In what money is sent to them, where that is asked for."""


@value
class FundingInstructions:
    """To which accounts a customer sends money in a currency; None until their provider has told it."""

    id: UUID
    customer_id: UUID
    currency: str
    accounts: Sequence[BankAccount] | None
    refused_at: datetime | None
    created_at: datetime


@value
class PaymentMethod:
    """A way in which a customer pays through a provider, as the provider's events have told (wallets-and-payments §13)."""

    id: UUID
    customer_id: UUID
    payment_provider: str
    payment_provider_code: str | None
    provider_customer_id: str | None
    provider_method_id: str
    payment_provider_id: UUID | None
    payment_provider_name: str | None
    """What the connection is called; None where it is by none."""
    details: Mapping[str, str]
    """What may be shown of it: `type`, `brand`, `last4`, `expires`."""
    is_default: bool
    created_at: datetime


PROVIDERS = ("stripe", "gocardless", "cashfree", "adyen", "flutterwave", "moneyhash")
"""Kinds of payment providers that a customer may name."""


@value
class Filters:
    """Which customers a list shows; None and empty mean any."""

    search_term: str | None = None
    external_id: str | None = None
    account_types: tuple[str, ...] = ()
    billing_entity_codes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    zipcodes: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    has_tax_identification_number: bool | None = None
    customer_type: str | None = None
    has_customer_type: bool | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    is_overdue: bool | None = None
    """Whether an invoice of theirs is due since before today and not paid."""
    least_subscriptions: int | None = None
    most_subscriptions: int | None = None
    """How many active ones they have."""


@value
class Balance:
    """What a customer has to pay in a currency, and what of it is overdue; in minor units."""

    currency: str
    due_cents: int
    overdue_cents: int


@value
class Standing:
    """How a customer stands: the subscriptions that run, and what is to be paid, the largest amount first."""

    active_subscriptions_count: int = 0
    balances: tuple[Balance, ...] = ()
