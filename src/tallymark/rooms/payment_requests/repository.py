"""How payment requests are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    billing_entities,
    customers,
    payment_requests,
    payment_requests_invoices,
    payments,
)
from tallymark.rooms.payment_requests.model import Filters, PaymentRequest

_held = payment_requests_invoices.c


async def insert(
    tx: Tx, requests: Sequence[Mapping[str, Any]], invoices: Sequence[Mapping[str, Any]]
) -> None:
    await insert_rows(tx, payment_requests, requests)
    await insert_rows(tx, payment_requests_invoices, invoices)


async def get_requests(tx: Tx, ids: Collection[UUID]) -> dict[UUID, PaymentRequest]:
    rows = await tx.execute(select(payment_requests).where(among(payment_requests.c.id, ids)))
    return {row.id: _as_value(row) for row in rows}


async def invoices_of(tx: Tx, ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The invoices of requests in their order: (payment_request_id, invoice_id, paid_amount_cents)."""
    statement = (
        select(_held.payment_request_id, _held.invoice_id, _held.paid_amount_cents)
        .where(among(_held.payment_request_id, ids))
        .order_by(_held.payment_request_id, _held.position)
    )
    return (await tx.execute(statement)).all()


async def held_by_campaigns(tx: Tx, invoice_ids: Collection[UUID]) -> set[UUID]:
    """Those of some invoices that a request holds which a campaign made."""
    statement = (
        select(_held.invoice_id)
        .join(payment_requests, payment_requests.c.id == _held.payment_request_id)
        .where(among(_held.invoice_id, invoice_ids), payment_requests.c.dunning_campaign_id.is_not(None))
    )
    return set((await tx.execute(statement)).scalars())


async def being_collected(tx: Tx, invoice_ids: Collection[UUID]) -> set[UUID]:
    """Those of some invoices that a provider is at work on, and those of requests whose payment is not decided."""
    column = payments.c
    alone = select(column.invoice_id).where(
        among(column.invoice_id, invoice_ids), column.payment_status == "processing"
    )
    together = (
        select(_held.invoice_id)
        .join(payments, column.payment_request_id == _held.payment_request_id)
        .where(among(_held.invoice_id, invoice_ids), column.payment_status.in_(("pending", "processing")))
    )
    return set((await tx.execute(alone.union(together))).scalars())


async def holding(tx: Tx, invoice_ids: Collection[UUID]) -> set[UUID]:
    """The requests that hold any of some invoices."""
    statement = select(_held.payment_request_id).where(among(_held.invoice_id, invoice_ids))
    return set((await tx.execute(statement)).scalars())


async def is_held_by_paid(tx: Tx, invoice_id: UUID) -> bool:
    """Whether a request that was paid holds an invoice."""
    paid = exists().where(
        payment_requests.c.id == _held.payment_request_id,
        payment_requests.c.payment_status == "succeeded",
    )
    statement = select(func.count()).where(_held.invoice_id == invoice_id, paid)
    return bool((await tx.execute(statement)).scalar_one())


async def set_paid(tx: Tx, request_id: UUID, paid: Mapping[UUID, int]) -> None:
    """Write what of each invoice was paid."""
    statement = (
        update(payment_requests_invoices)
        .where(_held.payment_request_id == request_id, _held.invoice_id == bindparam("paid_id"))
        .values(paid_amount_cents=bindparam("cents"))
    )
    await tx.execute(statement, [{"paid_id": id_, "cents": cents} for id_, cents in paid.items()])


async def update_request(tx: Tx, request_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(payment_requests).where(payment_requests.c.id == request_id).values(**values))


async def list_requests(tx: Tx, filters: Filters, page: Page) -> tuple[list[PaymentRequest], int]:
    conditions = [*_conditions(filters)]
    counted = select(func.count()).select_from(payment_requests).where(*conditions)
    total = (await tx.execute(counted)).scalar_one()
    statement = (
        select(payment_requests)
        .where(*conditions)
        .order_by(payment_requests.c.created_at.desc(), payment_requests.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_value(row) for row in await tx.execute(statement)], int(total)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = payment_requests.c
    if filters.external_customer_id is not None:
        of_id = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield column.customer_id.in_(of_id)
    if filters.customer_id is not None:
        yield column.customer_id == filters.customer_id
    if filters.payment_status is not None:
        yield column.payment_status == filters.payment_status
    if filters.currency is not None:
        yield column.currency == filters.currency
    if filters.billing_entity_codes:
        of_codes = select(billing_entities.c.id).where(
            billing_entities.c.code.in_(filters.billing_entity_codes)
        )
        yield column.billing_entity_id.in_(of_codes)


def _as_value(row: Row[Any]) -> PaymentRequest:
    return PaymentRequest(**{name: getattr(row, name) for name in PaymentRequest.__slots__})
