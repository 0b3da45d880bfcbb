"""How payments and receipts look on the wire (wallets §10, §18)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, NotEmpty
from tallymark.rooms.invoices.schemas import Link
from tallymark.rooms.payments.model import PaymentInput, PaymentView, ReceiptView


class PaymentOutput(BaseModel):
    lago_id: UUID
    lago_customer_id: UUID
    external_customer_id: str
    invoice_ids: list[UUID]
    invoice_numbers: list[str]
    lago_payable_id: UUID
    payable_type: str
    amount_cents: int
    amount_currency: str
    status: str
    payment_status: str
    type: str
    reference: str | None
    payment_provider_code: str | None
    payment_provider_type: str | None
    external_payment_id: str | None
    provider_payment_id: str | None
    provider_customer_id: str | None
    payment_method_id: UUID | None
    next_action: dict[str, Any]
    created_at: Instant

    @classmethod
    def of(cls, view: PaymentView) -> PaymentOutput:
        """Show a payment; what is a provider's is null of one that was made by hand."""
        payment = view.payment
        return cls(
            payment_provider_code=payment.payment_provider_code,
            payment_provider_type=payment.payment_provider,
            external_payment_id=payment.provider_payment_id,
            provider_payment_id=payment.provider_payment_id,
            provider_customer_id=payment.provider_customer_id,
            payment_method_id=payment.payment_method_id,
            lago_id=payment.id,
            lago_customer_id=view.customer.id,
            external_customer_id=view.customer.external_id,
            invoice_ids=[invoice.id for invoice in view.invoices],
            invoice_numbers=[invoice.number for invoice in view.invoices],
            lago_payable_id=payment.payable_id,
            payable_type=payment.payable_type,
            amount_cents=payment.amount_cents,
            amount_currency=payment.currency,
            status=payment.status,
            payment_status=payment.payment_status,
            type=payment.payment_type,
            reference=payment.reference,
            next_action=dict(payment.next_action or {}),
            created_at=payment.created_at,
        )


class ListedPaymentOutput(PaymentOutput):
    customer_name: str
    """What people call the customer."""

    @classmethod
    def of(cls, view: PaymentView) -> ListedPaymentOutput:
        """Show a payment in a list."""
        return cls(**dict(PaymentOutput.of(view)), customer_name=view.customer.display_name)


class ReceiptOutput(BaseModel):
    lago_id: UUID
    number: str
    file_url: str | None
    xml_url: str | None
    payment: PaymentOutput
    created_at: Instant

    @classmethod
    def of(cls, view: ReceiptView, link: Link) -> ReceiptOutput:
        """Show a receipt with its payment."""
        receipt = view.receipt
        return cls(
            lago_id=receipt.id,
            number=receipt.number,
            file_url=link(receipt.file_key),
            xml_url=link(receipt.xml_key),
            payment=PaymentOutput.of(view.payment),
            created_at=receipt.created_at,
        )


class PaymentInputObject(Input):
    """What is sent is checked by the service, in the order that the contract tells."""

    invoice_id: Any = None
    payment_request_id: Any = None
    amount_cents: Any = None
    reference: Any = None
    paid_at: Any = None

    def to_value(self) -> PaymentInput:
        """The payment that is reported."""
        return PaymentInput(
            invoice_id=self.invoice_id,
            payment_request_id=self.payment_request_id,
            amount_cents=self.amount_cents,
            reference=self.reference,
            paid_at=self.paid_at,
        )


class PaymentRequest(BaseModel):
    payment: Annotated[PaymentInputObject, NotEmpty]


class PaymentResponse(BaseModel):
    payment: PaymentOutput


class PaymentsResponse(BaseModel):
    payments: list[ListedPaymentOutput]
    meta: Meta


class ReceiptResponse(BaseModel):
    payment_receipt: ReceiptOutput


class ReceiptsResponse(BaseModel):
    payment_receipts: list[ReceiptOutput]
    meta: Meta
