"""Have lifetime usage held against its thresholds again after invoices have changed what was billed of it (metering §9.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.rooms.billing.model import Computed
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status

BILLING_USAGE = (Reason.PERIODIC, Reason.TERMINATING)
"""Records that move usage from the running part of a lifetime usage to the invoiced one."""


async def look_again(tx: Tx, contracts: Iterable[Contract], *, now: datetime) -> None:
    """Note that active subscriptions are to be looked at, and for ended ones whoever follows them in their chain."""
    known = list(contracts)
    active = [contract for contract in known if contract.subscription.status is Status.ACTIVE]
    after = {
        contract.relations.successor.id
        for contract in known
        if contract.subscription.status is Status.TERMINATED and contract.relations.successor is not None
    }
    if after:
        active += await subscriptions.live_contracts(tx, after)
    await subscriptions.note_checks(tx, {c.subscription.id: c for c in active}.values(), now=now)


async def look_again_after(tx: Tx, computed: Iterable[Computed], *, now: datetime) -> None:
    """The same for the subscriptions whose periods were billed."""
    billed = [
        subject.contract for one in computed for subject in one.subjects if subject.reason in BILLING_USAGE
    ]
    if billed:
        await look_again(tx, billed, now=now)
