"""Payments that a provider collects: asked for, decided at once or later (wallets-and-payments §11.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer, PaymentMethod
from tallymark.rooms.payment_providers.model import (
    Connection,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    RefundOrder,
)
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payments import repository
from tallymark.rooms.payments.model import Asked, Payable, Payment, RefundAsked
from tallymark.rooms.payments.service.payables import payable_of
from tallymark.rooms.payments.service.record import note_came_in

CANCELED = "canceled"
"""What a payment is called, in the place of its provider's word, that is not waited for any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be collected of whom, by which of their methods; without one they pay from what they have at their provider."""

    payable: Payable
    customer: Customer
    method: PaymentMethod | None


async def ask_for(tx: Tx, *wanted: Wanted, now: datetime) -> None:
    """Note that what is due of invoices and payment requests is to be collected; of each, one payment waits for its provider at the most.

    Needs the customers' locks.
    """
    waiting = await repository.with_pending(tx, [one.payable.id for one in wanted])
    rows = [_row(tx, one, now=now) for one in wanted if one.payable.id not in waiting]
    if rows:
        await repository.insert_payments(tx, rows)
        await agenda.leave(tx, *(_item(Kind.COLLECT_PAYMENT, row["id"], now) for row in rows))


def _row(tx: Tx, wanted: Wanted, *, now: datetime) -> dict[str, Any]:
    payable, customer, method = wanted.payable, wanted.customer, wanted.method
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        **payable.columns,
        "payment_type": "provider",
        "status": PaymentStatus.PENDING,
        "payment_status": PaymentStatus.PENDING,
        "amount_cents": payable.due_cents,
        "currency": payable.currency,
        "payment_provider": customer.payment_provider,
        "payment_provider_code": customer.payment_provider_code,
        "payment_provider_id": customer.payment_provider_id,
        "provider_customer_id": (method and method.provider_customer_id) or customer.provider_customer_id,
        "payment_method_id": None if method is None else method.id,
        "created_at": now,
        "updated_at": now,
    }


