"""Subscriptions that wait for the payment of their first invoice, and what follows from it (subscriptions §2.10).

Whatever comes of it comes once: the outcome of a payment and the end of the waiting take the customer's lock, and who comes
second finds that nobody waits any more. Money that arrives then is paid back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.jobs.agenda import Batch
from tallymark.jobs.outbox import emit
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.billing.service.failures import REFUSED, payment_failure
from tallymark.rooms.billing.service.ongoing import refresh_wallets
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import PaymentMethod
from tallymark.rooms.invoices import holding
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.payment_providers.model import Outcome
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import Payment
from tallymark.rooms.payments.service import CameIn, Wanted
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Reason, Status
from tallymark.rooms.wallets import service as wallets

NO_METHOD = "no_payment_method"
"""Why a payment failed that nobody could be asked for."""


async def follow_first_bill(tx: Tx, contracts: Iterable[Contract], *, now: datetime) -> None:
    """Have the first invoices of subscriptions that wait for them collected; what comes to nothing is paid already.

    One that waits for its taxes is asked for when they are known. Needs the customers' locks.
    """
    for contract in contracts:
        if contract.subscription.status is not Status.INCOMPLETE:
            continue
        invoice = await holding.first_invoice(tx, contract.subscription.id)
        if invoice is None or invoice.status in (InvoiceStatus.FINALIZED, InvoiceStatus.CLOSED):
            await subscriptions.let_in(tx, contract, now=now)
        elif invoice.status is InvoiceStatus.OPEN:
            await _ask(tx, contract, invoice, now=now)


async def _ask(tx: Tx, contract: Contract, invoice: Invoice, *, now: datetime) -> None:
    method = await _method(tx, contract)
    if method is None:
        await _lack(tx, contract, invoice, now=now)
    else:
        payable = await payments.payable_invoice(tx, invoice)
        await payments.ask_for(
            tx, Wanted(payable=payable, customer=contract.customer, method=method), now=now
        )


async def _lack(tx: Tx, contract: Contract, invoice: Invoice, *, now: datetime) -> None:
    """They had a method when the rule was set: without any, nobody would ever be asked."""
    await _give_up(tx, contract, Reason.PAYMENT_FAILED, now=now)
    await emit(tx, payment_failure(invoice, contract.customer, code=NO_METHOD), now=now)


async def _method(tx: Tx, contract: Contract) -> PaymentMethod | None:
    """By what a subscription is paid now: its own method, else the customer's default; none where it is paid by hand (§11.2)."""
    subscription = contract.subscription
    customer = contract.customer
    if (
        subscription.payment_method_type == "manual"
        or customer.is_partner
        or not customer.payment_provider_id
    ):
        return None
    return await customers.find_payment_method(tx, contract.customer.id, subscription.payment_method_id)


def waits(invoice: Invoice) -> bool:
    """Whether an invoice is one that a subscription waits for: it has to be paid before it is issued."""
    return invoice.status is InvoiceStatus.OPEN and invoice.invoice_type != "credit"


async def succeed(
    tx: Tx, payment: Payment, held: Invoice, outcome: Outcome, came_in: CameIn, *, now: datetime
) -> None:
    """Issue the invoice, note that it is paid, and let the subscription in, in this order."""
    contract = await _waiting(tx, held)
    invoice = await billing.issue_paid(tx, held, now=now)
    await settlements.pay(tx, invoice, came_in.kept_cents, now=now)
    await payments.note_succeeded(tx, payment, outcome, came_in, now=now)
    await subscriptions.let_in(tx, contract, now=now)
    await refresh_wallets(tx, [invoice.customer_id], now=now)


async def fail(tx: Tx, payment: Payment, held: Invoice, outcome: Outcome, *, now: datetime) -> None:
    """Call the subscription off, and tell why."""
    contract = await _waiting(tx, held)
    await payments.note_failed(tx, payment, outcome, now=now)
    await _give_up(tx, contract, Reason.PAYMENT_FAILED, now=now)
    failure = payment_failure(held, contract.customer, code=REFUSED, payment=payment, outcome=outcome)
    await emit(tx, failure, now=now)


async def lack_method(tx: Tx, held: Invoice, *, now: datetime) -> None:
    """Call the subscription off: its customer can't be asked any more."""
    await _lack(tx, await _waiting(tx, held), held, now=now)


async def _waiting(tx: Tx, invoice: Invoice) -> Contract:
    """The subscription that waits for an invoice."""
    (record,) = await invoices.records_of(tx, invoice.id)
    (contract,) = await subscriptions.live_contracts(tx, [record.subscription_id])
    return contract


async def expire(tx: Tx, batch: Batch, now: datetime) -> None:
    """Call off subscriptions that have waited long enough, with the payments that were asked for."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.subscription.status is Status.INCOMPLETE:
            await _give_up(tx, contract, Reason.TIMEOUT, now=now)


async def call_off(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Call off a subscription that waits, for its plan goes away; with it the payment that was asked for."""
    await _give_up(tx, contract, None, now=now)


async def _give_up(tx: Tx, contract: Contract, reason: Reason | None, *, now: datetime) -> None:
    """Close the invoice, give back all that it took of coupons, credit notes and wallets, and cancel the subscription."""
    invoice = await holding.first_invoice(tx, contract.subscription.id)
    if invoice is not None:
        pending = await payments.pending_of(tx, invoice.id)
        if pending is not None:
            await payments.give_up(tx, pending, now=now)
        await credit_notes.put_back(tx, invoice.id, now=now)
        await wallets.put_back(tx, invoice.id, now=now)
        await coupons.give_back(tx, invoice.id, now=now)
        await holding.close(tx, invoice, now=now)
    await subscriptions.give_up(tx, contract, reason, now=now)
    await refresh_wallets(tx, [contract.customer.id], now=now)
