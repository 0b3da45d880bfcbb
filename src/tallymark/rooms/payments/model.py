"""What a payment and its receipt are (wallets §10, §18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices.model import Invoice, InvoiceView
from tallymark.rooms.payment_providers.model import Order, PaymentStatus, RefundOrder

LONGEST_REFERENCE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Payable:
    """What is to be paid, and how a provider is told of it: an invoice, or the invoices of a payment request.

    `due_cents` is what is due of it now, `title` what it is called on a page.
    """

    type: str
    id: UUID
    customer_id: UUID
    currency: str
    due_cents: int
    title: str
    reference: str
    metadata: Mapping[str, str]

    @property
    def columns(self) -> dict[str, Any]:
        """By what a payment says what it is for."""
        is_invoice = self.type == "Invoice"
        return {
            "invoice_id": self.id if is_invoice else None,
            "payment_request_id": None if is_invoice else self.id,
            "payable_type": self.type,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money for an invoice or for those of a payment request, in minor units; `created_at` is when it was paid."""

    id: UUID
    customer_id: UUID
    invoice_id: UUID | None
    payment_request_id: UUID | None
    payable_type: str
    payment_type: str
    status: str
    payment_status: str
    amount_cents: int
    currency: str
    reference: str | None
    payment_provider: str | None
    payment_provider_code: str | None
    provider_customer_id: str | None
    provider_payment_id: str | None
    payment_provider_id: UUID | None
    error_code: str | None
    error_message: str | None
    next_action: Mapping[str, Any] | None
    asked_at: datetime | None
    """When its provider was first asked; its amount stays from then on."""
    surplus_cents: int
    """What came in beyond what was due by then, and goes back; no part of the amount."""
    surplus_returned_at: datetime | None
    payment_method_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @property
    def idempotency_key(self) -> str:
        """By what a provider knows that it was asked for this payment before."""
        return f"payment-{self.id}"

    @property
    def is_over(self) -> bool:
        """Whether it came in or was refused: neither changes any more."""
        return self.payment_status in (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED)

    @property
    def payable_id(self) -> UUID:
        """What was paid: an invoice, or a payment request."""
        found = self.invoice_id or self.payment_request_id
        assert found is not None, "a payment is for something"
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a provider is asked for, and through which connection."""

    order: Order
    connection_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAsked:
    """What a provider is asked to pay back, and through which connection."""

    order: RefundOrder
    connection_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLink:
    """A page on which an invoice, or what a payment request asks for, is paid once (minor units)."""

    id: UUID
    invoice_id: UUID | None
    payment_request_id: UUID | None
    payment_provider_id: UUID
    url: str
    provider_link_id: str | None
    amount_cents: int
    expires_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment, who paid, and which invoices."""

    payment: Payment
    customer: Customer
    invoices: tuple[Invoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The paper for a payment."""

    id: UUID
    payment_id: UUID
    customer_id: UUID
    sequential_id: int
    number: str
    file_key: str | None
    xml_key: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A receipt with its payment."""

    receipt: Receipt
    payment: PaymentView


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPart:
    """What of a payment was for one invoice (minor units)."""

    invoice: Invoice
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptDocument:
    """What a receipt prints: the payment, its invoice, and what had been paid of that before (minor units).

    `offsets` are what credit notes had taken off what is due, each with its number. Of a payment request there are `parts`,
    what was paid of each of its invoices; `invoice` is the first of them then.
    """

    receipt: Receipt
    payment: Payment
    invoice: InvoiceView
    paid_before_cents: int
    offsets: tuple[tuple[str, int], ...]
    parts: tuple[PaidPart, ...] = ()

    @property
    def remaining_cents(self) -> int:
        """What was still due once it was paid."""
        offset = sum(cents for _, cents in self.offsets)
        total = self.invoice.invoice.total_amount_cents
        return total - offset - self.paid_before_cents - self.payment.amount_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInput:
    """A payment as it is reported; the values are as they were sent, and checked in the order of wallets §10."""

    invoice_id: object
    amount_cents: object
    reference: object
    paid_at: object = None
    payment_request_id: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which payments or receipts a list shows; None means any."""

    external_customer_id: str | None = None
    customer_id: UUID | None = None
    """One customer, and no other one who had the same external id before."""
    invoice_id: UUID | None = None
    billing_entity_codes: tuple[str, ...] = ()
    """Whose invoices were paid."""
    search_term: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of a payment that is paid back for a credit note (minor units); `status` is its provider's word."""

    id: UUID
    credit_note_id: UUID
    payment_id: UUID
    payment_provider_id: UUID
    amount_cents: int
    currency: str
    status: str
    refund_status: str
    provider_refund_id: str | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestPayment:
    """The payment that came in last for an invoice, and what of it is for that invoice and was not paid back (minor units)."""

    payment: Payment
    left_cents: int
