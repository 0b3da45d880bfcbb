"""How the moves of wallets, and which of them paid which, are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, delete, func, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.rows import named
from tallymark.db.tables import wallet_transaction_consumptions as consumptions
from tallymark.db.tables import wallet_transactions as transactions
from tallymark.domain.values import names_of
from tallymark.rooms.wallets.model import (
    Consumption,
    Direction,
    Kind,
    Settlement,
    Source,
    Transaction,
    TransactionFilters,
)

_RECENT = 20
"""Purchases of a wallet that tell whether it was filled again and again, and whether the last one failed."""


async def insert_transactions(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, transactions, rows)


async def update_transactions(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of many transactions; `id` tells which."""
    await update_rows(tx, transactions, rows)


async def insert_consumptions(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, consumptions, rows)


async def delete_consumptions(tx: Tx, outbound_ids: Collection[UUID]) -> None:
    """Forget what outbound transactions took that were undone."""
    if outbound_ids:
        column = consumptions.c.outbound_transaction_id
        await tx.execute(delete(consumptions).where(among(column, outbound_ids)))


async def parts_of(tx: Tx, outbound_ids: Collection[UUID]) -> dict[UUID, list[tuple[Transaction, int]]]:
    """What each of some outbound transactions took of which inbound ones, in minor units."""
    of, other = consumptions.c.outbound_transaction_id, consumptions.c.inbound_transaction_id
    statement = (
        select(transactions, of.label("of_outbound"), consumptions.c.consumed_amount_cents)
        .join(consumptions, transactions.c.id == other)
        .where(among(of, outbound_ids))
        .order_by(consumptions.c.id)
    )
    found: dict[UUID, list[tuple[Transaction, int]]] = {}
    for row in await tx.execute(statement):
        part = _as_transaction(row._asdict()), row.consumed_amount_cents
        found.setdefault(row.of_outbound, []).append(part)
    return found


async def note_invoice(tx: Tx, transaction_id: UUID, invoice_id: UUID, *, now: datetime) -> None:
    noted = update(transactions).where(transactions.c.id == transaction_id)
    await tx.execute(noted.values(invoice_id=invoice_id, updated_at=now))


async def get_transactions(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Transaction]:
    rows = await tx.execute(select(transactions).where(among(transactions.c.id, ids)))
    return {values["id"]: _as_transaction(values) for values in named(rows)}


async def purchase_of(tx: Tx, invoice_id: UUID) -> Transaction | None:
    """The purchase that a credit invoice is for."""
    statement = select(transactions).where(
        transactions.c.invoice_id == invoice_id, transactions.c.transaction_status == Kind.PURCHASED
    )
    row = (await tx.execute(statement)).first()
    return _as_transaction(row._asdict()) if row else None


async def drawn_by(tx: Tx, invoice_id: UUID) -> list[Transaction]:
    """What an invoice took of wallets."""
    statement = select(transactions).where(
        transactions.c.invoice_id == invoice_id, transactions.c.transaction_status == Kind.INVOICED
    )
    rows = await tx.execute(statement.order_by(transactions.c.created_at, transactions.c.id))
    return [_as_transaction(values) for values in named(rows)]


async def last_interval_day(tx: Tx, wallet_id: UUID) -> date | None:
    """The last local day on which a rule's interval filled a wallet."""
    statement = select(func.max(transactions.c.interval_day)).where(transactions.c.wallet_id == wallet_id)
    found: date | None = (await tx.execute(statement)).scalar_one()
    return found


async def remaining_of(tx: Tx, wallet_ids: Collection[UUID]) -> dict[UUID, list[Transaction]]:
    """What is left to be consumed of wallets, the oldest first."""
    statement = (
        select(transactions)
        .where(among(transactions.c.wallet_id, wallet_ids), transactions.c.remaining_amount_cents > 0)
        .order_by(transactions.c.created_at, transactions.c.id)
    )
    found: dict[UUID, list[Transaction]] = {}
    for values in named(await tx.execute(statement)):
        found.setdefault(values["wallet_id"], []).append(_as_transaction(values))
    return found


