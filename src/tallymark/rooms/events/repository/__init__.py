"""How events are read back."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Table,
    Text,
    and_,
    any_,
    cast,
    exists,
    func,
    or_,
    select,
    union_all,
)

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import event_keys, event_streams, events, events_by_id, late_events, subscriptions
from tallymark.metering.keys import transaction_range
from tallymark.rooms.events.model import Event, Filters
from tallymark.rooms.events.repository.errors import claim, move, report_of, reports_of_live
from tallymark.rooms.events.repository.leaving import is_archived, note_leaving
from tallymark.rooms.events.repository.noting import (
    count_events,
    final_windows,
    forget_flaws,
    is_invoiced,
    judge_again,
    note_again,
    note_arrived,
    note_followed,
)
from tallymark.rooms.events.repository.senders import delete_senders, find_sender, note_sender
from tallymark.rooms.events.repository.unmatched import count_by_stream, count_unmatched, list_unmatched

__all__ = [
    "claim",
    "count_by_stream",
    "count_events",
    "count_unmatched",
    "delete_senders",
    "final_windows",
    "find_event",
    "find_sender",
    "forget_flaws",
    "get_events",
    "history",
    "is_invoiced",
    "judge_again",
    "is_archived",
    "known_ids",
    "list_events",
    "list_unmatched",
    "move",
    "note_again",
    "note_arrived",
    "note_followed",
    "note_leaving",
    "note_sender",
    "report_of",
    "reports_of_live",
    "shown_events",
    "subscription_start",
]


def _columns(source: Table) -> tuple[ColumnElement[Any], ...]:
    return (
        source.c.id,
        source.c.transaction_id,
        event_streams.c.external_subscription_id,
        event_streams.c.code,
        source.c.timestamp,
        source.c.created_at,
        source.c.precise_total_amount_cents,
        source.c.occurred_at,
    )


def _exact(source: Table) -> Select[Any]:
    """With properties as text, for whoever must not read their numbers as floats."""
    return select(*_columns(source), cast(source.c.properties, Text).label("properties")).select_from(
        source.join(event_streams, event_streams.c.id == source.c.stream_id)
    )


def _is_shown(source: Table) -> ColumnElement[bool]:
    """What came too late is shown too, though it may be in no stream; what was voided is not."""
    held = late_events.alias("held")
    is_held = exists().where(held.c.event_id == source.c.id, or_(held.c.is_waiting, held.c.is_rejected))
    return or_(source.c.stream_id > 0, is_held)


_SHOWN: Select[Any] = select(
    *_columns(events_by_id),
    events_by_id.c.properties,
    late_events.c.subscription_id,
    late_events.c.billed_from,
).select_from(
    events_by_id.join(event_streams, event_streams.c.id == func.abs(events_by_id.c.stream_id)).outerjoin(
        late_events,
        and_(late_events.c.event_id == events_by_id.c.id, events_by_id.c.occurred_at.is_not(None)),
    )
)


async def find_event(tx: Tx, transaction_id: str) -> Event | None:
    """Any event of a transaction id, by a range of the keys."""
    first, last = transaction_range(tx.organization_id.bytes, transaction_id)
    statement = _SHOWN.where(
        events_by_id.c.id.between(first, last),
        events_by_id.c.transaction_id == transaction_id,
        _is_shown(events_by_id),
    ).limit(1)
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def get_events(tx: Tx, ids: Collection[UUID]) -> list[Event]:
    """Events by id, the numbers among their properties exact."""
    return [
        _as_exact(row) for row in await tx.execute(_exact(events_by_id).where(among(events_by_id.c.id, ids)))
    ]


async def shown_events(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Event]:
    """Events by id, as a list shows them."""
    rows = await tx.execute(_SHOWN.where(among(events_by_id.c.id, ids)))
    return {row.id: _as_value(row) for row in rows}


async def history(tx: Tx, *, external_subscription_id: str, code: str, before: datetime) -> list[Event]:
    """What a subscription sent of a code before an instant, by time and arrival."""
    statement = (
        _exact(events)
        .where(
            event_streams.c.organization_id == tx.organization_id,
            event_streams.c.external_subscription_id == external_subscription_id,
            event_streams.c.code == code,
            events.c.timestamp < before,
        )
        .order_by(events.c.timestamp, events.c.created_at, events.c.id)
    )
    return [_as_exact(row) for row in await tx.execute(statement)]


async def known_ids(tx: Tx, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these keys are stored."""
    return frozenset((await tx.execute(select(event_keys.c.id).where(among(event_keys.c.id, ids)))).scalars())


