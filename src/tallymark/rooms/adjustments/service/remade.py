"""Invoices that were made anew in the place of void ones whose events were corrected meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed
from tallymark.domain.exact import Fraction
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import BilledItem, Difference, ItemKey, Rated, Touched
from tallymark.rooms.adjustments.service.advance import BilledInAdvance, event_line, gather_in_advance
from tallymark.rooms.adjustments.service.commitments import (
    BilledCommitment,
    Corrected,
    changes_of,
    gather_commitments,
    leave_out,
    rate_commitments,
    spent_more,
)
from tallymark.rooms.adjustments.service.compare import differences, follows
from tallymark.rooms.adjustments.service.gather import ISSUED, Finals, gather_finals, with_fees
from tallymark.rooms.adjustments.service.rate import RatedLines, rate
from tallymark.rooms.advance import service as advance
from tallymark.rooms.events import service as events
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
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


async def corrected_while_void(tx: Tx, made: Invoice, *, now: datetime) -> list[Difference]:
    """By how much events cost otherwise than the fees of an invoice that was made anew, for they were corrected while it was void.

    Nothing where that can't be told, or of fees that come to something else than they did first: what somebody told by hand stays.
    Needs the customer's lock.
    """
    if made.status not in ISSUED:
        return []
    own = (await fees.of_invoices(tx, [made.id])).get(made.id, [])
    of_events = [fee for fee in own if fee.event_id is not None]
    first = await fees.get_fees(tx, {fee.root_id for fee in of_events})
    found: list[Difference] = []
    # An event in advance has an invoice of its own.
    for fee in of_events:
        if fee.amount_cents != first[fee.root_id].amount_cents:
            continue
        try:
            found += await _corrected_of(tx, fee, now=now)
        except NotAllowed:
            continue
    return found


async def _corrected_of(tx: Tx, fee: FeeRecord, *, now: datetime) -> list[Difference]:
    """Raises `NotAllowed` where it can't be told."""
    touched = await _touched(tx, fee)
    known = await gather_in_advance(tx, touched, await gather_finals(tx, touched), now=now)
    if known is None:
        return []
    before, after = _with_fee(fee, known), known.before.lines
    found = differences(known.billed, before=before, after=after)
    committed = await gather_commitments(tx, known.billed)
    changed = changes_of(known.billed, before, after)
    late = await _not_counted(tx, fee, committed, changed)
    found += differences(
        [one.billed for one in committed],
        before=rate_commitments(committed, {}),
        after=rate_commitments(committed, changed, late_cents=late),
    )
    await leave_out(tx, committed, late)
    return found


async def _touched(tx: Tx, fee: FeeRecord) -> Touched:
    """The window that a fee billed an event in, and the one that the event is in now, where it counts."""
    assert fee.event_id is not None, "it is of an event"
    assert fee.from_at is not None, "and of a period"
    assert fee.external_subscription_id is not None, "and of a subscription"
    instants = [
        fee.from_at,
        *(one.timestamp for one in (await events.get_events(tx, {fee.event_id})).values()),
    ]
    return Touched(
        external_subscription_id=fee.external_subscription_id,
        code=fee.item_code,
        first=min(instants),
        last=max(instants),
        is_stretch=False,
        event_ids={fee.event_id},
    )


def _with_fee(fee: FeeRecord, known: BilledInAdvance) -> Mapping[ItemKey, RatedLines]:
    """What events would cost, were one what its fee bills, in the window of that."""
    line = event_line(fee.event_transaction_id)
    as_billed = Rated(
        units=Fraction(fee.units),
        amount_cents=fee.amount_cents,
        explanation=(),
        filter_values=None,
        grouped_by={},
    )
    found: dict[ItemKey, RatedLines] = {}
    for one in known.billed:
        lines = known.before.lines[one.key]
        if one.item.id == fee.charge_id:
            is_own = line in one.fees and one.fees[line].id == fee.id
            others = {key: rated for key, rated in lines.items() if key != line}
            lines = {**others, line: as_billed} if is_own else others
        found[one.key] = lines
    return found


async def _not_counted(
    tx: Tx,
    fee: FeeRecord,
    committed: Sequence[BilledCommitment],
    changed: Mapping[UUID, Sequence[Corrected]],
) -> Mapping[ItemKey, int]:
    """How much of what changed commitments do not count: they were settled before the event came, or while its fee was void."""
    assert fee.event_id is not None, "it is of an event"
    counted = await advance.counted_at(tx, [fee.event_id], {one.settled_at for one in committed})
    known_at = {at for _, charge_id, at in counted if charge_id == fee.charge_id}
    return {
        one.billed.key: 0
        if one.settled_at in known_at
        else spent_more(one.terms, changed.get(one.owner_id, ()), with_void=one.billed.usage.is_void)
        for one in committed
    }
