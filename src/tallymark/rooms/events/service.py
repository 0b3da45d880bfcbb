"""What can be read of events (metering §1.4), which of them count nowhere (beyond.md §2), and what was odd about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs import agenda, usage_days
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.metering.senders import Sender as Sender
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.events import repository
from tallymark.rooms.events.model import (
    ErrorReport,
    Event,
    Filters,
    FinalWindow,
    Reach,
    Replayed,
    UnmatchedCount,
    UnmatchedReason,
)
from tallymark.rooms.events.parsing import EventInput as EventInput
from tallymark.rooms.events.parsing import FailedExpression as FailedExpression
from tallymark.rooms.events.parsing import InvalidEvent as InvalidEvent
from tallymark.rooms.events.parsing import Tenant as Tenant
from tallymark.rooms.events.parsing import decode_list as decode_list
from tallymark.rooms.events.parsing import read_changes as read_changes
from tallymark.rooms.events.parsing import read_event as read_event

HOUR = timedelta(hours=1)
AFTER_HOUR = timedelta(minutes=5)
"""When what was odd in an hour is told."""

MOST_REPLAYED = 1_000_000
"""How many events one replay looks at: more are asked for in parts."""


async def get_event(tx: Tx, *, transaction_id: str) -> Event:
    """Any event of a transaction id. Raises `NotFound("event")`."""
    event = await repository.find_event(tx, transaction_id)
    if event is None:
        raise NotFound("event")
    return event


async def get_sender(tx: Tx, event_id: UUID) -> Sender | None:
    """Who sent an event, None where that is not kept. Raises `NotFound("event")`."""
    found = await repository.find_sender(tx, event_id)
    if found is None:
        raise NotFound("event")
    return found.sender


async def note_sender(tx: Tx, sender: Sender, *, now: datetime) -> int:
    """The number of who sends events, for those that come in beside the fast lane."""
    return await repository.note_sender(tx, sender, now=now)


async def forget_senders(connection: AsyncConnection, *, now: datetime, months: int) -> None:
    """Forget who sent events before so many full months."""
    await repository.delete_senders(connection, now=now, months=months)


async def get_events(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Event]:
    """Events by id, the numbers among their properties as exact decimals."""
    return {event.id: event for event in await repository.get_events(tx, ids)} if ids else {}


async def history(tx: Tx, *, external_subscription_id: str, code: str, before: datetime) -> list[Event]:
    """What a subscription sent of a code before an instant, in the order of time and arrival."""
    return await repository.history(
        tx, external_subscription_id=external_subscription_id, code=code, before=before
    )


async def list_events(tx: Tx, filters: Filters, page: Page) -> tuple[list[Event], int]:
    """A page of events, latest first, and how many there are."""
    return await repository.list_events(tx, filters, page)


async def subscription_start(tx: Tx, *, external_id: str) -> datetime | None:
    """When the live subscription of that id started, else the last terminated one."""
    return await repository.subscription_start(tx, external_id)


async def list_unmatched(
    tx: Tx, filters: Filters, reason: UnmatchedReason | None, page: Page
) -> tuple[list[tuple[Event, UnmatchedReason]], int]:
    """A page of the events that count nowhere, latest first, each with its reason, and how many there are."""
    found, total = await repository.list_unmatched(tx, filters, reason, page)
    shown = await repository.shown_events(tx, [item.event_id for item in found]) if found else {}
    return [(shown[item.event_id], item.reason) for item in found], total


async def count_unmatched(
    tx: Tx, filters: Filters, reason: UnmatchedReason | None, page: Page
) -> tuple[Sequence[UnmatchedCount], int]:
    """Unmatched events by reason, code and subscription, the most first."""
    return await repository.count_by_stream(tx, filters, reason, page)


async def replay(tx: Tx, reach: Reach) -> Replayed:
    """Look at events again as if they had just come. Raises `Invalid` for more than a million.

    What an event was too late for when it came, it stays too late for.
    """
    if await repository.count_events(tx, reach, most=MOST_REPLAYED + 1) > MOST_REPLAYED:
        raise Invalid({"replay": ["too_many_events"]})
    examined = await repository.note_again(tx, reach)
    unmatched = await repository.count_unmatched(
        tx,
        Filters(
            code=reach.code,
            external_subscription_id=reach.external_subscription_id,
            timestamp_from=reach.earliest,
            timestamp_to=reach.latest,
        ),
    )
    return Replayed(examined=examined, matched=examined - unmatched)


async def note_arrived(tx: Tx, ids: Collection[UUID], *, now: datetime) -> None:
    """Note events of a simulated organization as they come in, and when what is odd about them is told."""
    await repository.note_arrived(tx, ids)
    await usage_days.note_arrived(tx, ids)
    hour = start_of_hour(now)
    told = uuid5(tx.organization_id, hour.isoformat())
    due_at = hour + HOUR + AFTER_HOUR
    await agenda.put(
        tx, Item(kind=Kind.TELL_EVENT_ERRORS, subject_id=told, owner_id=tx.organization_id, due_at=due_at)
    )


async def final_windows(tx: Tx, subscription_ids: Collection[UUID]) -> list[FinalWindow]:
    """Usage of subscriptions that is on invoices which change no more."""
    return await repository.final_windows(tx, subscription_ids)


async def is_invoiced(
    tx: Tx,
    *,
    external_subscription_id: str,
    code: str,
    event_id: UUID,
    at: datetime,
    came_at: datetime | None = None,
) -> bool:
    """Whether the usage of an instant is on a final invoice of a subscription of that external id.

    With `came_at`, whether an event that came then is: one that came after it is not on it. What carries over is on those
    of later periods too.
    """
    return await repository.is_invoiced(
        tx,
        external_subscription_id=external_subscription_id,
        code=code,
        event_id=event_id,
        at=at,
        came_at=came_at,
    )


async def note_corrected(tx: Tx, ids: Collection[UUID]) -> None:
    """Note events that are other than they came in; what was noted of them before is to be dropped first."""
    await repository.note_arrived(tx, ids)
    await usage_days.note_arrived(tx, ids)


async def look_again(tx: Tx, metric_ids: Collection[UUID]) -> None:
    """Look again at the events of metrics that are new, or read another property now."""
    for metric in (await billable_metrics.get_metrics(tx, metric_ids)).values():
        await repository.forget_flaws(tx, metric.id)
        await repository.note_again(tx, Reach(code=metric.code))
        await repository.judge_again(tx, code=metric.code)


async def report_errors(tx: Tx, *, at: datetime, now: datetime) -> None:
    """Tell what was odd about an organization's events of the full hour before an instant (metering §1.7)."""
    until = start_of_hour(at)
    report = await repository.report_of(tx, since=until - HOUR, until=until)
    if report is not None:
        await tell_errors(tx, report, now=now)


