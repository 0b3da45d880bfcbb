"""Collect an invoice through a payment provider when somebody asks for it (invoicing §10, wallets-and-payments §11.3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed
from tallymark.jobs.outbox import emit
from tallymark.rooms.billing.service.asking import ask
from tallymark.rooms.billing.service.failures import payment_failure
from tallymark.rooms.billing.service.one_off import check_method
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.collecting import can_be_collected
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.payments import service as payments
from tallymark.rooms.subscriptions.model import PaidBy

UNPAYABLE = (InvoiceStatus.DRAFT, InvoiceStatus.VOIDED)


async def retry_payment(tx: Tx, invoice_id: UUID, *, paid_by: PaidBy | None = None, now: datetime) -> None:
    """Try to collect an invoice again, by what somebody wants it to be paid by this time.

    A provider that did not answer is asked again with the same key. Who is linked to none is told to have failed; where there is no
    method nobody is asked. Raises, in this order, `NotFound("invoice")`, `NotAllowed("invalid_status")`,
    `NotAllowed("payment_processor_is_currently_handling_payment")`, and `Invalid` for a method that is not the customer's.
    """
    found = await invoices.get_invoice(tx, invoice_id)
    await tx.lock("customer", found.customer_id)
    invoice = await invoices.get_invoice(tx, invoice_id)
    if _is_over(invoice):
        raise NotAllowed("invalid_status")
    if await payments.is_processing(tx, invoice.id):
        raise NotAllowed("payment_processor_is_currently_handling_payment")
    await check_method(tx, invoice.customer_id, paid_by)
    customer = await _customer(tx, invoice)
    if customer.payment_provider_id is None:
        failure = payment_failure(invoice, customer, code="customer_must_have_payment_provider")
        await emit(tx, failure, now=now)
        return
    if not can_be_collected(invoice) or customer.is_partner:
        return
    waiting = await payments.pending_of(tx, invoice.id)
    if waiting is not None and paid_by is None:
        await payments.ask_again(tx, waiting, now=now)
        return
    if waiting is not None:
        await payments.give_up(tx, waiting, now=now)
    await ask(tx, [invoice], {customer.id: customer}, paid_by=paid_by, now=now)


def _is_over(invoice: Invoice) -> bool:
    return invoice.status in UNPAYABLE or invoice.payment_status == "succeeded"


async def _customer(tx: Tx, invoice: Invoice) -> Customer:
    return (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]
