"""Payment requests through a provider: one payment for what is due of all their invoices, and what follows from it (wallets-and-payments §16).

While it is not decided its invoices are collected in no other way. Whatever becomes of one of them meanwhile, be it paid by hand or
void, each is paid what is due of it in the end, and what came in beyond that goes back. Who can't be asked gets the e-mail.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs.outbox import emit
from tallymark.rooms.billing.service.asking import can_be_asked, choose, is_heard, is_linked
from tallymark.rooms.billing.service.failures import AUTHENTICATION, request_failure
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import collecting
from tallymark.rooms.invoices.collecting import can_be_collected
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.payment_providers.model import Connection, Link, Outcome, PaymentStatus, PaymentTold
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payment_requests.model import PaymentRequest
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import Asked, Payable, Payment
from tallymark.rooms.payments.service import CameIn, PageWanted, Wanted
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.subscriptions.model import PaidBy

WITHOUT_CUSTOMERS = ("cashfree", "flutterwave")
"""Kinds of provider whose pages anybody pays on: customers have no id there."""


async def ask_due(tx: Tx, request_ids: Collection[UUID], *, now: datetime) -> None:
    """Ask for requests that were made, or send those that nobody can be asked for. Needs the customers' locks."""
    for request in (await requests.get_requests(tx, request_ids)).values():
        if request.payment_status != PaymentStatus.SUCCEEDED:
            await _ask(tx, request, now=now)


async def _ask(tx: Tx, request: PaymentRequest, *, now: datetime) -> None:
    if await payments.pending_of(tx, request.id) is not None:
        return
    payable = await payments.payable_request(tx, request)
    if not payable.due_cents:
        return
    customer = await _customer(tx, request)
    wanted = await _wanted(tx, request, customer)
    held = [one.id for one in await _invoices(tx, request)]
    if wanted is None or await requests.being_collected(tx, held):
        await requests.send(tx, request.id, now=now)
        return
    for invoice_id in held:
        # Its provider has not answered yet: what comes of it after all goes back.
        alone = await payments.pending_of(tx, invoice_id)
        if alone is not None:
            await payments.give_up(tx, alone, now=now)
    await payments.ask_for(tx, replace(wanted, payable=payable), now=now)


async def _wanted(tx: Tx, request: PaymentRequest, customer: Customer) -> Wanted | None:
    """By what a customer pays a request; None where nobody can be asked."""
    if not is_linked(customer) or customer.is_partner:
        return None
    methods = (await customers.methods_of(tx, {customer.id})).get(customer.id, ())
    said = request.payment_method_type
    levels = [] if said is None else [PaidBy(method_type=said, method_id=request.payment_method_id)]
    by = choose(customer, methods, levels)
    payable = await payments.payable_request(tx, request)
    return None if by is None else Wanted(payable=payable, customer=customer, method=by.method)


async def begin(tx: Tx, payment: Payment, *, now: datetime) -> Asked | None:
    """What to ask a request's provider for, of what is due by now; None where nothing is to be asked. Needs the customer's lock."""
    request = await requests.get_request(tx, payment.payable_id)
    payable = await payments.payable_request(tx, request)
    if request.payment_status == PaymentStatus.SUCCEEDED or not payable.due_cents:
        await payments.give_up(tx, payment, now=now)
        return None
    if payment.asked_at is None and not await can_be_asked(tx, payment):
        await payments.drop(tx, payment)
        await requests.send(tx, request.id, now=now)
        return None
    if payment.asked_at is None:
        for invoice in await _invoices(tx, request):
            if can_be_collected(invoice):
                await collecting.count_attempt(tx, invoice.id, now=now)
    payment = await payments.begin(tx, payment, payable, now=now)
    return await payments.order_of(tx, payment)


async def record(
    tx: Tx, payment: Payment, outcome: Outcome, *, cents: int | None, is_told: bool, now: datetime
) -> None:
    """Do what follows from what a provider says of a request's payment; the same word again changes nothing.

    Needs the customer's lock.
    """
    request = await requests.get_request(tx, payment.payable_id)
    match outcome.payment_status:
        case PaymentStatus.SUCCEEDED if payment.payment_status != PaymentStatus.SUCCEEDED:
            came_in = payment.amount_cents if cents is None else cents
            if await _is_wanted(tx, payment):
                await _succeed(tx, payment, request, outcome, came_in=came_in, now=now)
            else:
                await _send_back(tx, payment, outcome, now=now)
        case _ if payment.is_over:
            pass
        case PaymentStatus.FAILED:
            await payments.note_failed(tx, payment, outcome, now=now)
            await _fail(tx, request, outcome, payment=payment, is_told=is_told, now=now)
        case _:
            await payments.note_undecided(tx, payment, outcome, now=now)
            await _wait(tx, request, is_told=is_told, now=now)


