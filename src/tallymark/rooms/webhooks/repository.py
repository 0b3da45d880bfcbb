"""How endpoints and deliveries are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    organization_switches,
    outbox,
    untold_messages,
    webhook_endpoints,
    webhook_sequences,
    webhooks,
)
from tallymark.rooms.webhooks.model import (
    Algorithm,
    Delivery,
    DeliveryFilters,
    DeliveryRecord,
    Endpoint,
    Status,
    Told,
)

_IS_OPEN = webhooks.c.status.in_(("pending", "retrying"))


async def insert_endpoint(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(webhook_endpoints), dict(values))


async def update_endpoint(tx: Tx, endpoint_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id).values(**values))


async def delete_endpoint(tx: Tx, endpoint_id: UUID) -> None:
    """Its deliveries go with it."""
    await tx.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id))


async def find_endpoint(tx: Tx, endpoint_id: UUID) -> Endpoint | None:
    row = (await tx.execute(select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id))).first()
    return _as_endpoint(row) if row else None


async def list_endpoints(tx: Tx, page: Page | None = None) -> list[Endpoint]:
    """By URL; all of them without a page."""
    statement = select(webhook_endpoints).order_by(
        webhook_endpoints.c.webhook_url, webhook_endpoints.c.created_at.desc()
    )
    if page is not None:
        statement = statement.limit(page.size).offset(page.offset)
    return [_as_endpoint(row) for row in await tx.execute(statement)]


async def count_endpoints(tx: Tx) -> int:
    return int((await tx.execute(select(func.count()).select_from(webhook_endpoints))).scalar_one())


async def find_id_of_url(tx: Tx, url: str) -> UUID | None:
    found = await tx.execute(select(webhook_endpoints.c.id).where(webhook_endpoints.c.webhook_url == url))
    return found.scalar_one_or_none()


async def organizations_to_tell(connection: AsyncConnection) -> list[UUID]:
    """Those with messages that no delivery was made of yet."""
    table = untold_messages
    found = select(table.c.organization_id).where(table.c.error.is_(None)).distinct()
    return list((await connection.execute(found)).scalars())


async def endpoints_due(connection: AsyncConnection, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """Organization and id of endpoints with something to send, unless staff hold it back."""
    due = exists().where(
        webhooks.c.endpoint_id == webhook_endpoints.c.id, _IS_OPEN, webhooks.c.next_attempt_at <= now
    )
    held = exists().where(
        organization_switches.c.organization_id == webhook_endpoints.c.organization_id,
        organization_switches.c.switch == "hold_webhooks",
    )
    found = select(webhook_endpoints.c.organization_id, webhook_endpoints.c.id).where(due, ~held)
    return [(row.organization_id, row.id) for row in await connection.execute(found)]


async def delete_before(connection: AsyncConnection, instant: datetime) -> None:
    """Forget deliveries that are over and have not changed since."""
    await connection.execute(delete(webhooks).where(webhooks.c.updated_at < instant, ~_IS_OPEN))


async def untold(tx: Tx, *, limit: int) -> list[Told]:
    """What is to be told next, in the order of the outbox."""
    statement = (
        select(outbox)
        .join(untold_messages, untold_messages.c.message_id == outbox.c.id)
        .where(untold_messages.c.error.is_(None))
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [
        Told(
            message_id=row.id,
            webhook_type=row.webhook_type,
            object_type=row.object_type,
            object_id=row.object_id,
            payload=row.payload,
            created_at=row.created_at,
            traceparent=row.traceparent,
        )
        for row in await tx.execute(statement)
    ]


async def strike_out(tx: Tx, message_ids: Collection[int]) -> None:
    await tx.execute(delete(untold_messages).where(among(untold_messages.c.message_id, message_ids)))


async def put_aside(tx: Tx, message_id: int, error: str) -> None:
    own = untold_messages.c.message_id == message_id
    await tx.execute(update(untold_messages).where(own).values(error=error[:2000]))


async def take_numbers(tx: Tx, counts: Mapping[tuple[UUID, str], int]) -> dict[tuple[UUID, str], int]:
    """The last number of each object at each endpoint, after as many more were taken as is asked."""
    if not counts:
        return {}
    rows = [
        {"endpoint_id": endpoint, "object_key": key, "organization_id": tx.organization_id, "last": count}
        for (endpoint, key), count in sorted(counts.items())
    ]
    statement = upsert(webhook_sequences).values(rows)
    table = webhook_sequences.c
    moved = statement.on_conflict_do_update(
        index_elements=[table.endpoint_id, table.object_key],
        set_={"last": table.last + statement.excluded.last},
    ).returning(table.endpoint_id, table.object_key, table.last)
    return {(row.endpoint_id, row.object_key): row.last for row in await tx.execute(moved)}


async def insert_deliveries(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, webhooks, rows)


# Of one object, what was never tried goes one after the other; what is tried again waits for nobody, and nobody for it.
_CLAIM = text("""
    UPDATE webhooks SET next_attempt_at = :lost_at WHERE id IN (
        SELECT w.id FROM webhooks w
        WHERE NOT EXISTS (
            SELECT FROM organization_switches s
            WHERE s.organization_id = w.organization_id AND s.switch = 'hold_webhooks'
        ) AND w.endpoint_id = :endpoint_id AND w.status IN ('pending', 'retrying') AND w.next_attempt_at <= :now
          AND (w.status = 'retrying' OR NOT EXISTS (
            SELECT FROM webhooks b
            WHERE b.endpoint_id = w.endpoint_id AND b.object_key = w.object_key AND b.sequence < w.sequence
              AND b.status = 'pending'))
        ORDER BY w.next_attempt_at, w.message_id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, object_key, sequence, body, traceparent
""")


async def claim(tx: Tx, endpoint_id: UUID, *, now: datetime, lost_at: datetime, limit: int) -> list[Delivery]:
    """Take what is due for an endpoint; until `lost_at` nobody else does."""
    values = {"endpoint_id": endpoint_id, "now": now, "lost_at": lost_at, "limit": limit}
    return [Delivery(**row._mapping, lost_at=lost_at) for row in await tx.execute(_CLAIM, values)]


async def update_delivery(tx: Tx, delivery_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(webhooks).where(webhooks.c.id == delivery_id).values(**values))


_RECORD = [
    webhook_endpoints.c.webhook_url,
    *(
        column
        for column in webhooks.c
        if column.name not in ("organization_id", "message_id", "body", "response", "traceparent")
    ),
]
_WHOLE = [*_RECORD, webhooks.c.body, webhooks.c.response]


async def find_record(tx: Tx, delivery_id: UUID) -> DeliveryRecord | None:
    row = (await tx.execute(_records(*_WHOLE).where(webhooks.c.id == delivery_id))).first()
    return _as_record(row) if row else None


async def lock_record(tx: Tx, delivery_id: UUID) -> DeliveryRecord | None:
    """A delivery, which nobody else changes until the transaction ends."""
    own = _records(*_RECORD).where(webhooks.c.id == delivery_id)
    row = (await tx.execute(own.with_for_update(of=webhooks))).first()
    return _as_record(row) if row else None


async def list_records(
    tx: Tx, filters: DeliveryFilters, object_keys: Sequence[str], page: Page
) -> tuple[list[DeliveryRecord], int]:
    """A page of deliveries, newest first, and how many there are; `object_keys` are what the searched id can be the object of."""
    conditions = [*_conditions(filters, object_keys)]
    total = (await tx.execute(select(func.count()).select_from(webhooks).where(*conditions))).scalar_one()
    newest = _records(*_RECORD).where(*conditions).order_by(webhooks.c.id.desc())
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_record(row) for row in rows], int(total)


def _records(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).join_from(webhooks, webhook_endpoints)


def _conditions(filters: DeliveryFilters, object_keys: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    column = webhooks.c
    if filters.endpoint_ids:
        yield column.endpoint_id.in_(filters.endpoint_ids)
    if filters.statuses:
        yield column.status.in_(filters.statuses)
    if filters.webhook_types:
        yield column.webhook_type.in_(filters.webhook_types)
    if filters.http_statuses:
        yield or_(*map(_has_http_status, filters.http_statuses))
    if filters.updated_from is not None:
        yield column.updated_at >= filters.updated_from
    if filters.updated_to is not None:
        yield column.updated_at <= filters.updated_to
    if filters.searched is not None:
        yield or_(column.id == filters.searched, column.object_key.in_(object_keys))


def _has_http_status(wanted: range) -> ColumnElement[bool]:
    status = webhooks.c.http_status
    if not wanted:
        return status.is_(None) & (webhooks.c.retries > 0)
    return status.between(wanted.start, wanted.stop - 1)


def _as_record(row: Row[Any]) -> DeliveryRecord:
    return DeliveryRecord(**{**row._mapping, "status": Status(row.status)})


def _as_endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        organization_id=row.organization_id,
        webhook_url=row.webhook_url,
        signature_algo=Algorithm(row.signature_algo),
        name=row.name,
        event_types=None if row.event_types is None else tuple(row.event_types),
        created_at=row.created_at,
    )
