"""The doors to what the app shows of payments beside themselves: what they paid, what their provider tells of them, and what was paid back."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.context import Context, InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import Instant, read_id
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.schemas import PaymentMethodOutput
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payments import service
from tallymark.rooms.payments.model import PaidPart, Payment, Refund

router = member_router("app: payments")


class PaidInvoiceOutput(BaseModel):
    lago_id: UUID
    number: str
    issuing_date: date
    payment_due_date: date
    status: str
    payment_status: str
    payment_overdue: bool
    payment_dispute_lost_at: Instant | None
    currency: str
    total_amount_cents: int
    total_paid_amount_cents: int
    total_due_amount_cents: int
    paid_amount_cents: int
    """What this payment paid of it: nothing, as long as it has not succeeded."""

    @classmethod
    def of(cls, part: PaidPart) -> PaidInvoiceOutput:
        """Show an invoice, and what a payment paid of it."""
        invoice = part.invoice
        return cls(
            lago_id=invoice.id,
            number=invoice.number,
            issuing_date=invoice.issuing_date,
            payment_due_date=invoice.payment_due_date,
            status=invoice.status,
            payment_status=invoice.payment_status,
            payment_overdue=invoice.payment_overdue,
            payment_dispute_lost_at=invoice.payment_dispute_lost_at,
            currency=invoice.currency,
            total_amount_cents=invoice.total_amount_cents,
            total_paid_amount_cents=invoice.total_paid_amount_cents,
            total_due_amount_cents=invoice.total_due_amount_cents,
            paid_amount_cents=part.amount_cents,
        )


class PaidInvoicesResponse(BaseModel):
    invoices: list[PaidInvoiceOutput]


class PaymentCollectionOutput(BaseModel):
    """What a provider tells of a payment; all of it is null of one that was recorded by hand."""

    payment_provider_name: str | None
    """What the connection is called through which it was asked for, be it deleted since."""
    payment_method: PaymentMethodOutput | None
    """By what it was to be paid, be it forgotten since; null for whom may not see payment methods, too."""
    error_code: str | None
    """Why it was refused, in the provider's words, as is the message."""
    error_message: str | None


class PaymentCollectionResponse(BaseModel):
    collection: PaymentCollectionOutput


class InvoiceCollectionOutput(BaseModel):
    """The payment by which a provider collects an invoice, or did or tried to last, alone or with others."""

    lago_payment_id: UUID
    payment_provider: str | None
    amount_cents: int
    currency: str
    payment_status: str
    next_action: dict[str, Any]
    """What the customer has to do; empty where that is nothing."""
    error_code: str | None
    """Why it was refused, in the provider's words, as is the message."""
    error_message: str | None
    created_at: Instant
    """When it was asked for, or came in."""

    @classmethod
    def of(cls, payment: Payment) -> InvoiceCollectionOutput:
        """Show how it stands."""
        same = ("payment_provider", "amount_cents", "currency", "payment_status", "error_code", "error_message")  # fmt: skip
        return cls(
            **{name: getattr(payment, name) for name in same},
            lago_payment_id=payment.id,
            next_action=dict(payment.next_action or {}),
            created_at=payment.created_at,
        )


class InvoiceCollectionResponse(BaseModel):
    collection: InvoiceCollectionOutput | None
    """Null where no provider was asked."""


class RefundOutput(BaseModel):
    """Money of a payment that its provider was asked to pay back for a credit note."""

    lago_payment_id: UUID
    payment_provider: str | None
    amount_cents: int
    currency: str
    status: str
    """In the provider's word."""
    refund_status: str
    provider_refund_id: str | None
    error_code: str | None
    error_message: str | None

    @classmethod
    def of(cls, refund: Refund, payment: Payment) -> RefundOutput:
        """Show what became of it."""
        same = ("amount_cents", "currency", "status", "refund_status", "provider_refund_id")
        return cls(
            **{name: getattr(refund, name) for name in same},
            lago_payment_id=payment.id,
            payment_provider=payment.payment_provider,
            error_code=refund.error_code,
            error_message=refund.error_message,
        )


class RefundResponse(BaseModel):
    refund: RefundOutput | None
    """Null where nobody was asked: such money is paid back by hand."""


@router.get("/payments/{lago_id}/invoices")
@permitted("payments:view")
async def list_paid_invoices(lago_id: str, context: InContext) -> PaidInvoicesResponse:
    """Tell which invoices a payment is of, how they stand now, and what it paid of each (ui §3.4)."""
    async with context.transaction() as tx:
        payment = await service.get_payment(tx, read_id(lago_id, "payment"))
        parts = await service.get_parts(tx, payment)
    return PaidInvoicesResponse(invoices=[PaidInvoiceOutput.of(part) for part in parts])


@router.get("/payments/{lago_id}/collection")
@permitted("payments:view")
async def get_collection(lago_id: str, context: InContext) -> PaymentCollectionResponse:
    """Tell through which connection and by what a payment was asked for, and why it was refused (ui §3.4)."""
    async with context.transaction() as tx:
        payment = await service.get_payment(tx, read_id(lago_id, "payment"))
        name, method = None, None
        if payment.payment_provider_id is not None:
            name = await payment_providers.name_of(tx, payment.payment_provider_id)
        if payment.payment_method_id is not None and _may_see_methods(context):
            method = PaymentMethodOutput.of(await customers.get_payment_method(tx, payment.payment_method_id))
    shown = PaymentCollectionOutput(
        payment_provider_name=name,
        payment_method=method,
        error_code=payment.error_code,
        error_message=payment.error_message,
    )
    return PaymentCollectionResponse(collection=shown)


def _may_see_methods(context: Context) -> bool:
    return context.member is not None and "payment_methods:view" in context.member.permissions


@router.get("/invoices/{lago_id}/collection")
@permitted("payments:view")
async def get_invoice_collection(lago_id: str, context: InContext) -> InvoiceCollectionResponse:
    """Tell how the latest payment of an invoice that a provider was asked for stands (ui §3.3)."""
    async with context.transaction() as tx:
        payment = await service.latest_collected(tx, read_id(lago_id, "invoice"))
    shown = None if payment is None else InvoiceCollectionOutput.of(payment)
    return InvoiceCollectionResponse(collection=shown)


@router.get("/credit_notes/{lago_id}/refund")
@permitted("credit_notes:view")
async def get_refund(lago_id: str, context: InContext) -> RefundResponse:
    """Tell what became of the money that a provider was asked to pay back for a credit note (ui §3.5)."""
    async with context.transaction() as tx:
        note = await credit_notes.get_note(tx, read_id(lago_id, "credit_note"))
        refund = await service.refund_of(tx, note.id)
        if refund is None:
            return RefundResponse(refund=None)
        payment = (await service.get_payments(tx, [refund.payment_id]))[refund.payment_id]
    return RefundResponse(refund=RefundOutput.of(refund, payment))
