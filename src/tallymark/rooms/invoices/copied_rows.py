"""The copies of custom sections that invoices keep."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, or_, select

from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import funding_instructions, invoices, invoices_applied_custom_sections
from tallymark.domain.values import names_of
from tallymark.rooms.invoices.model import AppliedSection

_COPIES = invoices_applied_custom_sections
_IS_TOLD = or_(_COPIES.c.funding_instructions_id.is_(None), _COPIES.c.details.is_not(None))


async def insert_sections(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, _COPIES, rows)


async def delete_sections(tx: Tx, invoice_id: UUID) -> None:
    await tx.execute(delete(_COPIES).where(_COPIES.c.invoice_id == invoice_id))


async def sections_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[AppliedSection]]:
    """The sections copied onto invoices, by name, but for those that wait for what they are to say."""
    statement = select(_COPIES).where(among(_COPIES.c.invoice_id, invoice_ids), _IS_TOLD)
    found: dict[UUID, list[AppliedSection]] = {}
    for row in await tx.execute(statement.order_by(_COPIES.c.name, _COPIES.c.id)):
        section = AppliedSection(**{name: getattr(row, name) for name in names_of(AppliedSection)})
        found.setdefault(row.invoice_id, []).append(section)
    return found


async def waits(tx: Tx, invoice_id: UUID) -> bool:
    """Whether a section of an invoice waits for what it is to say, and somebody is being asked for it."""
    asked = funding_instructions.c
    waiting = exists().where(
        _COPIES.c.invoice_id == invoice_id,
        ~_IS_TOLD,
        asked.id == _COPIES.c.funding_instructions_id,
        asked.refused_at.is_(None),
    )
    return bool((await tx.execute(select(waiting))).scalar_one())


async def senders(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Whose each invoice is, and in which currency."""
    column = invoices.c
    statement = select(column.id, column.customer_id, column.currency).where(among(column.id, invoice_ids))
    return {row.id: (row.customer_id, row.currency) for row in await tx.execute(statement)}
