"""How custom sections are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, delete, exists, func, insert, select, update

from tallymark.api.pagination import Page
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.entities import default_entity_id
from tallymark.db.tables import (
    billing_entities_custom_sections,
    customers_custom_sections,
    invoice_custom_sections,
    recurring_transaction_rules_custom_sections,
    subscriptions_custom_sections,
    wallet_transactions_custom_sections,
    wallets_custom_sections,
)
from tallymark.rooms.invoice_custom_sections.model import Owner, Section

LINKS: dict[Owner, Table] = {
    Owner.BILLING_ENTITY: billing_entities_custom_sections,
    Owner.CUSTOMER: customers_custom_sections,
    Owner.SUBSCRIPTION: subscriptions_custom_sections,
    Owner.WALLET: wallets_custom_sections,
    Owner.WALLET_TRANSACTION: wallet_transactions_custom_sections,
    Owner.WALLET_RULE: recurring_transaction_rules_custom_sections,
}
LIVE = invoice_custom_sections.c.deleted_at.is_(None)

_selected = billing_entities_custom_sections.alias("selected")
_COLUMNS = (
    *invoice_custom_sections.c,
    exists()
    .where(_selected.c.owner_id == default_entity_id, _selected.c.section_id == invoice_custom_sections.c.id)
    .correlate(invoice_custom_sections)
    .label("applied_to_organization"),
)


async def insert_section(tx: Tx, values: Mapping[str, Any]) -> Section:
    statement = insert(invoice_custom_sections).returning(*_COLUMNS)
    return _as_value((await tx.execute(statement, dict(values))).one())


async def update_section(tx: Tx, section_id: UUID, values: Mapping[str, Any]) -> Section:
    statement = update(invoice_custom_sections).where(invoice_custom_sections.c.id == section_id)
    row = await tx.execute(statement.values(**values).returning(*_COLUMNS))
    return _as_value(row.one())


async def find_sections(tx: Tx, codes: Collection[str]) -> list[Section]:
    statement = select(*_COLUMNS).where(LIVE, invoice_custom_sections.c.code.in_(codes))
    return [_as_value(row) for row in await tx.execute(statement)]


async def get_sections(tx: Tx, ids: Collection[UUID]) -> list[Section]:
    statement = select(*_COLUMNS).where(among(invoice_custom_sections.c.id, ids))
    return [_as_value(row) for row in await tx.execute(statement)]


async def list_sections(tx: Tx, page: Page) -> tuple[list[Section], int]:
    column = invoice_custom_sections.c
    counted = select(func.count()).select_from(invoice_custom_sections).where(LIVE)
    total = (await tx.execute(counted)).scalar_one()
    statement = select(*_COLUMNS).where(LIVE).order_by(column.name, column.id)
    rows = await tx.execute(statement.limit(page.size).offset(page.offset))
    return [_as_value(row) for row in rows], int(total)


async def sections_of(tx: Tx, owner: Owner, ids: Collection[UUID]) -> dict[UUID, tuple[Section, ...]]:
    """The live sections that owners of one kind have selected, by name."""
    link, column = LINKS[owner], invoice_custom_sections.c
    statement = (
        select(link.c.owner_id, *_COLUMNS)
        .join(invoice_custom_sections, column.id == link.c.section_id)
        .where(among(link.c.owner_id, ids), LIVE)
        .order_by(column.name, column.id)
    )
    found: dict[UUID, list[Section]] = {}
    for row in await tx.execute(statement):
        found.setdefault(row.owner_id, []).append(_as_value(row))
    return {owner_id: tuple(sections) for owner_id, sections in found.items()}


async def replace_links(tx: Tx, owner: Owner, owner_id: UUID, section_ids: Collection[UUID]) -> None:
    link = LINKS[owner]
    await tx.execute(delete(link).where(link.c.owner_id == owner_id))
    rows = [
        {"organization_id": tx.organization_id, "owner_id": owner_id, "section_id": section_id}
        for section_id in section_ids
    ]
    if rows:
        await tx.execute(insert(link), rows)


async def delete_section(tx: Tx, section_id: UUID, *, at: datetime) -> None:
    for link in LINKS.values():
        await tx.execute(delete(link).where(link.c.section_id == section_id))
    gone = update(invoice_custom_sections).where(invoice_custom_sections.c.id == section_id)
    await tx.execute(gone.values(deleted_at=at, updated_at=at))


def _as_value(row: Row[Any]) -> Section:
    names = (name for name in Section.__slots__ if name != "is_generated")
    return Section(**{name: getattr(row, name) for name in names})
