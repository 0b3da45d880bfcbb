"""End a subscription (subscriptions §2.9)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription, check_change
from tallymark.rooms.subscriptions.service.agenda import drop_notes


async def cancel(tx: Tx, subscription: Subscription, *, now: datetime) -> Subscription:
    """Call off a subscription that has not begun: nothing is billed."""
    check_change(subscription, Status.CANCELED)
    await drop_notes(tx, subscription.id)
    return await repository.update_subscription(
        tx, subscription.id, {"status": Status.CANCELED, "canceled_at": now, "updated_at": now}
    )


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
    await drop_notes(tx, subscription.id)
    ended = await repository.update_subscription(
        tx,
        subscription.id,
        {
            "status": Status.TERMINATED,
            "terminated_at": terminated_at,
            "on_termination_credit_note": credit_option,
            "on_termination_invoice": invoice_option,
            "updated_at": now,
        },
    )
    if invoice_option == "generate":
        await agenda.leave(
            tx,
            Item(
                kind=Kind.BILL_TERMINATION,
                subject_id=subscription.id,
                owner_id=contract.customer.id,
                due_at=terminated_at,
                run_at=now,
            ),
        )
    return ended


def _credit_option(contract: Contract, asked: str | None) -> str | None:
    """What happens to unused time that was paid for; a plan in arrears has none (§2.8)."""
    if not contract.plan.pay_in_advance:
        return None
    option = asked or contract.subscription.on_termination_credit_note
    if option != "skip":
        # Unused time comes back as a credit note, which this release does not issue: losing it silently is worse.
        raise Invalid({"on_termination_credit_note": ["unsupported_value"]})
    return option
