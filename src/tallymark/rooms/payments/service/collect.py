"""Payments that a provider collects: asked for, decided at once or later (wallets-and-payments §11.3)."""

from __future__ import annotations

from dataclasses import replace
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
from tallymark.rooms.payment_providers.model import Order, Outcome, PaymentStatus
from tallymark.rooms.payments import repository
from tallymark.rooms.payments.model import Asked, Payable, Payment
from tallymark.rooms.payments.service.payables import payable_of
from tallymark.rooms.payments.service.record import note_came_in

CANCELED = "canceled"
"""What a payment is called, in the place of its provider's word, that is not waited for any more."""


async def ask_for(
    tx: Tx, payable: Payable, customer: Customer, method: PaymentMethod | None, *, now: datetime
) -> None:
    """Note that what is due of an invoice or a payment request is to be collected; one payment waits for its provider at the most.

    Without a method the customer pays from what they have at their provider. Needs the customer's lock.
    """
    if await repository.pending_of(tx, payable.id) is not None:
        return
    payment_id = new_id()
    row = {
        "id": payment_id,
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
    await repository.insert_payment(tx, row)
    await agenda.leave(tx, _item(Kind.COLLECT_PAYMENT, payment_id, now))


async def find(tx: Tx, payment_id: UUID) -> Payment | None:
    """A payment of any payable, seen or not."""
    return (await repository.get_payments(tx, [payment_id])).get(payment_id)


async def pending_of(tx: Tx, payable_id: UUID) -> Payment | None:
    """The payment of an invoice or a payment request that its provider has not decided yet."""
    return await repository.pending_of(tx, payable_id)


async def order_of(tx: Tx, payment: Payment) -> Asked:
    """What its provider is asked for, with the keys by which it tells of it later."""
    assert payment.payment_provider_id is not None, "it is asked for through a connection"
    payable = await payable_of(tx, payment)
    method = payment.payment_method_id and await customers.get_payment_method(tx, payment.payment_method_id)
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
    )
    return Asked(order=order, connection_id=payment.payment_provider_id)


async def note_undecided(tx: Tx, payment: Payment, outcome: Outcome, *, now: datetime) -> None:
    """Note what a provider says of a payment that it goes on with."""
    await repository.update_payment(tx, payment.id, _told(payment, outcome, now=now))


async def note_succeeded(tx: Tx, payment: Payment, outcome: Outcome, *, now: datetime) -> None:
    """Note that the money came in, now. What it pays is to be issued before, and is told by the caller."""
    await repository.update_payment(tx, payment.id, {**_told(payment, outcome, now=now), "created_at": now})
    paid = (await repository.get_payments(tx, [payment.id]))[payment.id]
    await emit(tx, _message("payment.succeeded", payment.id), now=now)
    await note_came_in(tx, paid, now=now)


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
    """Have a payment's provider cancel it, or pay back what came in when nobody waited for it any more."""
    await agenda.leave(tx, _item(Kind.CANCEL_PAYMENT, payment.id, now))


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
