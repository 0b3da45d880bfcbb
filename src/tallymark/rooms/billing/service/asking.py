"""Which invoices are collected through a provider, and by which of the customer's methods (wallets-and-payments §11.1, §11.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Batch, Item, Kind
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer, PaymentMethod
from tallymark.rooms.invoices import collecting
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.collecting import can_be_collected
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import Payment
from tallymark.rooms.payments.service import Wanted
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import PaidBy
from tallymark.rooms.wallets import service as wallets

MANUAL = "manual"
BY_SUBSCRIPTION = ("subscription", "progressive_billing", "advance_charges")
FROM_BALANCE = ("customer_balance",)
"""What customers may pay by who have no method: they send money to a balance of theirs, which Stripe takes it from (§12.2)."""

LINK_FIRST = "link_first_minutes"
"""The setting of a connection that says how long a first automatic try waits, so that a page to pay on may win."""


async def ask_due(tx: Tx, batch: Batch, now: datetime) -> None:
    """Ask for invoices that were issued: of many customers at once, in a constant number of statements.

    Needs the customers' locks.
    """
    found = list((await invoices.get_invoices(tx, batch.subject_ids)).values())
    # Somebody may have had it tried before its turn.
    wanted = [
        one for one in found if can_be_collected(one) and not one.self_billed and not one.payment_attempts
    ]
    who = await customers.get_customers(tx, {one.customer_id for one in wanted})
    waits = await _waits(tx, who)
    ready, later = [], []
    for invoice in wanted:
        wait = waits.get(invoice.customer_id, timedelta(0))
        begins_at = (invoice.finalized_at or invoice.created_at) + wait
        if begins_at <= now or await _was_bought_by_rule(tx, invoice):
            ready.append(invoice)
        else:
            later.append(_item(invoice, begins_at))
    if later:
        await agenda.put(tx, *later)
    await ask(tx, ready, who, now=now)


def _item(invoice: Invoice, at: datetime) -> Item:
    return Item(kind=Kind.ASK_FOR_PAYMENT, subject_id=invoice.id, owner_id=invoice.customer_id, due_at=at)


async def _waits(tx: Tx, who: Mapping[UUID, Customer]) -> dict[UUID, timedelta]:
    """How long the first try of each customer's invoices waits, by customer."""
    live = {one.id: one.options for one in await payment_providers.list_connections(tx)} if who else {}
    return {
        customer.id: timedelta(minutes=live.get(customer.payment_provider_id, {}).get(LINK_FIRST, 0))
        for customer in who.values()
        if customer.payment_provider_id is not None
    }


async def _was_bought_by_rule(tx: Tx, invoice: Invoice) -> bool:
    if invoice.invoice_type != "credit":
        return False
    purchase = await wallets.purchase_of(tx, invoice.id)
    return purchase is not None and purchase.source in wallets.OF_RULES


async def ask(
    tx: Tx,
    wanted: Sequence[Invoice],
    who: Mapping[UUID, Customer],
    *,
    paid_by: PaidBy | None = None,
    now: datetime,
) -> None:
    """Ask for what is due of invoices that can be collected, each by the method that is chosen for it; without one nobody is asked.

    What a provider is at work on already, alone or with others, is left to it.
    `paid_by` is what somebody said for just this try.
    """
    linked = [one for one in wanted if is_linked(who[one.customer_id])]
    together = await requests.being_collected(tx, [one.id for one in linked])
    linked = [one for one in linked if one.id not in together]
    if not linked:
        return
    methods = await customers.methods_of(tx, {one.customer_id for one in linked})
    levels = await _levels(tx, linked) if paid_by is None else {one.id: (paid_by,) for one in linked}
    chosen = [
        (one, choose(who[one.customer_id], methods.get(one.customer_id, ()), levels[one.id]))
        for one in linked
    ]
    asked = [(one, by) for one, by in chosen if by is not None]
    payables = await payments.payable_invoices(tx, [one for one, _ in asked])
    orders = [
        Wanted(payable=payable, customer=who[one.customer_id], method=by.method)
        for payable, (one, by) in zip(payables, asked, strict=True)
    ]
    await payments.ask_for(tx, *orders, now=now)


def is_linked(customer: Customer) -> bool:
    """Whether a provider can be asked for their money."""
    return customer.payment_provider_id is not None and customer.provider_customer_id is not None


async def is_heard(tx: Tx, payment: Payment) -> bool:
    """Whether a payment's connection is still there, so that what is told of it is heard."""
    live = {one.id for one in await payment_providers.list_connections(tx)}
    return payment.payment_provider_id in live


async def can_be_asked(tx: Tx, payment: Payment) -> bool:
    """Whether a payment's connection is still there, and the customer still has the method."""
    if not await is_heard(tx, payment):
        return False
    known = await customers.payment_methods_of(tx, payment.customer_id)
    return payment.payment_method_id is None or payment.payment_method_id in {one.id for one in known}


@dataclass(frozen=True, slots=True)
class Chosen:
    """By what it is collected: a method, or what the customer has at their provider."""

    method: PaymentMethod | None


def choose(customer: Customer, methods: Sequence[PaymentMethod], levels: Sequence[PaidBy]) -> Chosen | None:
    """By what a customer pays; None where by nothing of theirs (§11.2).

    The first level that says so has it paid by hand, the first with a method has it paid by this one; else it is their default. A
    method that is not theirs, or is no more, is none.
    """
    for level in levels:
        if level.method_type == MANUAL:
            return None
        if level.method_id is not None:
            named = next((method for method in methods if method.id == level.method_id), None)
            return None if named is None else Chosen(named)
    default = next((method for method in methods if method.is_default), None)
    if default is not None:
        return Chosen(default)
    has_balance = tuple(customer.provider_payment_methods or ()) == FROM_BALANCE
    return Chosen(None) if has_balance and customer.payment_provider == "stripe" else None


async def _levels(tx: Tx, wanted: Sequence[Invoice]) -> dict[UUID, Sequence[PaidBy]]:
    """What is said of how each invoice is paid, the nearest word first."""
    billed = [one.id for one in wanted if one.invoice_type in BY_SUBSCRIPTION]
    first = await collecting.first_subscriptions(tx, billed) if billed else {}
    said = await subscriptions.paid_by(tx, set(first.values())) if first else {}
    found: dict[UUID, Sequence[PaidBy]] = {}
    for one in wanted:
        if one.payment_method_type is not None:
            found[one.id] = [PaidBy(method_type=one.payment_method_type, method_id=one.payment_method_id)]
        elif one.id in first:
            found[one.id] = [said[first[one.id]]]
        else:
            found[one.id] = await wallets.paid_by(tx, one.id) if one.invoice_type == "credit" else ()
    return found


async def try_again(tx: Tx, customer_ids: Collection[UUID], *, now: datetime) -> None:
    """Ask for all that customers owe and nobody collects just now: they have left another method (§11.3). Needs their locks.

    A dispute that was lost ends that: only a person has such an invoice collected.
    """
    who = await customers.get_customers(tx, customer_ids)
    for customer_id in customer_ids:
        unpaid = await collecting.unpaid_of(tx, customer_id)
        wanted = [one for one in unpaid if can_be_collected(one) and _is_collected_by_itself(one)]
        await ask(tx, wanted, who, now=now)


def _is_collected_by_itself(invoice: Invoice) -> bool:
    return not (invoice.self_billed or invoice.skip_psp or invoice.payment_dispute_lost_at is not None)