async def _is_wanted(tx: Tx, payment: Payment) -> bool:
    """Whether money is for something that is owed: one that was called off is not, nor one that was refused before another was asked for."""
    if payment.status == payments.CANCELED and payment.payment_status == PaymentStatus.FAILED:
        return False
    return await payments.pending_of(tx, payment.payable_id) in (None, payment)


async def _succeed(
    tx: Tx, payment: Payment, request: PaymentRequest, outcome: Outcome, *, came_in: int, now: datetime
) -> None:
    """Pay each invoice what is due of it, in their order, and have the rest go back: all of it where nothing is due any more."""
    held = await _invoices(tx, request)
    paid = {} if request.payment_status == PaymentStatus.SUCCEEDED else _shares(held, came_in)
    if not paid:
        await _send_back(tx, payment, outcome, now=now)
        return
    for invoice in held:
        if invoice.id in paid:
            await settlements.pay(tx, invoice, paid[invoice.id], now=now)
    await requests.note_paid(tx, request, paid, now=now)
    money = CameIn(cents=came_in, kept_cents=sum(paid.values()))
    await payments.note_succeeded(tx, payment, outcome, money, now=now)


async def _send_back(tx: Tx, payment: Payment, outcome: Outcome, *, now: datetime) -> None:
    await payments.note_failed(tx, payment, replace(outcome, status=payments.CANCELED), now=now)
    await payments.have_canceled(tx, payment, now=now)


def _shares(held: Sequence[Invoice], cents: int) -> Mapping[UUID, int]:
    """What is paid of each invoice (minor units), as far as the money goes."""
    paid: dict[UUID, int] = {}
    for invoice in held:
        share = min(invoice.total_due_amount_cents, cents) if can_be_collected(invoice) else 0
        if share > 0:
            paid[invoice.id] = share
            cents -= share
    return paid


async def _wait(tx: Tx, request: PaymentRequest, *, is_told: bool, now: datetime) -> None:
    """The payment is on its way: nothing has failed any more."""
    if request.payment_status == PaymentStatus.FAILED:
        await requests.note_status(tx, request, PaymentStatus.PENDING, is_told=is_told, now=now)
    for invoice in await _invoices(tx, request):
        if can_be_collected(invoice) and invoice.payment_status == PaymentStatus.FAILED:
            await settlements.set_payment_status(tx, invoice, PaymentStatus.PENDING, is_told=is_told, now=now)


async def _fail(
    tx: Tx,
    request: PaymentRequest,
    outcome: Outcome,
    *,
    payment: Payment | None = None,
    is_told: bool,
    now: datetime,
) -> None:
    """The money does not come: the request has failed, and its invoices but for those that are paid; the customer is written to."""
    held = await _invoices(tx, request)
    owed = [one for one in held if can_be_collected(one)]
    if request.payment_status == PaymentStatus.SUCCEEDED or not owed:
        return
    await requests.send(tx, request.id, now=now)
    if outcome.leaves_payable:
        return
    await requests.note_status(tx, request, PaymentStatus.FAILED, is_told=is_told, now=now)
    for invoice in owed:
        await settlements.set_payment_status(tx, invoice, PaymentStatus.FAILED, is_told=is_told, now=now)
    if outcome.error_code != AUTHENTICATION:
        ids, customer = [one.id for one in held], await _customer(tx, request)
        await emit(tx, request_failure(request, ids, customer, payment=payment, outcome=outcome), now=now)


