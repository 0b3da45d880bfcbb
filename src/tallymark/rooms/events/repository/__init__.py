"""How events are read back."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, Select, Text, any_, cast, func, select

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import event_streams, events, subscriptions
from tallymark.metering.keys import transaction_range
from tallymark.rooms.events.model import Event, Filters
from tallymark.rooms.events.repository.errors import claim, move, report_of, reports_of_live
from tallymark.rooms.events.repository.noting import (
    count_events,
    forget_flaws,
    is_invoiced,
    note_again,
    note_arrived,
    note_followed,
)
from tallymark.rooms.events.repository.unmatched import count_by_stream, count_unmatched, list_unmatched

__all__ = [
    "claim",
    "count_by_stream",
    "count_events",
    "count_unmatched",
    "find_event",
    "forget_flaws",
    "get_events",
    "history",
    "is_invoiced",
    "known_ids",
    "list_events",
    "list_unmatched",
    "move",
    "note_again",
    "note_arrived",
    "note_followed",
    "report_of",
    "reports_of_live",
    "shown_events",
    "subscription_start",
]

COLUMNS = (
    events.c.id,
    events.c.transaction_id,
    event_streams.c.external_subscription_id,
    event_streams.c.code,
    events.c.timestamp,
    events.c.created_at,
    events.c.properties,
    events.c.precise_total_amount_cents,
)
FROM = events.join(event_streams, event_streams.c.id == events.c.stream_id)
EXACT: Select[Any] = select(
    *(column for column in COLUMNS if column is not events.c.properties),
    cast(events.c.properties, Text).label("properties"),
).select_from(FROM)
"""With properties as text, for whoever must not read their numbers as floats."""


async def find_event(tx: Tx, transaction_id: str) -> Event | None:
    """Any event of a transaction id, by a range of the primary key."""
    first, last = transaction_range(tx.organization_id.bytes, transaction_id)
    statement = (
        select(*COLUMNS)
        .select_from(FROM)
        .where(events.c.id.between(first, last), events.c.transaction_id == transaction_id)
        .limit(1)
    )
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def get_events(tx: Tx, ids: Collection[UUID]) -> list[Event]:
    """Events by id, the numbers among their properties exact."""
    return [_as_exact(row) for row in await tx.execute(EXACT.where(among(events.c.id, ids)))]


async def shown_events(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Event]:
    """Events by id, as a list shows them."""
    rows = await tx.execute(select(*COLUMNS).select_from(FROM).where(among(events.c.id, ids)))
    return {row.id: _as_value(row) for row in rows}


async def history(tx: Tx, *, external_subscription_id: str, code: str, before: datetime) -> list[Event]:
    """What a subscription sent of a code before an instant, by time and arrival."""
    statement = EXACT.where(
        event_streams.c.organization_id == tx.organization_id,
        event_streams.c.external_subscription_id == external_subscription_id,
        event_streams.c.code == code,
        events.c.timestamp < before,
    ).order_by(events.c.timestamp, events.c.created_at, events.c.id)
    return [_as_exact(row) for row in await tx.execute(statement)]


async def known_ids(tx: Tx, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these keys are stored."""
    return frozenset((await tx.execute(select(events.c.id).where(among(events.c.id, ids)))).scalars())


async def list_events(tx: Tx, filters: Filters, page: Page) -> tuple[list[Event], int]:
    """A page of events, latest first, and how many there are: both by the streams' index."""
    streams = select(event_streams.c.id).where(event_streams.c.organization_id == tx.organization_id)
    if filters.code is not None:
        streams = streams.where(event_streams.c.code == filters.code)
    if filters.external_subscription_id is not None:
        streams = streams.where(event_streams.c.external_subscription_id == filters.external_subscription_id)
    # As an array the streams are looked up first, and then each in the index; there may be any number of them.
    stream_ids = func.array(streams.scalar_subquery(), type_=ARRAY(BigInteger))
    conditions: list[ColumnElement[bool]] = [events.c.stream_id == any_(stream_ids)]
    if filters.timestamp_from is not None:
        conditions.append(events.c.timestamp >= filters.timestamp_from)
    if filters.timestamp_to is not None:
        conditions.append(events.c.timestamp <= filters.timestamp_to)
    total = (await tx.execute(select(func.count()).select_from(events).where(*conditions))).scalar_one()
    statement = (
        select(*COLUMNS)
        .select_from(FROM)
        .where(*conditions)
        .order_by(events.c.timestamp.desc(), events.c.transaction_id, events.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_value(row) for row in await tx.execute(statement)], int(total)


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
