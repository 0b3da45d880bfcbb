"""How connections are kept, the links of customers to them, and what providers have sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.db.tables import (
    customers,
    payment_links,
    payment_methods,
    payment_providers,
    payment_requests_invoices,
    payments,
    provider_events,
    test_clocks,
)
from tallymark.domain.values import names_of
from tallymark.rooms.payment_providers.model import ProviderEvent, ProviderKind, StoredConnection

Values = Mapping[str, Any]
LIVE = payment_providers.c.deleted_at.is_(None)


async def insert_connection(tx: Tx, values: Values) -> None:
    await tx.execute(insert(payment_providers), dict(values))


async def update_connection(tx: Tx, connection_id: UUID, values: Values) -> None:
    await tx.execute(
        update(payment_providers).where(payment_providers.c.id == connection_id).values(**values)
    )


async def list_connections(tx: Tx, kind: ProviderKind | None = None) -> list[StoredConnection]:
    """The live ones, the oldest first."""
    of_kind = () if kind is None else (payment_providers.c.kind == kind.value,)
    statement = select(payment_providers).where(LIVE, *of_kind)
    rows = await tx.execute(statement.order_by(payment_providers.c.created_at, payment_providers.c.id))
    return [_as_value(row) for row in rows]


async def find_connection(tx: Tx, connection_id: UUID) -> StoredConnection | None:
    """One by its id, be it deleted."""
    statement = select(payment_providers).where(payment_providers.c.id == connection_id)
    row = (await tx.execute(statement)).first()
    return _as_value(row) if row else None


async def count_customers(tx: Tx) -> dict[UUID, int]:
    """How many live customers are linked to each connection."""
    column = customers.c
    statement = (
        select(column.payment_provider_id, func.count().label("linked"))
        .where(column.payment_provider_id.is_not(None), column.deleted_at.is_(None))
        .group_by(column.payment_provider_id)
    )
    return {row.payment_provider_id: int(row.linked) for row in await tx.execute(statement)}


async def rename_links(tx: Tx, connection_id: UUID, code: str, *, at: datetime) -> list[UUID]:
    """Write a connection's new code on its customers and their methods; who these customers are."""
    new = {"payment_provider_code": code, "updated_at": at}
    methods = update(payment_methods).where(payment_methods.c.payment_provider_id == connection_id)
    await tx.execute(methods.values(**new))
    linked = update(customers).where(customers.c.payment_provider_id == connection_id)
    rows = await tx.execute(linked.values(**new).returning(customers.c.id))
    return sorted(rows.scalars())


async def remove_links(tx: Tx, connection_id: UUID, *, at: datetime) -> list[UUID]:
    """Part a connection's customers from it and their methods; who they are."""
    gone = {"is_default": False, "deleted_at": at, "updated_at": at}
    methods = update(payment_methods).where(
        payment_methods.c.payment_provider_id == connection_id, payment_methods.c.deleted_at.is_(None)
    )
    await tx.execute(methods.values(**gone))
    nobody = dict.fromkeys(
        (
            "payment_provider", "payment_provider_code", "payment_provider_id", "provider_customer_id",
            "sync_with_provider", "provider_payment_methods",
        )
    )  # fmt: skip
    linked = update(customers).where(customers.c.payment_provider_id == connection_id)
    rows = await tx.execute(linked.values(**nobody, updated_at=at).returning(customers.c.id))
    return sorted(rows.scalars())


async def open_links(tx: Tx, connection_id: UUID) -> list[UUID]:
    """The pages on which something may still be paid by a connection."""
    column = payment_links.c
    statement = select(column.id).where(
        column.payment_provider_id == connection_id, column.closed_at.is_(None)
    )
    return sorted((await tx.execute(statement)).scalars())


async def undecided(tx: Tx, connection_id: UUID) -> list[tuple[UUID, UUID]]:
    """The invoices of payments that a connection has not decided, alone or by a payment request, each with its customer."""
    held, paid = payment_requests_invoices.c, payments.c
    statement = (
        select(func.coalesce(paid.invoice_id, held.invoice_id).label("invoice_id"), paid.customer_id)
        .select_from(
            payments.outerjoin(payment_requests_invoices, held.payment_request_id == paid.payment_request_id)
        )
        .where(paid.payment_provider_id == connection_id, paid.payment_status.in_(("pending", "processing")))
    )
    return sorted({(row.invoice_id, row.customer_id) for row in await tx.execute(statement)})


async def insert_event(tx: Tx, values: Values) -> bool:
    """Keep an event; False where it is there already."""
    statement = upsert(provider_events).values(**values)
    kept = statement.on_conflict_do_nothing(index_elements=["payment_provider_id", "digest"])
    return (await tx.execute(kept.returning(provider_events.c.id))).first() is not None


async def find_event(tx: Tx, event_id: UUID) -> ProviderEvent | None:
    row = (await tx.execute(select(provider_events).where(provider_events.c.id == event_id))).first()
    return _as_event(row) if row else None


async def get_event_of(tx: Tx, connection_id: UUID, digest: bytes) -> ProviderEvent:
    """One that is there, by what it says."""
    column = provider_events.c
    statement = select(provider_events).where(
        column.payment_provider_id == connection_id, column.digest == digest
    )
    return _as_event((await tx.execute(statement)).one())


async def update_event(tx: Tx, event_id: UUID, values: Values) -> None:
    await tx.execute(update(provider_events).where(provider_events.c.id == event_id).values(**values))


async def delete_events(connection: AsyncConnection, *, processed_before: datetime) -> None:
    await connection.execute(delete(provider_events).where(provider_events.c.processed_at < processed_before))


async def has_clock(tx: Tx) -> bool:
    """Whether the organization is simulated."""
    return (await tx.execute(select(test_clocks.c.organization_id))).first() is not None


def _as_value(row: Row[Any]) -> StoredConnection:
    values = {name: getattr(row, name) for name in names_of(StoredConnection)}
    return StoredConnection(**{**values, "kind": ProviderKind(row.kind)})


def _as_event(row: Row[Any]) -> ProviderEvent:
    return ProviderEvent(**{name: getattr(row, name) for name in names_of(ProviderEvent)})