async def hear_of_page(tx: Tx, connection: Connection, told: PaymentTold, *, now: datetime) -> None:
    """Take what a customer paid on a page for a request. What is refused there is told, and is no payment: they may try again."""
    try:
        request_id = UUID(told.metadata.get("lago_payable_id", ""))
    except ValueError:
        return
    found = (await requests.get_requests(tx, [request_id])).get(request_id)
    if found is None:
        return
    await tx.lock("customer", found.customer_id)
    request = await requests.get_request(tx, request_id)
    known = await payments.find_told(tx, connection.id, told)
    if known is not None:  # somebody was told the same just now
        await record(tx, known, told.outcome, cents=told.amount_cents, is_told=True, now=now)
        return
    if told.currency is not None and told.currency.upper() != request.currency:
        raise ValueError(f"{told.currency} came in for a payment request in {request.currency}")
    is_there = told.outcome.payment_status is PaymentStatus.SUCCEEDED
    if not is_there and await payments.pending_of(tx, request.id) is not None:
        return  # one at a time; it is written once the money is there
    if told.outcome.payment_status is PaymentStatus.FAILED:
        await _fail(tx, request, told.outcome, is_told=True, now=now)
        return
    payable = await payments.payable_request(tx, request)
    cents = payable.due_cents if told.amount_cents is None else told.amount_cents
    made = Wanted(payable=payable, customer=await _customer(tx, request), method=None)
    payment = await payments.note_page_payment(tx, made, connection, told.outcome, cents=cents, now=now)
    if is_there:
        await _succeed(tx, payment, request, told.outcome, came_in=cents, now=now)
        return
    await payments.note_undecided(tx, payment, told.outcome, now=now)
    await _wait(tx, request, is_told=True, now=now)


async def follow_due(tx: Tx, invoice_ids: Collection[UUID], *, now: datetime) -> None:
    """Look after what is asked for of requests whose invoices were paid, voided, or credited meanwhile, or whose connection is deleted.

    Needs the customer's lock.
    """
    for request in await requests.holding(tx, invoice_ids):
        payable = await payments.payable_request(tx, request)
        is_owed = request.payment_status != PaymentStatus.SUCCEEDED and payable.due_cents > 0
        pending = await payments.pending_of(tx, request.id)
        if pending is not None and not (is_owed and await is_heard(tx, pending)):
            await payments.give_up(tx, pending, now=now)
        page = await payments.open_page(tx, request.id)
        if page is not None and not (is_owed and page.amount_cents == payable.due_cents):
            await payments.close_page(tx, page, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that is to be made, and for which request."""

    request_id: UUID
    wanted: PageWanted


async def look_for_page(tx: Tx, request_id: UUID, *, now: datetime) -> Page | str | None:
    """Where a request is paid, else what to ask for; None where nothing is to be paid on a page.

    While its payment, or another one of its invoices, is not decided, nobody is to pay twice.
    """
    request, payable = await _lock_payable(tx, request_id)
    customer = await _customer(tx, request)
    if customer.payment_provider_id is None or not await _is_payable(tx, request, payable):
        return None
    known = await payments.page_of(tx, payable, customer.payment_provider_id, now=now)
    if known is not None:
        return known.url
    if customer.provider_customer_id is None and customer.payment_provider not in WITHOUT_CUSTOMERS:
        return None
    person = await customers.person_of(tx, customer)
    wanted = await payments.order_page(tx, payable, customer.payment_provider_id, person)
    return Page(request_id=request.id, wanted=wanted)


async def keep_page(tx: Tx, page: Page, made: Link, *, now: datetime) -> str | None:
    """Keep a page that was made, and where it is; None where what is due has changed meanwhile: it is taken back then."""
    request, payable = await _lock_payable(tx, page.request_id)
    if not await _is_payable(tx, request, payable):
        payable = replace(payable, due_cents=0)
    return await payments.keep_page(tx, payable, page.wanted, made, now=now)


async def _lock_payable(tx: Tx, request_id: UUID) -> tuple[PaymentRequest, Payable]:
    found = await requests.get_request(tx, request_id)
    await tx.lock("customer", found.customer_id)
    request = await requests.get_request(tx, request_id)
    return request, await payments.payable_request(tx, request)


async def _is_payable(tx: Tx, request: PaymentRequest, payable: Payable) -> bool:
    is_owed = request.payment_status != PaymentStatus.SUCCEEDED and payable.due_cents > 0
    held = [one.id for one in await _invoices(tx, request)]
    return is_owed and not await requests.being_collected(tx, held)


async def _invoices(tx: Tx, request: PaymentRequest) -> list[Invoice]:
    """What a request asks for, in its order."""
    return [one.invoice for one in (await requests.requested_by(tx, [request.id]))[request.id]]


async def _customer(tx: Tx, request: PaymentRequest) -> Customer:
    return (await customers.get_customers(tx, {request.customer_id}))[request.customer_id]
