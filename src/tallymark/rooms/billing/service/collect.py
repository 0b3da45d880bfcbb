"""Collect an invoice through a payment provider when somebody asks for it (invoicing §10, wallets-and-payments §13).

No provider is connected in this release: a try is told to have failed, and there is no page to pay on. What is collected
through a registered one is the first invoice of a subscription that waits for it (gate.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.payment_providers.model import Outcome
from tallymark.rooms.payments.model import Payment

UNPAYABLE = (InvoiceStatus.DRAFT, InvoiceStatus.VOIDED)
WITHOUT_PAGE = "gocardless"
"""The one kind of provider that has no page to pay on."""


async def retry_payment(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Try to collect an invoice again. Raises `NotFound("invoice")` and `NotAllowed("invalid_status")`."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    if _is_over(invoice):
        raise NotAllowed("invalid_status")
    failure = payment_failure(
        invoice, await _customer(tx, invoice), code="customer_must_have_payment_provider"
    )
    await emit(tx, failure, now=now)


async def payment_url(tx: Tx, invoice_id: UUID) -> NoReturn:
    """Refuse a page to pay an invoice on, with the reason (invoicing §10). Raises `NotFound("invoice")` and `Invalid`."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    customer = await _customer(tx, invoice)
    if customer.payment_provider is None:
        raise Invalid({"base": ["no_linked_payment_provider"]})
    if customer.payment_provider == WITHOUT_PAGE:
        raise Invalid({"base": ["invalid_payment_provider"]})
    if _is_over(invoice):
        raise Invalid({"base": ["invalid_invoice_status_or_payment_status"]})
    raise Invalid({"base": ["missing_payment_provider"]})


def _is_over(invoice: Invoice) -> bool:
    return invoice.status in UNPAYABLE or invoice.payment_status == "succeeded"


async def _customer(tx: Tx, invoice: Invoice) -> Customer:
    return (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]


def payment_failure(
    invoice: Invoice,
    customer: Customer,
    *,
    code: str,
    payment: Payment | None = None,
    outcome: Outcome | None = None,
) -> Message:
    """What is told of an invoice that was not collected: why, and in the provider's words where it said so (§11.3)."""
    refused = outcome is not None and (outcome.error_code or outcome.error_message)
    told: dict[str, Any] = {
        "lago_invoice_id": str(invoice.id),
        "lago_customer_id": str(customer.id),
        "external_customer_id": customer.external_id,
        "provider_customer_id": payment.provider_customer_id if payment else None,
        "payment_provider": customer.payment_provider,
        "payment_provider_code": customer.payment_provider_code,
        "provider_error": {"message": outcome.error_message, "error_code": outcome.error_code}
        if outcome is not None and refused
        else None,
        "error_details": {"code": code},
    }
    name = "payment_provider_invoice_payment_error"
    return Message(
        webhook_type="invoice.payment_failure", object_type=name, object_id=invoice.id, payload={name: told}
    )
