"""Judge events that came too late, by what the organization wants (beyond.md §3, docs/decisions/0024)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_period
from tallymark.domain.periods import TICK, Period
from tallymark.domain.values import value
from tallymark.metering.correcting import corrected
from tallymark.rooms.corrections.model import LateStream, Verdict, Waiting
from tallymark.rooms.corrections.repository import late
from tallymark.rooms.corrections.service.follow import follow_usage, lock_owners, note_counted
from tallymark.rooms.events import service as events
from tallymark.rooms.events.model import FinalWindow
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import LateEventPolicy, Metering
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Status, Subscription


class NotJudged(Exception):
    """The late events of a stream could not be judged; the cause says why."""

    def __init__(self, stream_id: int) -> None:
        self.stream_id = stream_id
        super().__init__(f"stream {stream_id}")


async def organizations_with_late_events(connection: AsyncConnection) -> list[UUID]:
    """Live organizations where events wait to be judged; needs a system transaction."""
    return await late.organizations_with_waiting(connection)


async def judge_next(tx: Tx, *, now: datetime, but: Collection[int] = ()) -> int | None:
    """Judge the late events of one stream, a thousand at the most; the stream's number, None where none waits.

    Its customers' bills wait meanwhile. Streams that are named are left out. Raises `NotJudged`.
    """
    stream = await late.next_stream(tx, but=but)
    if stream is None:
        return None
    try:
        await _judge_stream(tx, stream, now=now)
    except Exception as error:
        raise NotJudged(stream.id) from error
    return stream.id


async def _judge_stream(tx: Tx, stream: LateStream, *, now: datetime) -> None:
    await lock_owners(tx, stream.external_subscription_id)
    waiting = await late.waiting_of(tx, stream.id)
    verdicts = await _judge(tx, stream, waiting, now=now)
    changed = [
        verdict
        for verdict, item in zip(verdicts, waiting, strict=True)
        if verdict.billed_from is not None or item.is_held != verdict.is_rejected
    ]
    if changed:
        async with corrected(tx, [verdict.event_id for verdict in changed]):
            await late.apply(tx, changed)
    await late.note(tx, verdicts)
    await _follow(tx, stream, changed, now=now)


async def _follow(tx: Tx, stream: LateStream, changed: Sequence[Verdict], *, now: datetime) -> None:
    """Have everything look at events that count now which looks at new ones."""
    counted = [verdict.event_id for verdict in changed if not verdict.is_rejected]
    if counted:
        await note_counted(tx, counted)
        await follow_usage(tx, stream.external_subscription_id, now=now)


async def _judge(tx: Tx, stream: LateStream, waiting: Sequence[Waiting], *, now: datetime) -> list[Verdict]:
    own_time = [Verdict(event_id=item.event_id) for item in waiting]
    if stream.has_history or not waiting:
        return own_time
    external_id = stream.external_subscription_id
    lives = (await subscriptions.started_of(tx, {external_id})).get(external_id, [])
    finals = await events.final_windows(tx, {life.id for life in lives})
    case = _Case(
        metering=await organizations.get_metering(tx),
        lives=lives,
        finals=finals,
        open_periods=await _open_periods(tx, lives, finals, now=now),
    )
    return [case.judge(item) for item in waiting]


@value
class _Case:
    """What late events of a stream are judged by."""

    metering: Metering
    lives: Sequence[Subscription]
    finals: Sequence[FinalWindow]
    open_periods: dict[UUID, tuple[UUID, Period]]
    """By customer: a subscription, and its period that is still open."""

    def judge(self, item: Waiting) -> Verdict:
        """Where an event counts."""
        days = self.metering.late_event_window_days
        is_old = days is not None and item.created_at - item.timestamp > timedelta(days=days)
        is_billed = any(
            window.holds(item.timestamp) and window.finalized_at <= item.created_at for window in self.finals
        )
        if item.has_price or not (is_old or is_billed):
            return Verdict(event_id=item.event_id)
        if self.metering.late_event_policy is LateEventPolicy.REJECT:
            return Verdict(event_id=item.event_id, is_rejected=is_old)
        owner = subscriptions.holding(self.lives, item.timestamp)
        if owner is None:
            return Verdict(event_id=item.event_id)
        found = self.open_periods.get(owner.customer_id)
        if found is None:
            return Verdict(event_id=item.event_id, is_rejected=is_old)
        subscription_id, period = found
        if item.timestamp in period:
            return Verdict(event_id=item.event_id)
        return Verdict(event_id=item.event_id, billed_from=period.start, subscription_id=subscription_id)


async def _open_periods(
    tx: Tx, lives: Sequence[Subscription], finals: Sequence[FinalWindow], *, now: datetime
) -> dict[UUID, tuple[UUID, Period]]:
    """By customer the period that runs, or the last one where that is on no final invoice yet."""
    last: dict[UUID, Subscription] = {}
    for life in sorted(lives, key=lambda one: (one.status is Status.ACTIVE, one.started_at)):
        last[life.customer_id] = life
    contracts = await subscriptions.get_contracts(tx, list(last.values()))
    continuity = await invoices.continuity_of(tx, list(contracts.values()), at=now)
    found = {}
    for customer_id, life in last.items():
        contract = contracts[life.id]
        ends = life.usage_ends_at
        at = max(now, contract.life.started_at)
        if ends is not None and ends <= at:
            at = ends - TICK
            if any(window.subscription_id == life.id and window.ends >= ends for window in finals):
                continue
        period = current_charges_period(contract.schedule, contract.life, at, continuity[life.id])
        found[customer_id] = life.id, period
    return found
