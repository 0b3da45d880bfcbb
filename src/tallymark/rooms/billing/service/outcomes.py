"""Payments of invoices through a provider: asked for what is due by then, and what follows from what comes of it (wallets-and-payments §11.3).

Whatever is told, at once or later, once or more often, takes the customer's lock and finds what others did meanwhile. Money is
taken for what is due, and no more: what comes in beyond that, or for what nobody owes any more, goes back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.agenda import Batch, Kind
from tallymark.jobs.outbox import emit
from tallymark.rooms.billing.service import gate, together
from tallymark.rooms.billing.service.asking import ask_due, can_be_asked, is_heard
from tallymark.rooms.billing.service.failures import (
    AUTHENTICATION,
    REFUSED,
    payment_failure,
    purchase_failure,
)
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import collecting
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.collecting import can_be_collected
from tallymark.rooms.invoices.model import VISIBLE, Invoice
from tallymark.rooms.payment_providers.model import Connection, Outcome, PaymentStatus, PaymentTold
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import Asked, Payment, RefundAsked
from tallymark.rooms.payments.service import CameIn, Wanted
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.wallets import service as wallets


async def begin(tx: Tx, payment_id: UUID, *, now: datetime) -> Asked | None:
    """What to ask a payment's provider for, of what is due by now; None where nothing is to be asked.

    One that nobody was asked for, and that nobody owes any more, or that could not be asked for, is taken away; one that its
    provider may know of is called off.
    """
    payment = await _lock(tx, payment_id)
    if payment is None or payment.payment_status != PaymentStatus.PENDING:
        return None
    if payment.invoice_id is None:
        return await together.begin(tx, payment, now=now)
    invoice = await _invoice(tx, payment)
    if not (can_be_collected(invoice) or gate.waits(invoice)):
        await payments.give_up(tx, payment, now=now)
        return None
    if payment.asked_at is None and not await can_be_asked(tx, payment):
        await payments.drop(tx, payment)
        if gate.waits(invoice):
            await gate.lack_method(tx, invoice, now=now)
        return None
    payable = await payments.payable_invoice(tx, invoice)
    if payment.asked_at is None:
        # Asked again with the same key it is the same attempt.
        await collecting.count_attempt(tx, invoice.id, now=now)
    payment = await payments.begin(tx, payment, payable, now=now)
    asked = await payments.order_of(tx, payment)
    return replace(asked, order=replace(asked.order, waits_for_customer=gate.waits(invoice)))


async def unwanted(tx: Tx, payment_id: UUID) -> Asked | RefundAsked | None:
    """What to have a payment's provider cancel or pay back: all of one that failed, what is too much of one that came in."""
    payment = await payments.find(tx, payment_id)
    if payment is None:
        return None
    if payment.payment_status == PaymentStatus.SUCCEEDED:
        return payments.surplus_of(payment)
    return await payments.order_of(tx, payment) if payment.payment_status == PaymentStatus.FAILED else None


async def record_outcome(
    tx: Tx,
    payment_id: UUID,
    outcome: Outcome,
    *,
    cents: int | None = None,
    is_told: bool = False,
    now: datetime,
) -> None:
    """Do what follows from what a provider says of a payment; the same word again changes nothing (§11.5).

    `cents` is what came in, where the provider says so; `is_told` whether it says so by itself, later.
    """
    payment = await _lock(tx, payment_id)
    if payment is None:
        return
    if payment.invoice_id is None:
        await together.record(tx, payment, outcome, cents=cents, is_told=is_told, now=now)
        return
    invoice = await _invoice(tx, payment)
    match outcome.payment_status:
        case PaymentStatus.SUCCEEDED if payment.payment_status != PaymentStatus.SUCCEEDED:
            came_in = payment.amount_cents if cents is None else cents
            await _succeed(tx, payment, invoice, outcome, came_in=came_in, now=now)
        case _ if payment.is_over:
            pass
        case PaymentStatus.FAILED if gate.waits(invoice):
            await gate.fail(tx, payment, invoice, outcome, now=now)
        case PaymentStatus.FAILED:
            await _fail(tx, payment, invoice, outcome, is_told=is_told, now=now)
        case _:
            await payments.note_undecided(tx, payment, outcome, now=now)
            if invoice.payment_status == PaymentStatus.FAILED:
                await settlements.set_payment_status(tx, invoice, "pending", is_told=is_told, now=now)


