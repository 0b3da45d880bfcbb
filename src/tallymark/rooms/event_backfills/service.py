"""What can be done with backfills: collect events, have them replace others, and put those back (beyond.md §3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed, NotFound
from tallymark.metering.correcting import backfilled
from tallymark.metering.expressions import Computed
from tallymark.metering.storing import Row
from tallymark.rooms.adjustments.model import Touched
from tallymark.rooms.amendments import service as amendments
from tallymark.rooms.amendments.model import Adjusted
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.corrections import service as corrections
from tallymark.rooms.event_backfills import repository
from tallymark.rooms.event_backfills.changes import billed_changes, changes_between, gather_usage
from tallymark.rooms.event_backfills.model import Author, Backfill, BackfillStatus, NewBackfill
from tallymark.rooms.events import service as events
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Subscription

LARGEST_BATCH = 1_000
"""Events that may be added in one call."""

MOST_ADDED = 250_000
"""Events that one backfill brings."""

MOST_TOUCHED = 500_000
"""Events that it brings or replaces: more are replaced in parts, for whoever changes a plan waits meanwhile."""

DUPLICATE = {"transaction_id": ["value_already_exist"]}


async def create_backfill(tx: Tx, asked: NewBackfill, author: Author) -> Backfill:
    """Begin to collect events. Raises `NotFound` for an unknown metric or subscription.

    Raises `Invalid` for a stretch of time that is none, or outside of the subscription.
    """
    await _get_metric(tx, asked.code)
    lives = await _lives(tx, asked.external_subscription_id)
    if not lives:
        raise NotFound("subscription")
    if asked.ends <= asked.starts:
        raise Invalid({"to": ["value_is_invalid"]})
    _check_is_inside(asked, lives)
    stream_id = await repository.stream_of(
        tx, external_subscription_id=asked.external_subscription_id, code=asked.code
    )
    made = await repository.insert(tx, asked, stream_id=stream_id, author=author)
    return await get_backfill(tx, made)


def _check_is_inside(asked: NewBackfill, lives: Sequence[Subscription]) -> None:
    """Raises `Invalid` where the subscription was not there all the time."""
    if subscriptions.holding(lives, asked.starts) is None:
        raise Invalid({"from": ["outside_subscription"]})
    at = asked.starts
    while at < asked.ends:
        life = subscriptions.holding(lives, at)
        if life is None:
            raise Invalid({"to": ["outside_subscription"]})
        if life.usage_ends_at is None:
            return
        at = life.usage_ends_at


async def get_backfill(tx: Tx, backfill_id: UUID) -> Backfill:
    """One backfill. Raises `NotFound("event_backfill")`."""
    found = await repository.find(tx, backfill_id)
    if found is None:
        raise NotFound("event_backfill")
    return found


async def list_backfills(
    tx: Tx,
    page: Page,
    *,
    external_subscription_id: str | None = None,
    code: str | None = None,
    status: BackfillStatus | None = None,
) -> tuple[list[Backfill], int]:
    """A page of backfills, the newest first, and how many there are."""
    return await repository.list_backfills(
        tx, page, external_subscription_id=external_subscription_id, code=code, status=status
    )


async def add_events(
    tx: Tx,
    backfill_id: UUID,
    sent: Sequence[events.EventInput],
    *,
    sender: events.Sender | None,
    now: datetime,
) -> list[Row]:
    """Add events, all or none; they count nowhere before the backfill is closed. `sender` is kept with them.

    Raises `NotFound`, `NotAllowed("event_backfill_not_open")`, and `Invalid` with what is wrong by the index of the event: the
    rules of events, another subscription or code, a time outside of the backfill's, a transaction id that is taken.
    """
    if not sent:
        raise Invalid({"events": ["no_events"]})
    if len(sent) > LARGEST_BATCH:
        raise Invalid({"events": ["too_many_events"]})
    backfill = await _lock_open(tx, backfill_id, is_shared=True)
    if backfill.added_events_count + len(sent) > MOST_ADDED:
        raise Invalid({"events": ["too_many_events"]})
    metric = await _get_metric(tx, backfill.code)
    rows = _read_all(tx.organization_id, sent, backfill, _OneMetric(metric), now=now)
    await _refuse_taken(tx, backfill, rows)
    sender_id = await events.note_sender(tx, sender, now=now) if sender is not None else None
    await repository.add(tx, [_staged(backfill, row, sender_id) for row in rows])
    return rows


class _OneMetric:
    """Knows the expression of one metric."""

    def __init__(self, metric: BillableMetric) -> None:
        self._metric = metric

    def computed(self, organization_id: UUID, code: str) -> Computed | None:
        del organization_id
        metric = self._metric
        if code != metric.code or metric.expression is None or metric.field_name is None:
            return None
        return Computed.read(metric.field_name, metric.expression)


def _read_all(
    organization_id: UUID,
    sent: Sequence[events.EventInput],
    backfill: Backfill,
    metric: _OneMetric,
    *,
    now: datetime,
) -> list[Row]:
    tenant = events.Tenant(organization_id, now, metric, tells_missing_first=True)
    rows: list[Row] = []
    errors: dict[str, Any] = {}
    for index, item in enumerate(sent):
        try:
            row = events.read_event(_with_defaults(item, backfill), tenant)
        except events.InvalidEvent as error:
            errors[str(index)] = error.errors
            continue
        except events.FailedExpression as error:
            errors[str(index)] = error.details
            continue
        rows.append(row)
        wrong = _wrong_with(row, backfill)
        if wrong:
            errors[str(index)] = wrong
    if errors:
        raise Invalid(errors)
    return rows


def _with_defaults(sent: events.EventInput, backfill: Backfill) -> events.EventInput:
    subscription = sent.external_subscription_id
    return msgspec.structs.replace(
        sent,
        code=backfill.code if sent.code is None else sent.code,
        external_subscription_id=backfill.external_subscription_id if subscription is None else subscription,
    )


def _wrong_with(row: Row, backfill: Backfill) -> dict[str, list[str]]:
    errors = {}
    if row.external_subscription_id != backfill.external_subscription_id:
        errors["external_subscription_id"] = ["value_is_invalid"]
    if row.code != backfill.code:
        errors["code"] = ["value_is_invalid"]
    if not backfill.holds(row.timestamp):
        errors["timestamp"] = ["value_is_out_of_range"]
    return errors


async def _refuse_taken(tx: Tx, backfill: Backfill, rows: Sequence[Row]) -> None:
    taken = await repository.conflicting(tx, backfill, {row.id for row in rows})
    first = {row.id: index for index, row in reversed(list(enumerate(rows)))}
    refused = [index for index, row in enumerate(rows) if row.id in taken or first[row.id] != index]
    if refused:
        raise Invalid({str(index): DUPLICATE for index in refused})


def _staged(backfill: Backfill, row: Row, sender_id: int | None) -> dict[str, Any]:
    return {
        "organization_id": row.organization_id,
        "backfill_id": backfill.id,
        "event_id": row.id,
        "is_added": True,
        "transaction_id": row.transaction_id,
        "timestamp": row.timestamp,
        "properties": row.properties,
        "precise_total_amount_cents": row.precise_total_amount_cents,
        "sender_id": sender_id,
    }


async def close(tx: Tx, backfill_id: UUID, author: Author) -> Backfill:
    """Replace the events of the stretch of time by those that were added, at once and everywhere.

    What is billed of them is documented, or refused, as the organization wants it. Raises `NotFound`, `NotAllowed` with
    `event_backfill_not_open`, `period_archived`, `period_already_invoiced` or one of `UNTOLD`, and `Invalid` where an
    event that came meanwhile has the transaction id of an added one, or too many events are touched.
    """
    backfill = await get_backfill(tx, backfill_id)
    await corrections.lock_owners(tx, backfill.external_subscription_id)
    backfill = await _lock_open(tx, backfill_id)
    await _refuse_what_is_archived(tx, backfill)
    author = _by(author, backfill)
    before = await gather_usage(tx, backfill, now=author.now)
    await _note_touched(tx, backfill, author)
    async with _documented(tx, backfill, now=author.now, is_revert=False) as billed:
        await _refuse_what_is_billed(tx, backfill, is_revert=False, is_documented=billed is not None)
        await repository.forget_notes(tx, backfill.id)
        async with backfilled(tx, backfill.id):
            await repository.replace(tx, backfill, author)
        # It stands from here on: what of it is on final invoices is told by that.
        await repository.mark(tx, backfill.id, BackfillStatus.CLOSED, now=author.now, periods=None)
        await _follow(tx, backfill, author)
    after = await gather_usage(tx, backfill, now=author.now)
    finals = await events.final_windows(
        tx, {life.id for life in await _lives(tx, backfill.external_subscription_id)}
    )
    periods = [*billed_changes(billed, finals), *changes_between(before, after)]
    await repository.mark(tx, backfill.id, BackfillStatus.CLOSED, now=author.now, periods=periods)
    return await get_backfill(tx, backfill.id)


async def _note_touched(tx: Tx, backfill: Backfill, author: Author) -> None:
    await repository.store_added(tx, backfill, author)
    if await repository.has_conflicts(tx, backfill):
        raise Invalid({"transaction_id": ["value_already_exist"]})
    await repository.note_touched(tx, backfill, author)
    if await repository.count_touched(tx, backfill.id) > MOST_TOUCHED:
        raise Invalid({"event_backfill": ["too_many_events"]})


@asynccontextmanager
async def _documented(
    tx: Tx, backfill: Backfill, *, now: datetime, is_revert: bool
) -> AsyncIterator[Adjusted | None]:
    """Change the events of a backfill inside, and have what is billed of them follow; None where that is to be refused."""
    if await amendments.is_refused(tx):
        yield None
        return
    first, last = await repository.reach(tx, backfill, is_revert=is_revert)
    touched = Touched(
        external_subscription_id=backfill.external_subscription_id,
        code=backfill.code,
        first=first,
        last=last,
        is_stretch=True,
        event_ids=await repository.priced_of(tx, backfill.id),
    )
    async with amendments.adjusting(tx, touched, now=now) as billed:
        yield billed
        await repository.forget_late(tx, backfill.id, is_revert=is_revert)


async def revert(tx: Tx, backfill_id: UUID, author: Author) -> Backfill:
    """Have the events be what they were before a backfill was closed.

    Raises `NotFound`, and `NotAllowed` with `event_backfill_not_closed`, `overlapped_by_later_backfill`,
    `period_archived`, `period_already_invoiced` or one of `UNTOLD`.
    """
    backfill = await get_backfill(tx, backfill_id)
    await corrections.lock_owners(tx, backfill.external_subscription_id)
    await repository.lock(tx, backfill_id, is_shared=False)
    backfill = await get_backfill(tx, backfill_id)
    if backfill.status is not BackfillStatus.CLOSED:
        raise NotAllowed("event_backfill_not_closed")
    if await repository.is_overlapped(tx, backfill):
        raise NotAllowed("overlapped_by_later_backfill")
    await _refuse_what_is_archived(tx, backfill)
    author = _by(author, backfill)
    async with _documented(tx, backfill, now=author.now, is_revert=True) as billed:
        await _refuse_what_is_billed(tx, backfill, is_revert=True, is_documented=billed is not None)
        await repository.forget_notes(tx, backfill.id)
        async with backfilled(tx, backfill.id):
            await repository.put_back(tx, backfill, author)
        await repository.mark(tx, backfill.id, BackfillStatus.REVERTED, now=author.now, periods=None)
        await _follow(tx, backfill, author)
    return await get_backfill(tx, backfill.id)


async def drop(tx: Tx, backfill_id: UUID) -> Backfill:
    """Let go of a backfill that is open, and of what was added. Raises `NotFound`, `NotAllowed("event_backfill_not_open")`."""
    backfill = await _lock_open(tx, backfill_id)
    await repository.drop(tx, backfill_id)
    return backfill


async def _refuse_what_is_archived(tx: Tx, backfill: Backfill) -> None:
    """Raises `NotAllowed("period_archived")`: what is not here can't be replaced."""
    if await events.is_archived(
        tx,
        external_subscription_id=backfill.external_subscription_id,
        code=backfill.code,
        since=backfill.starts,
        until=backfill.ends,
    ):
        raise NotAllowed("period_archived")


