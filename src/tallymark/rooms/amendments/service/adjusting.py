"""Correct events inside, and have the difference documented to what was billed of them (docs/decisions/0029)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import compress
from operator import not_
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import Difference, Touched
from tallymark.rooms.amendments.model import Adjusted
from tallymark.rooms.amendments.service.increase import bill_increases
from tallymark.rooms.billing.service import progressive_credits
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import EventCorrectionPolicy


async def is_refused(tx: Tx) -> bool:
    """Whether the organization wants nothing corrected that is billed."""
    return await _policy(tx) is EventCorrectionPolicy.REFUSE


async def _is_for_next_invoice(tx: Tx) -> bool:
    return await _policy(tx) is EventCorrectionPolicy.NEXT_INVOICE


async def _policy(tx: Tx) -> EventCorrectionPolicy:
    return (await organizations.get_metering(tx)).event_correction_policy


async def _sources(
    tx: Tx, found: Sequence[Difference]
) -> Mapping[tuple[UUID, datetime], adjustments.Sources]:
    """What is left of the progressive invoices of windows that were billed too much, and had been billed partly by them."""
    sources = {}
    for usage in {
        one.billed.usage.key: one.billed.usage
        for one in found
        if one.amount_cents < 0 and one.billed.usage.invoice.progressive_billing_credit_amount_cents
    }.values():
        subscription_id, start = usage.key
        known = await progressive_credits.gather_at(tx, {subscription_id: start}, except_invoice=None)
        if subscription_id in known:
            sources[usage.key] = known[subscription_id].billed
    return sources


@asynccontextmanager
async def adjusting(tx: Tx, touched: Touched, *, now: datetime) -> AsyncIterator[Adjusted]:
    """Rate what was billed of the events before and after they are changed, and document the difference.

    A decrease is a credit note on the fees that billed it. An increase is a one-off invoice, or a fee on the subscription's next
    one, where it has one and the organization wants it so. Needs the customers' locks. Raises
    `NotAllowed("period_already_invoiced")` where the difference can't be told: see `gather_billed`, `gather_in_advance`,
    `gather_commitments` and `differences`.
    """
    finals = await adjustments.gather_finals(tx, touched)
    in_arrears = await adjustments.gather_billed(tx, touched, finals)
    at_once = await adjustments.gather_in_advance(tx, touched, finals, now=now)
    billed = [*in_arrears, *(at_once.billed if at_once else ())]
    committed = await adjustments.gather_commitments(tx, billed)
    before = {**await adjustments.rate(tx, in_arrears), **(at_once.before if at_once else {})}
    adjusted = Adjusted(billed=billed, before=before)
    yield adjusted
    after = adjusted.after
    after |= await adjustments.rate(tx, in_arrears)
    if at_once is not None:
        after |= await adjustments.price_again(tx, at_once)
    found = adjustments.differences(billed, before=before, after=after)
    found += adjustments.differences(
        [one.billed for one in committed],
        before=adjustments.rate_commitments(committed, before, before, billed),
        after=adjustments.rate_commitments(committed, before, after, billed),
    )
    await adjustments.give_back(tx, found, sources=await _sources(tx, found), now=now)
    more = [one for one in found if one.amount_cents > 0]
    may_wait = await _is_for_next_invoice(tx)
    waits = [may_wait and one.billed.is_to_be_continued for one in more]
    await adjustments.keep_pending(tx, list(compress(more, waits)), now=now)
    await bill_increases(tx, list(compress(more, map(not_, waits))), now=now)
