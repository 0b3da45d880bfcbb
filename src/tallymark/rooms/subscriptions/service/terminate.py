"""End a subscription (subscriptions §2.9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed, NotFound
from tallymark.domain.periods import TICK, local_date, start_of_day
from tallymark.jobs import usage_watch
from tallymark.rooms.plans import service as plans
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription, check_change
from tallymark.rooms.subscriptions.service.agenda import drop_notes, note_last_bill
from tallymark.rooms.subscriptions.service.messages import tell
from tallymark.rooms.subscriptions.service.read import get_contracts


async def find_to_end(tx: Tx, *, external_id: str, status: str | None) -> Contract:
    """The subscription that a call ends, locked with its customer: a pending one where that is asked for, else the active one.

    Raises `NotFound("subscription")`, and `Invalid` where it, or the one that is to follow it, waits for its first payment.
    """
    found = await _newest(tx, external_id, status)
    if found is None:
        raise NotFound("subscription")
    await tx.lock("customer", found.customer_id)
    found = await _newest(tx, external_id, status)
    if found is None:
        raise NotFound("subscription")
    contract = (await get_contracts(tx, [found]))[found.id]
    if found.status is Status.INCOMPLETE:
        raise Invalid({"base": ["subscription_incomplete"]})
    after = contract.relations.successor
    if after is not None and after.status is Status.INCOMPLETE:
        raise Invalid({"base": ["next_subscription_incomplete"]})
    return contract


async def _newest(tx: Tx, external_id: str, status: str | None) -> Subscription | None:
    wanted = Status(status) if status in (Status.PENDING, Status.INCOMPLETE) else Status.ACTIVE
    for one in (wanted, Status.INCOMPLETE):
        found = await repository.find_by_external_id(tx, external_id, statuses=(one,))
        if found:
            return found[0]
    return None


async def cancel(tx: Tx, subscription: Subscription, *, now: datetime) -> Subscription:
    """Call off a subscription that has not begun: nothing is billed. Whoever it was to follow goes on."""
    canceled = await _cancel(tx, subscription, now=now)
    await tell(tx, canceled, "terminated", now=now)
    if canceled.previous_subscription_id is not None:
        (before,) = await repository.get_subscriptions(tx, [canceled.previous_subscription_id])
        called_off = (await plans.get_plans(tx, {canceled.plan_id}))[canceled.plan_id]
        await tell(tx, before, "updated", now=now, changed={"next_plan_code": [called_off.code, None]})
    return canceled


async def cancel_successor(tx: Tx, contract: Contract, *, now: datetime) -> Contract:
    """Call off a plan that waits for the end of the period; the contract as it stands without it."""
    after = contract.relations.successor
    if after is None or after.status is not Status.PENDING:
        return contract
    (waiting,) = await repository.get_subscriptions(tx, [after.id])
    canceled = await _cancel(tx, waiting, now=now)
    await tell(tx, canceled, "canceled", now=now)
    return replace(contract, relations=replace(contract.relations, successor=None))


async def _cancel(tx: Tx, subscription: Subscription, *, now: datetime) -> Subscription:
    check_change(subscription, Status.CANCELED)
    await drop_notes(tx, subscription.id)
    return await repository.update_subscription(
        tx, subscription.id, {"status": Status.CANCELED, "canceled_at": now, "updated_at": now}
    )


async def check_taxes(tx: Tx, contract: Contract) -> None:
    """Refuse an end by hand while the taxes of what was paid in advance are awaited: what is unused has a part of them.

    Raises `NotAllowed("cannot_terminate_with_pending_taxes")`.
    """
    if contract.plan.pay_in_advance and await repository.awaits_taxes(tx, contract.subscription.id):
        raise NotAllowed("cannot_terminate_with_pending_taxes")


async def terminate(
    tx: Tx,
    contract: Contract,
    *,
    terminated_at: datetime,
    now: datetime,
    credit_note: str | None = None,
    invoice: str | None = None,
) -> Subscription:
    """End an active subscription as of `terminated_at` and leave its last invoice to billing.

    `credit_note` and `invoice` say what happens to what was paid in advance and to what is open; None means what the
    subscription says. Raises `Invalid` for an option that the plan's timing does not know.
    """
    subscription = contract.subscription
    check_change(subscription, Status.TERMINATED)
    credit_option = _credit_option(contract, credit_note)
    invoice_option = invoice or subscription.on_termination_invoice
    contract = await cancel_successor(tx, contract, now=now)
    # Earlier days that nobody has billed yet are billed before the end (README 2); the end's own day by §3.6.
    last_day = start_of_day(local_date(terminated_at, contract.timezone), contract.timezone)
    await drop_notes(tx, subscription.id, billed_before=last_day)
    ended = await repository.update_subscription(
        tx,
        subscription.id,
        {
            "status": Status.TERMINATED,
            "terminated_at": terminated_at,
            "usage_ends_at": terminated_at + TICK,
            "on_termination_credit_note": credit_option,
            "on_termination_invoice": invoice_option,
            "updated_at": now,
        },
    )
    await tell(tx, ended, "terminated", "updated", now=now, before=subscription)
    # An end with a day waits for that day's last events, as the calendar's invoices do (§5.2).
    settled_at = terminated_at + tx.settling_time if terminated_at == last_day else now
    await usage_watch.follow_customers(tx, [contract.customer.id], now=now)
    await note_last_bill(tx, contract, at=terminated_at, run_at=max(now, settled_at))
    return ended


async def end_usage(tx: Tx, contract: Contract, ends_at: datetime) -> None:
    """Note where the last window of a subscription that has ended does, if not at its end: what comes later is nowhere billed (§3.6)."""
    if ends_at != contract.subscription.usage_ends_at:
        await repository.update_subscription(tx, contract.subscription.id, {"usage_ends_at": ends_at})


def _credit_option(contract: Contract, asked: str | None) -> str | None:
    """What happens to unused time that was paid for; a plan in arrears has none (§2.8)."""
    if not contract.plan.pay_in_advance:
        return None
    return asked or contract.subscription.on_termination_credit_note or "credit"
