"""Delete a customer, and end what hangs on them (subscriptions §1.10)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit, log_alone
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import DRAFTS_OUTLIVE, Customer
from tallymark.rooms.customers.service.read import get_customer


async def delete_customer(tx: Tx, external_id: str, *, now: datetime) -> Customer:
    """Soft-delete a customer, end their subscriptions, coupons and wallets and call off those to come (subscriptions §1.10)."""
    await tx.lock("customer", (await get_customer(tx, external_id=external_id)).id)
    customer = await get_customer(tx, external_id=external_id)  # nobody has deleted them meanwhile
    for kind in (Kind.ACTIVATE_SUBSCRIPTION, Kind.TERMINATE_SUBSCRIPTION):
        await agenda.drop(tx, kind, *await repository.live_subscriptions(tx, customer.id, "pending"))
    canceled = await repository.cancel_pending_subscriptions(tx, customer.id, at=now)
    await log_alone(tx, "subscription.canceled", *canceled, now=now)
    active = await repository.live_subscriptions(tx, customer.id, "active")
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.TERMINATE_SUBSCRIPTION, subject_id=item, owner_id=customer.id, due_at=now)
            for item in active
        ),
    )
    detached = await repository.terminate_applied_coupons(tx, customer.id, at=now)
    await log_alone(tx, "applied_coupon.deleted", *detached, now=now)
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.EXPIRE_WALLET, subject_id=item, owner_id=customer.id, due_at=now)
            for item in await repository.active_wallets(tx, customer.id)
        ),
    )
    await repository.update_customer(tx, customer.id, {"deleted_at": now, "updated_at": now})
    gone = Message(activity_type="customer.deleted", object_type="customer", object_id=customer.id)
    await emit(tx, gone, now=now)
    drafts = await repository.draft_dates(tx, {customer.id})
    await agenda.put(
        tx,
        *(
            Item(
                kind=Kind.FINALIZE_INVOICE,
                subject_id=draft.id,
                owner_id=customer.id,
                due_at=now + DRAFTS_OUTLIVE,
            )
            for draft in drafts
        ),
    )
    return customer
