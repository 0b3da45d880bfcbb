"""How payment requests look on the wire (wallets §16)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from tallymark.api.links import Links
from tallymark.api.pagination import Meta
from tallymark.api.validation import Emails
from tallymark.api.wire import Input, Instant, Name, NotEmpty
from tallymark.rooms.customers.schemas import CustomerOutput
from tallymark.rooms.invoices.schemas import InvoiceListOutput
from tallymark.rooms.payment_requests.model import NewRequest, RequestView
from tallymark.rooms.subscriptions.schemas import PaymentMethodInput


class RequestInput(Input):
    external_customer_id: Name
    lago_invoice_ids: list[Any] = Field(default_factory=list)
    email: Emails = None
    payment_method: PaymentMethodInput = None

    def to_value(self) -> NewRequest:
        """The request that is asked for."""
        return NewRequest(
            external_customer_id=self.external_customer_id,
            invoice_ids=tuple(self.lago_invoice_ids),
            email=self.email,
            paid_by=None if self.payment_method is None else self.payment_method.to_value(),
        )


class NewPaymentRequest(BaseModel):
    payment_request: Annotated[RequestInput, NotEmpty]


class RequestOutput(BaseModel):
    lago_id: UUID
    email: str | None
    amount_cents: int
    amount_currency: str
    payment_status: str
    created_at: Instant
    customer: CustomerOutput
    invoices: list[InvoiceListOutput]

    @classmethod
    def of(cls, view: RequestView, links: Links) -> RequestOutput:
        """Show a request with its customer and invoices."""
        request = view.request
        return cls(
            lago_id=request.id,
            email=request.email,
            amount_cents=request.amount_cents,
            amount_currency=request.currency,
            payment_status=request.payment_status,
            created_at=request.created_at,
            customer=CustomerOutput.of(view.customer, view.customer_entity),
            invoices=[InvoiceListOutput.of(invoice, links) for invoice in view.invoices],
        )


class RequestResponse(BaseModel):
    payment_request: RequestOutput


class RequestsResponse(BaseModel):
    payment_requests: list[RequestOutput]
    meta: Meta