async def tell_errors(tx: Tx, report: ErrorReport, *, now: datetime) -> None:
    """Emit `events.errors`."""
    payload = {
        "invalid_code": list(report.invalid_code),
        "missing_aggregation_property": list(report.missing_aggregation_property),
        "missing_group_key": None,
        "invalid_filter_values": list(report.invalid_filter_values),
    }
    message = Message(
        webhook_type="events.errors", object_type="events_errors", object_id=None, payload=payload
    )
    await emit(tx, message, now=now)


async def note_leaving(
    connection: AsyncConnection, archive_id: UUID, *, table: str, starts: datetime, ends: datetime
) -> int:
    """Note the streams whose events of a stretch of time nobody needs any more, and count these events (decision 31)."""
    return await repository.note_leaving(connection, archive_id, table=table, starts=starts, ends=ends)


async def is_archived(
    tx: Tx, *, external_subscription_id: str, code: str, since: datetime, until: datetime
) -> bool:
    """Whether events of a subscription and code have left the database, of a stretch of time or a part of it."""
    return await repository.is_archived(
        tx, external_subscription_id=external_subscription_id, code=code, since=since, until=until
    )


def start_of_hour(at: datetime) -> datetime:
    """The full hour that an instant lies in."""
    return at.replace(minute=0, second=0, microsecond=0)
