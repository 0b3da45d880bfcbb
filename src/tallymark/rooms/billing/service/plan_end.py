"""End what is on a plan that is being deleted, and issue what it still bills (pricing §4.4)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Batch, Item, Kind
from tallymark.rooms.billing.service import gate
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.plans import deletion
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Status


async def end_with_plan(tx: Tx, batch: Batch, now: datetime) -> None:
    """Terminate active subscriptions as of the deletion, cancel those that have not begun; their last invoices are made before the plan goes."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.plan.pending_deletion and contract.subscription.status is Status.ACTIVE:
            await subscriptions.terminate(tx, contract, terminated_at=batch.due_at, now=now)
    # An end calls off the plan that was to follow, so what still waits is read anew.
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.plan.pending_deletion and contract.subscription.status is Status.PENDING:
            await subscriptions.cancel(tx, contract.subscription, now=now)
        elif contract.plan.pending_deletion and contract.subscription.status is Status.INCOMPLETE:
            await gate.call_off(tx, contract, now=now)
    await agenda.leave(
        tx,
        *(
            Item(
                kind=Kind.DELETE_PLAN,
                subject_id=subject_id,
                owner_id=batch.owner_id,
                due_at=batch.due_at,
                run_at=now,
            )
            for subject_id in batch.subject_ids
        ),
    )


async def delete_plan(tx: Tx, batch: Batch, now: datetime) -> None:
    """Issue the drafts of subscriptions that ended with their plan; the last of them takes the plan along."""
    for invoice_id in await invoices.drafts_billing(tx, batch.subject_ids):
        await billing.finalize(tx, invoice_id, now=now, as_of=batch.due_at)
    await deletion.finish_deletions(tx, batch.subject_ids, now=now)


async def cancel_downgrades(tx: Tx, batch: Batch, now: datetime) -> None:
    """Call off changes to a plan that is not the cheaper one any more (pricing §4.3)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        waits = contract.subscription.previous_subscription_id is not None
        if waits and contract.subscription.status is Status.PENDING:
            await subscriptions.cancel(tx, contract.subscription, now=now)
