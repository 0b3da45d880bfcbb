"""What an invoice is, and which changes of status are legal (invoicing §2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from tallymark.domain.calendar import InvoiceDates
from tallymark.domain.invoicing.explain import ExplainedFee
from tallymark.domain.values import value
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.fees.model import FeeRecord, PayableFee
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.subscriptions.model import SubscriptionView


class InvoiceStatus(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    PENDING = "pending"
    FAILED = "failed"
    FINALIZED = "finalized"
    CLOSED = "closed"
    VOIDED = "voided"
    DELETED = "deleted"
    OPEN = "open"


VISIBLE = (
    InvoiceStatus.DRAFT, InvoiceStatus.PENDING, InvoiceStatus.FAILED, InvoiceStatus.FINALIZED, InvoiceStatus.VOIDED,
)  # fmt: skip
"""Statuses that the API shows; others answer as if there were no invoice."""

CHANGES: dict[InvoiceStatus, frozenset[InvoiceStatus]] = {
    InvoiceStatus.DRAFT: frozenset(
        {
            InvoiceStatus.FINALIZED,
            InvoiceStatus.CLOSED,
            InvoiceStatus.PENDING,
            InvoiceStatus.OPEN,
            InvoiceStatus.DELETED,
        }
    ),
    InvoiceStatus.PENDING: frozenset(
        {
            InvoiceStatus.FINALIZED,
            InvoiceStatus.CLOSED,
            InvoiceStatus.FAILED,
            InvoiceStatus.PENDING,
            InvoiceStatus.OPEN,
        }
    ),
    InvoiceStatus.FAILED: frozenset({InvoiceStatus.PENDING}),
    InvoiceStatus.FINALIZED: frozenset({InvoiceStatus.VOIDED}),
    InvoiceStatus.OPEN: frozenset({InvoiceStatus.FINALIZED, InvoiceStatus.CLOSED}),
    InvoiceStatus.CLOSED: frozenset(),
    InvoiceStatus.VOIDED: frozenset(),
    InvoiceStatus.DELETED: frozenset(),
}
"""Which status may follow which. An invoice that waits for its taxes may go on waiting for them; one that has to be paid
before it is issued is open once they are known.
"""


def check_change(status: InvoiceStatus, to: InvoiceStatus) -> None:
    """State that a change of status is a legal one; any other is a defect of the caller."""
    if to not in CHANGES[status]:
        raise AssertionError(f"an invoice that is {status} does not become {to}")


PROGRESSIVE_TYPE = "progressive_billing"
"""The type of invoices of usage that passed a threshold, made before its period ends."""

REGENERABLE_TYPES = ("subscription", "one_off", "credit")
"""The types of invoices that are made anew once they are void; others come of what they were for."""


class Reason(StrEnum):
    """Why a subscription is on an invoice."""

    STARTING = "subscription_starting"
    PERIODIC = "subscription_periodic"
    TERMINATING = "subscription_terminating"
    IN_ADVANCE = "in_advance_charge"
    IN_ADVANCE_PERIODIC = "in_advance_charge_periodic"
    PROGRESSIVE = "progressive_billing"


@value
class AppliedTaxRecord:
    """A tax as it was applied to an invoice; `fees_amount_cents` is the base it was taken of."""

    id: UUID
    invoice_id: UUID
    tax_id: UUID
    tax_code: str
    tax_name: str
    tax_description: str | None
    tax_rate: Decimal
    currency: str
    amount_cents: int
    fees_amount_cents: int
    created_at: datetime


@value
class AppliedSection:
    """A custom section as it was copied onto an invoice."""

    id: UUID
    invoice_id: UUID
    code: str
    name: str
    display_name: str | None
    details: str | None
    created_at: datetime


@value
class CreditLine:
    """What was deducted from an invoice, in minor units, and what it came from as the invoice shows it."""

    id: UUID
    invoice_id: UUID
    credit_note_id: UUID | None
    coupon_id: UUID | None
    progressive_invoice_id: UUID | None
    amount_cents: int
    currency: str
    before_taxes: bool
    item_type: str
    item_code: str
    item_name: str
    item_description: str | None
    created_at: datetime


@value
class MetadataInput:
    """A note to be written on an invoice; `id` names the one that it replaces."""

    id: UUID | None
    key: str
    value: str


@value
class MetadataRecord:
    """A note on an invoice."""

    id: UUID
    invoice_id: UUID
    key: str
    value: str
    created_at: datetime


@value
class AppliedThreshold:
    """A usage threshold as it was when a progressive invoice was made for it.

    `level_cents` is the lifetime usage at which it stood, `lifetime_usage_amount_cents` what usage had come to.
    """

    id: UUID
    invoice_id: UUID
    subscription_id: UUID
    charges_from_at: datetime
    level_cents: int
    lifetime_usage_amount_cents: int
    usage_threshold_id: UUID
    amount_cents: int
    threshold_display_name: str | None
    recurring: bool
    threshold_created_at: datetime
    threshold_updated_at: datetime
    created_at: datetime


@value
class BillingRecord:
    """What an invoice bills of one subscription: why, as of when, and which windows (half-open; `wire_*` as shown)."""

    id: UUID
    invoice_id: UUID
    subscription_id: UUID
    invoicing_reason: Reason
    is_recurring: bool
    billing_day: date
    billed_at: datetime
    from_at: datetime
    to_at: datetime
    charges_from_at: datetime | None
    charges_to_at: datetime | None
    fixed_charges_from_at: datetime | None
    fixed_charges_to_at: datetime | None
    wire_to_at: datetime
    wire_charges_to_at: datetime | None
    wire_fixed_charges_to_at: datetime | None
    created_at: datetime


@value
class Invoice:
    """An invoice without its lines. All amounts in the currency's minor unit, dates in the customer's zone."""

    id: UUID
    customer_id: UUID
    billing_entity_id: UUID
    number: str
    sequential_id: int | None
    entity_sequential_id: int | None
    invoice_type: str
    status: InvoiceStatus
    payment_status: str
    currency: str
    timezone: str
    billing_day: date
    billed_at: datetime
    issuing_date: date
    expected_finalization_date: date
    payment_due_date: date
    net_payment_term: int
    payment_overdue: bool
    self_billed: bool
    is_recurring: bool
    purchase_order_number: str | None
    fees_amount_cents: int
    progressive_billing_credit_amount_cents: int
    coupons_amount_cents: int
    sub_total_excluding_taxes_amount_cents: int
    taxes_amount_cents: int
    sub_total_including_taxes_amount_cents: int
    credit_notes_amount_cents: int
    prepaid_credit_amount_cents: int
    prepaid_granted_credit_amount_cents: int | None
    prepaid_purchased_credit_amount_cents: int | None
    total_amount_cents: int
    total_paid_amount_cents: int
    offset_amount_cents: int
    taxes_rate: Decimal
    file_key: str | None
    xml_key: str | None
    finalized_at: datetime | None
    voided_at: datetime | None
    payment_dispute_lost_at: datetime | None
    payment_attempts: int
    skip_psp: bool
    """Whether its maker wants no provider asked for it."""
    payment_method_type: str | None
    payment_method_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @property
    def dates(self) -> InvoiceDates:
        """Its three local days."""
        return InvoiceDates(
            issuing_date=self.issuing_date,
            expected_finalization_date=self.expected_finalization_date,
            payment_due_date=self.payment_due_date,
        )

    @property
    def total_due_amount_cents(self) -> int:
        """What is still to be paid."""
        if self.status is InvoiceStatus.VOIDED:
            return 0
        return self.total_amount_cents - self.total_paid_amount_cents - self.offset_amount_cents


@value
class Settled:
    """What lowered the amount due of an invoice once it was issued: a payment, or the offset of a credit note, with its number."""

    amount_cents: int
    at: datetime
    payment_type: str | None = None
    reference: str | None = None
    credit_note_number: str | None = None


@value
class InvoiceView:
    """An invoice with all that hangs on it; what has settled it is read for its document alone."""

    invoice: Invoice
    customer: Customer
    billing_entity: BillingEntity
    customer_entity: BillingEntity
    applied_taxes: tuple[AppliedTaxRecord, ...]
    records: tuple[BillingRecord, ...] = ()
    subscriptions: tuple[SubscriptionView, ...] = ()
    fees: tuple[FeeRecord, ...] = ()
    sections: tuple[AppliedSection, ...] = ()
    credits: tuple[CreditLine, ...] = ()
    metadata: tuple[MetadataRecord, ...] = ()
    applied_thresholds: tuple[AppliedThreshold, ...] = ()
    settled: tuple[Settled, ...] = ()


@value
class Written:
    """The fees of an invoice that this transaction wrote: who goes on with it need not read them again."""

    payable: Sequence[PayableFee]
    explained: Sequence[ExplainedFee]


WrittenOf = Mapping[UUID, Written]

NOTHING_WRITTEN: WrittenOf = MappingProxyType({})


@value
class ProgressiveRecord:
    """A progressive invoice, and whose charges window it is for."""

    invoice: Invoice
    subscription_id: UUID
    charges_from_at: datetime

    @property
    def stands(self) -> bool:
        """Whether it is issued, or waits for its taxes only."""
        return self.invoice.status in (InvoiceStatus.FINALIZED, InvoiceStatus.PENDING)


@value
class Draw:
    """What an invoice took over of a progressive one, in minor units; `stands` tells whether it still counts."""

    source_id: UUID
    invoice_id: UUID
    amount_cents: int
    stands: bool


@value
class Files:
    """Where a document is kept: as a PDF, and as an electronic invoice where its issuer makes these."""

    pdf: str
    xml: str | None


@value
class Filters:
    """Which invoices a list shows; None and empty mean any. Bounds are inclusive, amounts in minor units."""

    external_customer_id: str | None = None
    customer_id: UUID | None = None
    """One customer, and no other one who had the same external id before."""
    currency: str | None = None
    invoice_type: str | None = None
    statuses: tuple[str, ...] = ()
    payment_statuses: tuple[str, ...] = ()
    payment_overdue: bool | None = None
    self_billed: bool | None = None
    partially_paid: bool | None = None
    issuing_date_from: date | None = None
    issuing_date_to: date | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    billing_entity_codes: tuple[str, ...] = ()
    purchase_order_number: str | None = None
    settlements: tuple[str, ...] = ()
    """Kinds of settlements that an invoice has any of."""
    search_term: str | None = None
    payment_dispute_lost: bool | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    """Pairs that must all match; an empty value means that the invoice lacks the key."""
