"""How events are changed, and what they were is kept."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, cast, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    event_keys,
    event_streams,
    event_versions,
    events,
    events_to_price,
    fees,
    flawed_events,
    late_events,
    subscriptions,
)
from tallymark.rooms.corrections.model import Author, Stored, Version

_VERSION = (
    event_versions.c.version,
    event_versions.c.is_void,
    event_versions.c.timestamp,
    event_versions.c.properties,
    event_versions.c.precise_total_amount_cents,
    event_versions.c.reason,
    event_versions.c.api_key_id,
    event_versions.c.user_email,
    event_versions.c.created_at,
)
# An event of a charge in advance, or one that may name a wallet, is looked at as it comes in; a corrected one once more, unless
# it has its fee.
_ASK_FOR_PRICE = text("""
    WITH asked AS (
        SELECT e.organization_id, e.id, e.stream_id FROM events_by_id e JOIN event_streams s ON s.id = e.stream_id
        WHERE e.id = ANY(CAST(:ids AS uuid[])) AND EXISTS (
            SELECT FROM charges c JOIN billable_metrics m ON m.id = c.billable_metric_id
            WHERE m.organization_id = s.organization_id AND m.code = s.code AND m.deleted_at IS NULL
              AND (c.pay_in_advance OR c.accepts_target_wallet) AND c.deleted_at IS NULL)
        ORDER BY e.created_at, e.id
    )
    INSERT INTO events_to_price (organization_id, event_id, stream_id)
    SELECT organization_id, id, stream_id FROM asked
""")


_IS_AT_ITS_KEY = and_(
    events.c.id == event_keys.c.id,
    events.c.stream_id == event_keys.c.stream_id,
    events.c.timestamp == event_keys.c.timestamp,
)
# In no stream is what was voided, and what came too late.
_IS_HELD = exists().where(
    late_events.c.event_id == events.c.id, or_(late_events.c.is_waiting, late_events.c.is_rejected)
)


async def find(tx: Tx, event_id: UUID) -> Stored | None:
    """An event, locked; a voided one too, which is in no stream: its stream's number is turned below zero."""
    statement = (
        select(
            events.c.id,
            events.c.transaction_id,
            event_streams.c.external_subscription_id,
            event_streams.c.code,
            func.coalesce(events.c.occurred_at, events.c.timestamp).label("timestamp"),
            events.c.timestamp.label("counts_at"),
            events.c.created_at,
            cast(events.c.properties, Text).label("properties"),
            events.c.precise_total_amount_cents,
            and_(events.c.stream_id < 0, ~_IS_HELD).label("is_void"),
            and_(events.c.stream_id < 0, _IS_HELD).label("is_held"),
        )
        .select_from(event_keys.join(events, _IS_AT_ITS_KEY))
        .join(event_streams, event_streams.c.id == func.abs(events.c.stream_id))
        .where(event_keys.c.id == event_id)
        .with_for_update(of=events)
    )
    row = (await tx.execute(statement)).first()
    return None if row is None else Stored(**row._mapping)


async def is_known(tx: Tx, event_id: UUID) -> bool:
    """Whether an event was ever acknowledged; it may have left the database since."""
    statement = select(event_keys.c.id).where(event_keys.c.id == event_id)
    return (await tx.execute(statement)).first() is not None


async def customers_of(tx: Tx, external_subscription_id: str) -> list[UUID]:
    """Whose subscriptions have had an external id, the cancelled ones left out."""
    statement = select(subscriptions.c.customer_id).where(
        subscriptions.c.external_id == external_subscription_id, subscriptions.c.status != "canceled"
    )
    return list((await tx.execute(statement.distinct())).scalars())


async def active_of(tx: Tx, external_subscription_id: str) -> dict[UUID, UUID]:
    """The customers of the active subscriptions of an external id."""
    statement = select(subscriptions.c.id, subscriptions.c.customer_id).where(
        subscriptions.c.external_id == external_subscription_id, subscriptions.c.status == "active"
    )
    return {row.id: row.customer_id for row in await tx.execute(statement)}


async def has_fee(tx: Tx, event_id: UUID) -> bool:
    """Whether an event was billed by itself."""
    statement = select(fees.c.id).where(fees.c.event_id == event_id).limit(1)
    return (await tx.execute(statement)).first() is not None


async def write(tx: Tx, event: Stored, *, author: Author, version: int) -> None:
    """Make an event what it is to be, and keep that as its next version."""
    stream = func.abs(events.c.stream_id)
    counts = {
        "timestamp": event.counts_at,
        "occurred_at": event.timestamp if event.is_moved else None,
        "stream_id": -stream if event.is_void else stream,
    }
    await tx.execute(
        update(events)
        .where(event_keys.c.id == event.id, _IS_AT_ITS_KEY)
        .values({**_content(event), **counts})
    )
    await _add_version(
        tx,
        event,
        version=version,
        reason=author.reason,
        api_key_id=author.api_key_id,
        user_email=author.user_email,
        created_at=author.now,
    )


async def write_first(tx: Tx, event: Stored) -> None:
    """Keep what came in, before it is corrected for the first time."""
    await _add_version(tx, event, version=1, created_at=event.created_at)


def _content(event: Stored) -> dict[str, Any]:
    return {
        "timestamp": event.timestamp,
        "properties": cast(cast(event.properties, Text), JSONB),
        "precise_total_amount_cents": event.precise_total_amount_cents,
    }


async def _add_version(tx: Tx, event: Stored, **about: Any) -> None:
    row = {"organization_id": tx.organization_id, "event_id": event.id, "is_void": event.is_void}
    await tx.execute(insert(event_versions).values(**row, **_content(event), **about))


async def forget_notes(tx: Tx, event_id: UUID, *, is_moved: bool) -> None:
    """Drop what was noted of an event, and take it off the list of events to price. One that is moved stays so."""
    for table in (
        (flawed_events, events_to_price) if is_moved else (flawed_events, late_events, events_to_price)
    ):
        await tx.execute(delete(table).where(table.c.event_id == event_id))


async def ask_for_price(tx: Tx, ids: Collection[UUID]) -> None:
    """Have events priced, where there is a charge in advance on their code, or the wallet looked for that they may name."""
    await tx.execute(_ASK_FOR_PRICE, {"ids": list(ids)})


async def versions_of(tx: Tx, event_id: UUID) -> list[Version]:
    """The versions that are kept, the first one first: none of an event that was never corrected."""
    statement = select(*_VERSION).where(event_versions.c.event_id == event_id)
    rows = await tx.execute(statement.order_by(event_versions.c.version))
    return [Version(**row._mapping) for row in rows]


async def corrected_among(tx: Tx, event_ids: Collection[UUID]) -> set[UUID]:
    """Of events those that have versions."""
    statement = select(event_versions.c.event_id).where(among(event_versions.c.event_id, event_ids))
    return set((await tx.execute(statement.distinct())).scalars())


def first_version(event: Stored) -> Version:
    """The only version of an event that was never corrected."""
    return Version(
        version=1,
        is_void=False,
        timestamp=event.timestamp,
        properties=json.loads(event.properties),
        precise_total_amount_cents=event.precise_total_amount_cents,
        reason=None,
        api_key_id=None,
        user_email=None,
        created_at=event.created_at,
    )