async def ask_again(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """Have a provider that did not answer asked at once, with the same key."""
    await agenda.leave(tx, _item(Kind.COLLECT_PAYMENT, payment.id, now))


async def begin(tx: Tx, payment: Payment, payable: Payable, *, now: datetime) -> Payment:
    """A payment as its provider is asked for it now: of what is due by now, unless it was asked before."""
    if payment.asked_at is not None:
        return payment
    changed = {"amount_cents": payable.due_cents, "asked_at": now, "updated_at": now}
    await repository.update_payment(tx, payment.id, changed)
    return replace(payment, amount_cents=payable.due_cents, asked_at=now, updated_at=now)


async def drop(tx: Tx, payment: Payment) -> None:
    """Take a payment away that its provider was never asked for."""
    assert payment.asked_at is None, "what was asked for is called off"
    await agenda.drop(tx, Kind.COLLECT_PAYMENT, payment.id)
    await repository.delete_payment(tx, payment.id)


async def give_up(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """Wait for a payment no longer, whether its provider was asked or not."""
    if payment.asked_at is None:
        await drop(tx, payment)
    else:
        await call_off(tx, payment, now=now)


async def find(tx: Tx, payment_id: UUID) -> Payment | None:
    """A payment of any payable, seen or not."""
    return (await repository.get_payments(tx, [payment_id])).get(payment_id)


async def find_told(tx: Tx, connection_id: UUID, told: PaymentTold) -> Payment | None:
    """The payment of a connection that its provider tells of: by its own name for it, else by ours, which comes back from there."""
    name = told.outcome.provider_payment_id
    known = name and await repository.find_by_name(tx, connection_id, name)
    if known:
        return known
    try:
        ours = await find(tx, UUID(told.metadata.get("lago_payment_id", "")))
    except ValueError:
        return None
    return ours if ours is not None and ours.payment_provider_id == connection_id else None


async def pending_of(tx: Tx, payable_id: UUID) -> Payment | None:
    """The payment of an invoice or a payment request that its provider has not decided yet."""
    return await repository.pending_of(tx, payable_id)


async def is_processing(tx: Tx, invoice_id: UUID) -> bool:
    """Whether a provider is at work on an invoice, or is to collect it with others."""
    return bool(await requests.being_collected(tx, [invoice_id]))


async def note_page_payment(
    tx: Tx, wanted: Wanted, connection: Connection, outcome: Outcome, *, cents: int, now: datetime
) -> Payment:
    """Write a payment that was made on a page of a connection's, as its provider tells of it first; nobody waits for it yet."""
    row = {
        **_row(tx, wanted, now=now),
        "status": CANCELED,
        "payment_status": PaymentStatus.FAILED,
        "amount_cents": cents,
        "payment_provider": connection.kind,
        "payment_provider_code": connection.code,
        "payment_provider_id": connection.id,
        "provider_payment_id": outcome.provider_payment_id,
        "asked_at": now,
    }
    await repository.insert_payments(tx, [row])
    return (await repository.get_payments(tx, [row["id"]]))[row["id"]]


async def order_of(tx: Tx, payment: Payment) -> Asked:
    """What its provider is asked for, with the keys by which it tells of it later."""
    assert payment.payment_provider_id is not None, "it is asked for through a connection"
    payable = await payable_of(tx, payment)
    method = payment.payment_method_id and await customers.get_payment_method(tx, payment.payment_method_id)
    customer = (await customers.get_customers(tx, {payment.customer_id}))[payment.customer_id]
    order = Order(
        payment_id=payment.id,
        idempotency_key=payment.idempotency_key,
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        reference=payable.reference,
        metadata={**payable.metadata, "lago_payment_id": str(payment.id)},
        provider_customer_id=payment.provider_customer_id,
        provider_method_id=method.provider_method_id if method else None,
        provider_payment_id=payment.provider_payment_id,
        person=await customers.person_of(tx, customer),
    )
    return Asked(order=order, connection_id=payment.payment_provider_id)


async def note_undecided(tx: Tx, payment: Payment, outcome: Outcome, *, now: datetime) -> None:
    """Note what a provider says of a payment that it goes on with, and tell where the customer has to do something."""
    await repository.update_payment(tx, payment.id, _told(payment, outcome, now=now))
    if outcome.next_action is not None and outcome.next_action != payment.next_action:
        await emit(tx, _message("payment.requires_action", payment.id), now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameIn:
    """Money that came in (minor units), and how much of it is kept; the rest goes back."""

    cents: int
    kept_cents: int


async def note_succeeded(
    tx: Tx, payment: Payment, outcome: Outcome, came_in: CameIn, *, now: datetime
) -> None:
    """Note that money came in, now, and have that go back which nobody owed. What it pays is to be issued before, and is told by the caller.

    The payment's amount is what is kept of it.
    """
    surplus = came_in.cents - came_in.kept_cents
    await agenda.drop(tx, Kind.COLLECT_PAYMENT, payment.id)
    changed = {
        **_told(payment, outcome, now=now),
        "payment_status": PaymentStatus.SUCCEEDED,
        "amount_cents": came_in.kept_cents,
        "surplus_cents": surplus,
        "created_at": now,
    }
    await repository.update_payment(tx, payment.id, changed)
    paid = (await repository.get_payments(tx, [payment.id]))[payment.id]
    await emit(tx, _message("payment.succeeded", payment.id), now=now)
    await note_came_in(tx, paid, now=now)
    if surplus:
        await have_canceled(tx, paid, now=now)


async def note_failed(tx: Tx, payment: Payment, outcome: Outcome, *, now: datetime) -> None:
    """Note that the money will not come."""
    await agenda.drop(tx, Kind.COLLECT_PAYMENT, payment.id)
    failed = replace(outcome, payment_status=PaymentStatus.FAILED)
    await repository.update_payment(tx, payment.id, _told(payment, failed, now=now))


async def call_off(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """Wait for a payment no longer, and have its provider see to it that nothing is collected."""
    await note_failed(tx, payment, Outcome(payment_status=PaymentStatus.FAILED, status=CANCELED), now=now)
    await have_canceled(tx, payment, now=now)


async def have_canceled(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """Have a payment's provider cancel it, or pay back what came in when nobody waited for it any more, or beyond what was due."""
    await agenda.leave(tx, _item(Kind.CANCEL_PAYMENT, payment.id, now))


def surplus_of(payment: Payment) -> RefundAsked | None:
    """What is to go back of a payment that succeeded; None where nothing is, or where it has."""
    if not payment.surplus_cents or payment.surplus_returned_at is not None:
        return None
    assert payment.payment_provider_id is not None, "it was asked for through a connection"
    assert payment.provider_payment_id is not None, "what came in has a name there"
    order = RefundOrder(
        idempotency_key=f"surplus-{payment.id}",
        amount_cents=payment.surplus_cents,
        currency=payment.currency,
        reason=None,
        provider_payment_id=payment.provider_payment_id,
        metadata={"lago_payment_id": str(payment.id), "lago_customer_id": str(payment.customer_id)},
    )
    return RefundAsked(order=order, connection_id=payment.payment_provider_id)


async def note_returned(tx: Tx, payment_id: UUID, *, now: datetime) -> None:
    """Note that what came in beyond what was due is on its way back."""
    await repository.update_payment(tx, payment_id, {"surplus_returned_at": now, "updated_at": now})


def _told(payment: Payment, outcome: Outcome, *, now: datetime) -> dict[str, Any]:
    return {
        "payment_status": outcome.payment_status,
        "status": outcome.status,
        "provider_payment_id": outcome.provider_payment_id or payment.provider_payment_id,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "next_action": None if outcome.next_action is None else dict(outcome.next_action),
        "updated_at": now,
    }


def _item(kind: Kind, payment_id: UUID, now: datetime) -> Item:
    # Its own owner: while a provider is slow, the customer's billing goes on.
    return Item(kind=kind, subject_id=payment_id, owner_id=payment_id, due_at=now)


def _message(webhook_type: str, payment_id: UUID) -> Message:
    return Message(webhook_type=webhook_type, object_type="payment", object_id=payment_id)
