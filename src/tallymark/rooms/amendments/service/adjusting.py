"""Correct events inside, and have the difference documented to what was billed of them (docs/decisions/0029)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import Touched
from tallymark.rooms.amendments.model import Adjusted
from tallymark.rooms.billing.service.documenting import document
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import EventCorrectionPolicy


async def is_refused(tx: Tx) -> bool:
    """Whether the organization wants nothing corrected that is billed."""
    return (await organizations.get_metering(tx)).event_correction_policy is EventCorrectionPolicy.REFUSE


@asynccontextmanager
async def adjusting(tx: Tx, touched: Touched, *, now: datetime) -> AsyncIterator[Adjusted]:
    """Rate what was billed of the events before and after they are changed, and document the difference.

    Needs the customers' locks. Raises `NotAllowed` where the difference can't be told: see `gather_billed`,
    `gather_in_advance`, `gather_commitments` and `differences`.
    """
    finals = await adjustments.gather_finals(tx, touched)
    in_arrears = await adjustments.gather_billed(tx, touched, finals)
    at_once = await adjustments.gather_in_advance(tx, touched, finals, now=now)
    billed = [*in_arrears, *(at_once.billed if at_once else ())]
    committed = await adjustments.gather_commitments(tx, billed)
    before = {**await adjustments.rate(tx, in_arrears), **(at_once.before.lines if at_once else {})}
    late_before = await adjustments.late_cents(tx, committed, at_once.before.events if at_once else ())
    adjusted = Adjusted(billed=billed, before=before)
    yield adjusted
    after = adjusted.after
    after |= await adjustments.rate(tx, in_arrears)
    late = dict.fromkeys(late_before, 0)
    if at_once is not None:
        again = await adjustments.price_again(tx, at_once)
        after |= again.lines
        late = {
            key: cents - late_before[key]
            for key, cents in (await adjustments.late_cents(tx, committed, again.events)).items()
        }
    found = adjustments.differences(billed, before=before, after=after)
    found += adjustments.differences(
        [one.billed for one in committed],
        before=adjustments.rate_commitments(committed, {}),
        after=adjustments.rate_commitments(
            committed, adjustments.changes_of(billed, before, after), late_cents=late
        ),
    )
    await document(tx, found, now=now)
    await adjustments.leave_out(tx, committed, late)