async def _lock_open(tx: Tx, backfill_id: UUID, *, is_shared: bool = False) -> Backfill:
    if not await repository.lock(tx, backfill_id, is_shared=is_shared):
        raise NotFound("event_backfill")
    backfill = await get_backfill(tx, backfill_id)
    if backfill.status is not BackfillStatus.OPEN:
        raise NotAllowed("event_backfill_not_open")
    return backfill


def _by(author: Author, backfill: Backfill) -> Author:
    """Whoever gives no reason has the backfill's."""
    return author if author.reason else replace(author, reason=backfill.reason)


async def _refuse_what_is_billed(tx: Tx, backfill: Backfill, *, is_revert: bool, is_documented: bool) -> None:
    """Raises `NotAllowed("period_already_invoiced")` where an event has a fee, or counts or is to count on a final invoice.

    Not where the difference is documented.
    """
    if is_documented:
        return
    if await repository.has_fee(tx, backfill.id):
        raise NotAllowed("period_already_invoiced")
    lives = await _lives(tx, backfill.external_subscription_id)
    finals = await events.final_windows(tx, {life.id for life in lives})
    windows = [(window.starts, window.ends) for window in finals]
    first, inside = await repository.instants(tx, backfill.id, windows, is_revert=is_revert)
    metric = await billable_metrics.find_metric(tx, code=backfill.code)
    # What carries over is on the invoices of all later periods.
    is_carried = (
        metric is not None
        and metric.has_history
        and first is not None
        and any(ends > first for _, ends in windows)
    )
    if inside or is_carried:
        raise NotAllowed("period_already_invoiced")


async def _follow(tx: Tx, backfill: Backfill, author: Author) -> None:
    async for ids in repository.event_ids(tx, backfill.id):
        await corrections.note_counted(tx, ids)
    await corrections.follow_usage(tx, backfill.external_subscription_id, now=author.now)


async def _lives(tx: Tx, external_subscription_id: str) -> list[Subscription]:
    found = await subscriptions.started_of(tx, {external_subscription_id})
    return found.get(external_subscription_id, [])


async def _get_metric(tx: Tx, code: str) -> BillableMetric:
    metric = await billable_metrics.find_metric(tx, code=code)
    if metric is None:
        raise NotFound("billable_metric")
    return metric