async def list_transactions(
    tx: Tx, wallet_id: UUID, filters: TransactionFilters, page: Page
) -> tuple[list[Transaction], int]:
    conditions = [transactions.c.wallet_id == wallet_id, *_conditions(filters)]
    counted = select(func.count()).select_from(transactions).where(*conditions)
    total = (await tx.execute(counted)).scalar_one()
    newest = (
        select(transactions)
        .where(*conditions)
        .order_by(transactions.c.created_at.desc(), transactions.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_transaction(values) for values in named(await tx.execute(newest))], int(total)


def _conditions(filters: TransactionFilters) -> Iterator[ColumnElement[bool]]:
    for name in ("status", "transaction_type", "transaction_status"):
        if getattr(filters, name) is not None:
            yield transactions.c[name] == getattr(filters, name)
    for key, value in filters.metadata:
        yield transactions.c.metadata.contains([{"key": key, "value": value}])


async def consumptions_of(tx: Tx, inbound_id: UUID, page: Page) -> tuple[list[Consumption], int]:
    """What outbound transactions took of an inbound one, newest first."""
    of, other = consumptions.c.inbound_transaction_id, consumptions.c.outbound_transaction_id
    return await _list(tx, of == inbound_id, other, page)


async def fundings_of(tx: Tx, outbound_id: UUID, page: Page) -> tuple[list[Consumption], int]:
    """What inbound transactions paid of an outbound one, newest first."""
    of, other = consumptions.c.outbound_transaction_id, consumptions.c.inbound_transaction_id
    return await _list(tx, of == outbound_id, other, page)


async def _list(
    tx: Tx, condition: ColumnElement[bool], other: Column[UUID], page: Page
) -> tuple[list[Consumption], int]:
    total = (await tx.execute(select(func.count()).select_from(consumptions).where(condition))).scalar_one()
    statement = (
        select(
            transactions,
            consumptions.c.id.label("of_id"),
            consumptions.c.consumed_amount_cents,
            consumptions.c.created_at.label("of_created_at"),
        )
        .join(transactions, transactions.c.id == other)
        .where(condition)
        .order_by(consumptions.c.created_at.desc(), consumptions.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    found = [
        Consumption(
            id=row.of_id,
            amount_cents=row.consumed_amount_cents,
            created_at=row.of_created_at,
            other=_as_transaction(row._asdict()),
        )
        for row in await tx.execute(statement)
    ]
    return found, int(total)


def _as_transaction(row: Mapping[str, Any]) -> Transaction:
    values = {name: row[name] for name in names_of(Transaction)}
    return Transaction(
        **{
            **values,
            "transaction_type": Direction(values["transaction_type"]),
            "transaction_status": Kind(values["transaction_status"]),
            "status": Settlement(values["status"]),
            "source": Source(values["source"]),
        }
    )


async def purchases_of(tx: Tx, wallet_ids: Collection[UUID]) -> dict[UUID, list[Transaction]]:
    """The purchases of wallets that are pending, and the last ones, the oldest first."""
    column = transactions.c
    recent = func.rank().over(partition_by=column.wallet_id, order_by=column.created_at.desc())
    ranked = (
        select(transactions, recent.label("position"))
        .where(among(column.wallet_id, wallet_ids), column.transaction_status == Kind.PURCHASED)
        .subquery()
    )
    is_wanted = (ranked.c.status == Settlement.PENDING) | (ranked.c.position <= _RECENT)
    found: dict[UUID, list[Transaction]] = {}
    in_order = select(ranked).where(is_wanted).order_by(ranked.c.created_at, ranked.c.id)
    for values in named(await tx.execute(in_order)):
        found.setdefault(values["wallet_id"], []).append(_as_transaction(values))
    return found
