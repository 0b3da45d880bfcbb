"""Invoices that were made anew in the place of void ones whose events were corrected meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import BilledItem, Difference
from tallymark.rooms.adjustments.service.commitments import (
    Corrected,
    gather_commitments,
    rate_commitments,
)
from tallymark.rooms.adjustments.service.compare import differences, follows
from tallymark.rooms.adjustments.service.gather import ISSUED, Finals, with_fees
from tallymark.rooms.adjustments.service.rate import rate
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.invoices.relations import standing_of
from tallymark.rooms.subscriptions import service as subscriptions


async def take_over_adjustments(tx: Tx, voided: Invoice, made: Invoice) -> list[Difference]:
    """Have what was adjusted of a void invoice be adjusted of the one in its place; what is to be documented of that now.

    That is what was waived while nothing stood for it, and nothing of fees that come to something else than they did: what
    somebody told by hand stays. Needs the customer's lock.
    """
    await repository.move(tx, voided.id, made.id)
    waived = await repository.waived_of(tx, made.id)
    if not waived or made.status not in ISSUED:
        return []
    ids = {subscription_id for subscription_id, _, _ in waived}
    contracts = {one.subscription.id: one for one in await subscriptions.live_contracts(tx, ids)}
    known = await repository.final_records(tx, ids)
    standing = await standing_of(tx, {record.invoice_id for record in known})
    finals = Finals(records=known, before=(), invoices=standing, contracts=contracts)
    used = [
        finals.usage(record, charges)
        for record in known
        if standing[record.invoice_id].id == made.id
        and (
            charges := [
                charge
                for charge in record.charges or ()
                if (record.subscription_id, charge.id, record.from_at) in waived
            ]
        )
    ]
    billed = await with_fees(tx, used)
    rated = await rate(tx, billed)
    billed = [one for one in billed if follows(one, rated[one.key])]
    committed = await gather_commitments(tx, billed)
    after = rate_commitments(committed, {})
    # What another invoice holds against a commitment has nothing of it yet.
    before = {
        **rate_commitments(committed, _without_waived(billed)),
        **{key: after[key] for key in after if key in waived},
    }
    settled = [one.billed for one in committed if follows(one.billed, before[one.billed.key])]
    return [
        *differences(billed, before=rated, after=rated),
        *differences(settled, before=before, after=after),
    ]


def _without_waived(billed: Sequence[BilledItem]) -> Mapping[UUID, Sequence[Corrected]]:
    found: dict[UUID, list[Corrected]] = {}
    for one in billed:
        waived = Corrected(period=one.usage.window.period, cents=-one.forgone_cents)
        found.setdefault(one.usage.contract.subscription.id, []).append(waived)
    return found