async def list_events(tx: Tx, filters: Filters, page: Page) -> tuple[list[Event], int]:
    """A page of events, latest first, and how many there are: both by the streams' index."""
    streams = select(event_streams.c.id).where(event_streams.c.organization_id == tx.organization_id)
    if filters.code is not None:
        streams = streams.where(event_streams.c.code == filters.code)
    if filters.external_subscription_id is not None:
        streams = streams.where(event_streams.c.external_subscription_id == filters.external_subscription_id)
    has_late = (await tx.execute(_HAS_LATE)).scalar_one()
    wanted: Any = streams
    if has_late:
        wanted = streams.union_all(streams.with_only_columns(-event_streams.c.id))
    # As an array the streams are looked up first, and then each in the index; there may be any number of them.
    in_streams = events.c.stream_id == any_(func.array(wanted.scalar_subquery(), type_=ARRAY(BigInteger)))
    parts: list[list[ColumnElement[bool]]] = [[in_streams, *_within(filters, events.c.timestamp)]]
    if has_late:
        # Each part by an index of its own: what counts by its own time, and what counts elsewhere.
        parts[0] += [_is_shown(events), events.c.occurred_at.is_(None)]
        moved = _within(filters, events.c.occurred_at)
        parts.append([in_streams, *moved, _is_shown(events), events.c.occurred_at.is_not(None)])
    total = 0
    for part in parts:
        counted = select(func.count()).select_from(events).where(*part)
        total += int((await tx.execute(counted)).scalar_one())
    happened = func.coalesce(events.c.occurred_at, events.c.timestamp) if has_late else events.c.timestamp
    columns = (events.c.id, events.c.transaction_id, happened.label("happened"))
    found = union_all(*(select(*columns).where(*part) for part in parts)).subquery()
    ids = select(found.c.id).order_by(found.c.happened.desc(), found.c.transaction_id, found.c.id)
    chosen = list((await tx.execute(ids.limit(page.size).offset(page.offset))).scalars())
    shown = await shown_events(tx, chosen) if chosen else {}
    return [shown[event_id] for event_id in chosen], total


# Nearly nobody has any, and whoever has none reads events by their index alone.
_HAS_LATE = select(
    exists().where(
        or_(late_events.c.is_waiting, late_events.c.is_rejected, late_events.c.billed_from.is_not(None))
    )
)


def _within(filters: Filters, at: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.timestamp_from is not None:
        conditions.append(at >= filters.timestamp_from)
    if filters.timestamp_to is not None:
        conditions.append(at <= filters.timestamp_to)
    return conditions


async def subscription_start(tx: Tx, external_id: str) -> datetime | None:
    """When the live subscription of an external id started, else the last terminated one."""
    statement = (
        select(subscriptions.c.started_at)
        .where(
            subscriptions.c.external_id == external_id, subscriptions.c.status.in_(("active", "terminated"))
        )
        .order_by(subscriptions.c.terminated_at.desc().nulls_first())
        .limit(1)
    )
    found: datetime | None = (await tx.execute(statement)).scalar_one_or_none()
    return found


def _as_exact(row: Row[Any]) -> Event:
    properties = json.loads(row.properties, parse_float=Decimal)
    return Event(**{**row._mapping, "properties": properties})


def _as_value(row: Row[Any]) -> Event:
    return Event(**row._mapping)
