"""How wallets and what they are limited to are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, or_, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.db.rows import named
from tallymark.db.tables import billable_metrics, billing_entities, customers, wallet_targets, wallets
from tallymark.domain.values import names_of
from tallymark.rooms.wallets.model import Filters, Status, Wallet

IN_ORDER = (wallets.c.priority, wallets.c.created_at, wallets.c.id)
"""The order in which wallets pay (wallets §6)."""

_TARGETS = (
    select(func.jsonb_object_agg(billable_metrics.c.id, billable_metrics.c.code))
    .join(wallet_targets, wallet_targets.c.billable_metric_id == billable_metrics.c.id)
    .where(wallet_targets.c.wallet_id == wallets.c.id)
    .scalar_subquery()
    .label("targets")
)
_SELECT: Select[Any] = select(wallets, _TARGETS)


async def insert_wallet(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(wallets), dict(values))


async def update_wallet(tx: Tx, wallet_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(wallets).where(wallets.c.id == wallet_id).values(**values))


async def update_wallets(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of many wallets; `id` tells which."""
    await update_rows(tx, wallets, rows)


async def get_wallets(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Wallet]:
    rows = await tx.execute(_SELECT.where(among(wallets.c.id, ids)))
    return {values["id"]: _as_wallet(values) for values in named(rows)}


async def find_by_code(tx: Tx, customer_id: UUID, code: str) -> Wallet | None:
    """The active wallet of this code, else the one that was last ended."""
    statement = (
        _SELECT.where(wallets.c.customer_id == customer_id, wallets.c.code == code)
        .order_by(wallets.c.status != Status.ACTIVE, wallets.c.created_at.desc())
        .limit(1)
    )
    row = (await tx.execute(statement)).first()
    return _as_wallet(row._asdict()) if row else None


async def active_of(tx: Tx, customer_id: UUID) -> list[Wallet]:
    statement = _SELECT.where(wallets.c.customer_id == customer_id, wallets.c.status == Status.ACTIVE)
    return [_as_wallet(values) for values in named(await tx.execute(statement.order_by(*IN_ORDER)))]


async def active_codes(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """The codes of customers' active wallets."""
    active = (among(wallets.c.customer_id, customer_ids), wallets.c.status == Status.ACTIVE)
    found: dict[UUID, set[str]] = {}
    for row in await tx.execute(select(wallets.c.customer_id, wallets.c.code).where(*active)):
        found.setdefault(row.customer_id, set()).add(row.code)
    return found


async def active_of_customers(tx: Tx, customer_ids: Collection[UUID]) -> list[Wallet]:
    statement = _SELECT.where(among(wallets.c.customer_id, customer_ids), wallets.c.status == Status.ACTIVE)
    return [_as_wallet(values) for values in named(await tx.execute(statement.order_by(*IN_ORDER)))]


async def usable_of(tx: Tx, customer_ids: Collection[UUID], *, at: datetime) -> list[Wallet]:
    """The wallets of customers that hold anything and have not expired, in the order in which they pay."""
    statement = _SELECT.where(
        among(wallets.c.customer_id, customer_ids),
        wallets.c.status == Status.ACTIVE,
        wallets.c.balance_cents > 0,
        or_(wallets.c.expiration_at.is_(None), wallets.c.expiration_at > at),
    )
    return [_as_wallet(values) for values in named(await tx.execute(statement.order_by(*IN_ORDER)))]


async def list_wallets(tx: Tx, filters: Filters, page: Page) -> tuple[list[Wallet], int]:
    conditions = list(_conditions(filters))
    total = (await tx.execute(select(func.count()).select_from(wallets).where(*conditions))).scalar_one()
    newest = _SELECT.where(*conditions).order_by(wallets.c.created_at.desc(), wallets.c.id)
    rows = await tx.execute(newest.limit(page.size).offset(page.offset))
    return [_as_wallet(values) for values in named(rows)], int(total)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = wallets.c
    of_customer = exists().where(customers.c.id == column.customer_id)
    if filters.external_customer_id is not None:
        live = customers.c.deleted_at.is_(None)
        yield of_customer.where(customers.c.external_id == filters.external_customer_id, live)
    if filters.currency is not None:
        yield column.currency == filters.currency
    if filters.billing_entity_codes:
        entities = select(billing_entities.c.id).where(
            billing_entities.c.code.in_(filters.billing_entity_codes)
        )
        inherited = column.billing_entity_id.is_(None) & of_customer.where(
            customers.c.billing_entity_id.in_(entities)
        )
        yield or_(column.billing_entity_id.in_(entities), inherited)


async def find_metrics(tx: Tx, codes: Collection[str]) -> dict[str, UUID]:
    statement = select(billable_metrics.c.code, billable_metrics.c.id).where(
        billable_metrics.c.code.in_(codes), billable_metrics.c.deleted_at.is_(None)
    )
    return {row.code: row.id for row in await tx.execute(statement)}


async def replace_targets(tx: Tx, wallet_id: UUID, metric_ids: Collection[UUID]) -> None:
    await tx.execute(delete(wallet_targets).where(wallet_targets.c.wallet_id == wallet_id))
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "wallet_id": wallet_id,
            "billable_metric_id": metric_id,
        }
        for metric_id in metric_ids
    ]
    await insert_rows(tx, wallet_targets, rows)


def _as_wallet(row: Mapping[str, Any]) -> Wallet:
    values = {name: row[name] for name in names_of(Wallet) if name != "billable_metrics"}
    targets = {UUID(id_): code for id_, code in (row["targets"] or {}).items()}
    return Wallet(
        **{
            **values,
            "status": Status(values["status"]),
            "fee_types": tuple(values["fee_types"]),
            "billable_metrics": dict(sorted(targets.items(), key=lambda item: item[1])),
        }
    )