async def _succeed(
    tx: Tx, payment: Payment, invoice: Invoice, outcome: Outcome, *, came_in: int, now: datetime
) -> None:
    """Take what is due of the money, and have the rest go back: all of it where nobody waits for it any more."""
    kept = min(came_in, invoice.total_due_amount_cents) if await _is_wanted(tx, payment, invoice) else 0
    if kept <= 0:
        gone = replace(outcome, status=payments.CANCELED)
        await payments.note_failed(tx, payment, gone, now=now)
        await payments.have_canceled(tx, payment, now=now)
        return
    money = CameIn(cents=came_in, kept_cents=kept)
    if gate.waits(invoice):
        await gate.succeed(tx, payment, invoice, outcome, money, now=now)
        return
    await settlements.pay(tx, invoice, kept, now=now)
    await payments.note_succeeded(tx, payment, outcome, money, now=now)


async def _is_wanted(tx: Tx, payment: Payment, invoice: Invoice) -> bool:
    """Whether the money is for something that is owed. One that was called off is not, nor one that was refused before another was asked for."""
    if payment.status == payments.CANCELED and payment.payment_status == PaymentStatus.FAILED:
        return False
    other = await payments.pending_of(tx, invoice.id)
    return (can_be_collected(invoice) or gate.waits(invoice)) and other in (None, payment)


async def _fail(
    tx: Tx, payment: Payment, invoice: Invoice, outcome: Outcome, *, is_told: bool, now: datetime
) -> None:
    """Note that the money does not come. The invoice has failed with it, unless it was too little to ask for, or paid meanwhile."""
    await payments.note_failed(tx, payment, outcome, now=now)
    if not outcome.leaves_payable and can_be_collected(invoice):
        await tell_refused(tx, invoice, outcome, payment=payment, is_told=is_told, now=now)


async def tell_refused(
    tx: Tx,
    invoice: Invoice,
    outcome: Outcome,
    *,
    payment: Payment | None = None,
    is_told: bool,
    now: datetime,
) -> None:
    """Have an invoice fail whose payment was refused, and tell why; the credits that it buys fail with it (§5)."""
    await settlements.set_payment_status(tx, invoice, "failed", is_told=is_told, now=now)
    if outcome.error_code == AUTHENTICATION:
        return
    customer = (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]
    purchase = await wallets.purchase_of(tx, invoice.id) if invoice.invoice_type == "credit" else None
    if purchase is not None:
        await emit(tx, purchase_failure(purchase, customer, payment=payment, outcome=outcome), now=now)
    if invoice.status in VISIBLE:
        failure = payment_failure(invoice, customer, code=REFUSED, payment=payment, outcome=outcome)
        await emit(tx, failure, now=now)


async def hear(tx: Tx, connection: Connection, told: PaymentTold, *, now: datetime) -> None:
    """Take what a provider tells of a payment: of one that it was asked for, or of one that a customer made on a page."""
    payment = await payments.find_told(tx, connection.id, told)
    if payment is not None:
        cents = told.amount_cents
        await record_outcome(tx, payment.id, told.outcome, cents=cents, is_told=True, now=now)
    elif told.metadata.items() >= payments.ONE_TIME.items():
        # Where a page has one payment at the most, its provider need not give it a name.
        name = told.outcome.provider_payment_id or told.metadata.get("lago_payable_id")
        named = replace(told, outcome=replace(told.outcome, provider_payment_id=name))
        if told.metadata.get("lago_payable_type") == "PaymentRequest":
            await together.hear_of_page(tx, connection, named, now=now)
        else:
            await _hear_of_page(tx, connection, named, now=now)


