"""What follows from each thing that a provider's event tells (wallets-and-payments §12.3)."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from tallymark.db.engine import Tx
from tallymark.rooms.billing.service import asking, outcomes, refunds
from tallymark.rooms.customers import service as customers
from tallymark.rooms.payment_providers.model import (
    Connection,
    DisputeLost,
    Heard,
    LinkFailed,
    MethodLost,
    MethodSaved,
    PaymentTold,
    ProviderKind,
    RefundTold,
    Unknown,
)


async def hear(tx: Tx, connection: Connection, heard: Heard, *, now: datetime) -> list[str]:
    """Do what follows from one thing that a connection's provider tells; what is wrong with it. Heard again, it changes nothing."""
    match heard:
        case MethodSaved():
            await _save_method(tx, connection, heard, now=now)
        case MethodLost():
            await customers.lose_method(tx, connection.id, heard, now=now)
        case LinkFailed():
            await customers.note_link_failed(tx, connection.id, heard, now=now)
        case PaymentTold():
            await outcomes.hear(tx, connection, heard, now=now)
        case RefundTold():
            await refunds.hear_refund(tx, connection.id, heard, now=now)
        case DisputeLost():
            await refunds.hear_dispute(tx, connection.id, heard, now=now)
        case Unknown():
            return [f"nothing is known of {heard.event_type}"]
        case _:
            assert_never(heard)
    return []


async def _save_method(tx: Tx, connection: Connection, saved: MethodSaved, *, now: datetime) -> None:
    """Note a method. A new default at Stripe is tried on what the customer owes (§11.3)."""
    noted = await customers.note_method(tx, connection.id, saved, now=now)
    if noted is None:
        return
    customer, method, is_new = noted
    if is_new and method.is_default and connection.kind is ProviderKind.STRIPE:
        await asking.try_again(tx, [customer.id], now=now)
