"""How pages are kept on which invoices and payment requests are paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update

from tallymark.db.engine import Tx
from tallymark.db.tables import payment_links
from tallymark.rooms.payments.model import PaymentLink

_column = payment_links.c


def _is_of(payable_id: UUID) -> ColumnElement[bool]:
    return (_column.invoice_id == payable_id) | (_column.payment_request_id == payable_id)


async def find_link(tx: Tx, link_id: UUID) -> PaymentLink | None:
    return await _find(tx, _column.id == link_id)


async def open_link(tx: Tx, payable_id: UUID) -> PaymentLink | None:
    return await _find(tx, _is_of(payable_id), _column.closed_at.is_(None))


async def count_links(tx: Tx, payable_id: UUID) -> int:
    statement = select(func.count()).select_from(payment_links).where(_is_of(payable_id))
    return int((await tx.execute(statement)).scalar_one())


async def insert_link(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(payment_links), dict(row))


async def close_link(tx: Tx, link_id: UUID, *, at: datetime) -> None:
    closing = update(payment_links).where(_column.id == link_id, _column.closed_at.is_(None))
    await tx.execute(closing.values(closed_at=at, updated_at=at))


async def _find(tx: Tx, *conditions: ColumnElement[bool]) -> PaymentLink | None:
    row = (await tx.execute(select(payment_links).where(*conditions))).first()
    return PaymentLink(**{name: getattr(row, name) for name in PaymentLink.__slots__}) if row else None
