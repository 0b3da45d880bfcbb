"""What is told of money that did not come: of an invoice, and of the credits that it would have bought (wallets-and-payments §11.3, §21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tallymark.jobs.outbox import Message
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.payment_providers.model import Outcome
from tallymark.rooms.payment_requests.model import PaymentRequest
from tallymark.rooms.payments.model import Payment
from tallymark.rooms.wallets.model import Transaction

REFUSED = "payment_refused"
"""Why a payment failed that a provider was asked for; its own words come with it."""

NO_PAGE = "payment_page_refused"
"""Why there is no page to pay on; the provider's words come with it."""

AUTHENTICATION = "authentication_required"
"""A refusal for want of the customer's own word, which is told as such by whoever waits for it."""


def payment_failure(
    invoice: Invoice,
    customer: Customer,
    *,
    code: str,
    payment: Payment | None = None,
    outcome: Outcome | None = None,
) -> Message:
    """What is told of an invoice that was not collected: why, and in the provider's words where it said so (§11.3)."""
    name = "payment_provider_invoice_payment_error"
    told = {
        "lago_invoice_id": str(invoice.id),
        **_error(customer, payment, outcome),
        "error_details": {"code": code},
    }
    return Message(
        webhook_type="invoice.payment_failure", object_type=name, object_id=invoice.id, payload={name: told}
    )


def purchase_failure(
    purchase: Transaction, customer: Customer, *, payment: Payment | None = None, outcome: Outcome
) -> Message:
    """The same of credits that were to be bought (§5.8)."""
    name = "payment_provider_wallet_transaction_payment_error"
    told = {"lago_wallet_transaction_id": str(purchase.id), **_error(customer, payment, outcome)}
    kind = "wallet_transaction.payment_failure"
    return Message(webhook_type=kind, object_type=name, object_id=purchase.id, payload={name: told})


def request_failure(
    request: PaymentRequest,
    invoice_ids: Sequence[UUID],
    customer: Customer,
    *,
    payment: Payment | None = None,
    outcome: Outcome,
) -> Message:
    """The same of a payment request (§16)."""
    name = "payment_provider_payment_request_payment_error"
    told = {
        "lago_payment_request_id": str(request.id),
        "lago_invoice_ids": [str(one) for one in invoice_ids],
        **_error(customer, payment, outcome),
    }
    kind = "payment_request.payment_failure"
    return Message(webhook_type=kind, object_type=name, object_id=request.id, payload={name: told})


def _error(customer: Customer, payment: Payment | None, outcome: Outcome | None) -> dict[str, Any]:
    refused = outcome is not None and (outcome.error_code or outcome.error_message)
    return {
        "lago_customer_id": str(customer.id),
        "external_customer_id": customer.external_id,
        "provider_customer_id": payment.provider_customer_id if payment else customer.provider_customer_id,
        "payment_provider": payment.payment_provider if payment else customer.payment_provider,
        "payment_provider_code": payment.payment_provider_code if payment else customer.payment_provider_code,
        "provider_error": {"message": outcome.error_message, "error_code": outcome.error_code}
        if outcome is not None and refused
        else None,
    }