async def _hear_of_page(tx: Tx, connection: Connection, told: PaymentTold, *, now: datetime) -> None:
    """Take what a customer paid on a page. What is refused there is told, and is no payment: they may try again."""
    try:
        invoice = await invoices.find_invoice(tx, UUID(told.metadata.get("lago_invoice_id", "")))
    except ValueError:
        return
    if invoice is None:
        return
    await tx.lock("customer", invoice.customer_id)
    if await payments.find_told(tx, connection.id, told) is not None:
        await hear(tx, connection, told, now=now)  # somebody was told the same just now
        return
    invoice = (await invoices.get_invoices(tx, [invoice.id]))[invoice.id]
    if told.currency is not None and told.currency.upper() != invoice.currency:
        raise ValueError(f"{told.currency} came in for an invoice in {invoice.currency}")
    other = await payments.pending_of(tx, invoice.id)
    if told.outcome.payment_status is PaymentStatus.FAILED:
        if other is None and can_be_collected(invoice):
            await tell_refused(tx, invoice, told.outcome, is_told=True, now=now)
        return
    if told.outcome.payment_status is not PaymentStatus.SUCCEEDED and other is not None:
        return  # one at a time; it is written once the money is there
    customer = (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]
    payable = await payments.payable_invoice(tx, invoice)
    cents = payable.due_cents if told.amount_cents is None else told.amount_cents
    made = Wanted(payable=payable, customer=customer, method=None)
    payment = await payments.note_page_payment(tx, made, connection, told.outcome, cents=cents, now=now)
    if told.outcome.payment_status is not PaymentStatus.SUCCEEDED:
        await payments.note_undecided(tx, payment, told.outcome, now=now)
        return
    await _succeed_on_page(tx, payment, invoice, told.outcome, now=now)


async def _succeed_on_page(
    tx: Tx, payment: Payment, invoice: Invoice, outcome: Outcome, *, now: datetime
) -> None:
    """The money is there: another payment that is on its way is called off once the invoice is paid by this one."""
    came_in = payment.amount_cents
    kept = min(came_in, invoice.total_due_amount_cents) if can_be_collected(invoice) else 0
    if kept <= 0:
        await payments.have_canceled(tx, payment, now=now)
        return
    await settlements.pay(tx, invoice, kept, now=now)
    money = CameIn(cents=came_in, kept_cents=kept)
    await payments.note_succeeded(tx, payment, outcome, money, now=now)


async def follow(tx: Tx, batch: Batch, now: datetime) -> None:
    """Ask for what was issued, or look after what was asked for."""
    if batch.kind is Kind.ASK_FOR_PAYMENT:
        await ask_due(tx, batch, now)
        await together.ask_due(tx, batch.subject_ids, now=now)
    else:
        await follow_due(tx, batch, now)
        await together.follow_due(tx, batch.subject_ids, now=now)


async def follow_due(tx: Tx, batch: Batch, now: datetime) -> None:
    """Look after what is asked for of invoices that were paid, voided, or credited meanwhile, or whose connection is deleted.

    Where nothing is due any more, or nothing would be heard of it, a payment that its provider has not decided is called off, and the
    page to pay on is taken back; where less is due, the page is. Needs the customer's lock.
    """
    for invoice in (await invoices.get_invoices(tx, batch.subject_ids)).values():
        is_owed = can_be_collected(invoice)
        pending = await payments.pending_of(tx, invoice.id)
        if pending is not None and gate.waits(invoice):
            if not await is_heard(tx, pending):
                await gate.lack_method(tx, invoice, now=now)
        elif pending is not None and not (is_owed and await is_heard(tx, pending)):
            await payments.give_up(tx, pending, now=now)
        page = await payments.open_page(tx, invoice.id)
        if page is not None and not (is_owed and page.amount_cents == invoice.total_due_amount_cents):
            await payments.close_page(tx, page, now=now)


async def _lock(tx: Tx, payment_id: UUID) -> Payment | None:
    """A payment as it is once nobody else works for its customer."""
    known = await payments.find(tx, payment_id)
    if known is None:
        return None
    await tx.lock("customer", known.customer_id)
    return await payments.find(tx, payment_id)


async def _invoice(tx: Tx, payment: Payment) -> Invoice:
    assert payment.invoice_id is not None, "those of requests are together.py's"
    return (await invoices.get_invoices(tx, [payment.invoice_id]))[payment.invoice_id]
