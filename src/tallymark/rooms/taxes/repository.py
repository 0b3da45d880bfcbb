"""How taxes are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, delete, func, insert, select, union_all, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tallymark.api.pagination import Page
from tallymark.db.conditions import among, among_given
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    add_ons_taxes,
    billing_entities,
    billing_entities_taxes,
    charges_taxes,
    commitments_taxes,
    customers,
    customers_taxes,
    fixed_charges_taxes,
    invoices,
    invoices_applied_taxes,
    plans_taxes,
    taxes,
)
from tallymark.rooms.taxes.model import Owner, Tax

LINKS: dict[Owner, Table] = {
    Owner.BILLING_ENTITY: billing_entities_taxes,
    Owner.CUSTOMER: customers_taxes,
    Owner.PLAN: plans_taxes,
    Owner.CHARGE: charges_taxes,
    Owner.FIXED_CHARGE: fixed_charges_taxes,
    Owner.COMMITMENT: commitments_taxes,
    Owner.ADD_ON: add_ons_taxes,
}
LIVE = taxes.c.deleted_at.is_(None)


async def insert_tax(tx: Tx, values: Mapping[str, Any]) -> Tax:
    row = await tx.execute(insert(taxes).returning(*taxes.c), dict(values))
    return _as_value(row.one())


async def update_tax(tx: Tx, tax_id: UUID, values: Mapping[str, Any]) -> Tax:
    statement = update(taxes).where(taxes.c.id == tax_id).values(**values).returning(*taxes.c)
    return _as_value((await tx.execute(statement)).one())


async def find_tax(tx: Tx, code: str) -> Tax | None:
    row = (await tx.execute(select(taxes).where(LIVE, taxes.c.code == code))).first()
    return _as_value(row) if row else None


async def insert_taxes(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(taxes), [dict(row) for row in rows])


async def get_taxes(tx: Tx, ids: Collection[UUID]) -> list[Tax]:
    rows = await tx.execute(select(taxes).where(among(taxes.c.id, ids)))
    return [_as_value(row) for row in rows]


async def find_taxes(tx: Tx, codes: Collection[str], *, is_exact: bool = True) -> list[Tax]:
    has_code = taxes.c.code.in_(codes)
    if not is_exact:
        has_code = func.lower(taxes.c.code).in_([code.lower() for code in codes])
    rows = await tx.execute(select(taxes).where(LIVE, has_code))
    return [_as_value(row) for row in rows]


async def list_taxes(tx: Tx, page: Page) -> tuple[list[Tax], int]:
    total = (await tx.execute(select(func.count()).select_from(taxes).where(LIVE))).scalar_one()
    statement = (
        select(taxes).where(LIVE).order_by(taxes.c.name, taxes.c.id).limit(page.size).offset(page.offset)
    )
    return [_as_value(row) for row in await tx.execute(statement)], int(total)


async def taxes_of(tx: Tx, owners: Mapping[Owner, Collection[UUID]]) -> dict[UUID, tuple[Tax, ...]]:
    """The live taxes of many owners, by owner, in the order of their creation."""
    statement = _carried_by(tuple(owners))
    found: dict[UUID, list[Tax]] = {}
    for row in await tx.execute(statement, {owner.name: list(ids) for owner, ids in owners.items()}):
        found.setdefault(row.owner_id, []).append(_as_value(row))
    return {owner_id: tuple(of_owner) for owner_id, of_owner in found.items()}


@cache
def _carried_by(owners: tuple[Owner, ...]) -> Select[Any]:
    """Made once: its subqueries take longer to make than to run."""
    links = [
        select(LINKS[owner].c.owner_id, LINKS[owner].c.tax_id).where(
            among_given(LINKS[owner].c.owner_id, owner.name)
        )
        for owner in owners
    ]
    carried = union_all(*links).subquery()
    return (
        select(carried.c.owner_id, *taxes.c)
        .join(taxes, taxes.c.id == carried.c.tax_id)
        .where(LIVE)
        .order_by(taxes.c.created_at, taxes.c.id)
    )


async def replace_links(tx: Tx, owner: Owner, owner_id: UUID, tax_ids: Sequence[UUID]) -> None:
    link = LINKS[owner]
    await tx.execute(delete(link).where(link.c.owner_id == owner_id))
    await add_links(tx, owner, owner_id, tax_ids)


async def add_links(tx: Tx, owner: Owner, owner_id: UUID, tax_ids: Sequence[UUID]) -> None:
    rows = [
        {"organization_id": tx.organization_id, "owner_id": owner_id, "tax_id": tax_id} for tax_id in tax_ids
    ]
    if rows:
        await tx.execute(upsert(LINKS[owner]).on_conflict_do_nothing(), rows)


async def remove_link(tx: Tx, owner: Owner, owner_id: UUID, tax_id: UUID) -> None:
    link = LINKS[owner]
    await tx.execute(delete(link).where(link.c.owner_id == owner_id, link.c.tax_id == tax_id))


async def entities_by_tax(tx: Tx, tax_ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Ids and codes of the billing entities that carry each tax, by code."""
    link = billing_entities_taxes
    statement = (
        select(link.c.tax_id, billing_entities.c.id, billing_entities.c.code)
        .join(billing_entities, billing_entities.c.id == link.c.owner_id)
        .where(among(link.c.tax_id, tax_ids))
        .order_by(billing_entities.c.code)
    )
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for row in await tx.execute(statement):
        found.setdefault(row.tax_id, []).append((row.id, row.code))
    return found


async def customers_concerned(tx: Tx, tax_id: UUID) -> set[UUID]:
    """Customers who carry the tax, and those without own taxes whose billing entity does (pricing §2)."""
    carrying = select(customers_taxes.c.owner_id).where(customers_taxes.c.tax_id == tax_id)
    link = billing_entities_taxes.c
    of_entities = (await tx.execute(select(link.owner_id).where(link.tax_id == tax_id))).scalars().all()
    inheriting = await customers_inheriting(tx, of_entities)
    return {*(await tx.execute(carrying)).scalars(), *inheriting}


async def customers_inheriting(tx: Tx, entity_ids: Collection[UUID]) -> list[UUID]:
    """Customers of these billing entities who carry no taxes of their own."""
    inheriting = (
        select(customers.c.id)
        .where(among(customers.c.billing_entity_id, entity_ids))
        .where(customers.c.id.not_in(select(customers_taxes.c.owner_id)))
    )
    return list((await tx.execute(inheriting)).scalars())


async def delete_tax(tx: Tx, tax_id: UUID, *, at: datetime) -> None:
    for link in LINKS.values():
        await tx.execute(delete(link).where(link.c.tax_id == tax_id))
    await tx.execute(update(taxes).where(taxes.c.id == tax_id).values(deleted_at=at, updated_at=at))


async def drafts_with_tax(tx: Tx, tax_id: UUID) -> list[tuple[UUID, UUID]]:
    """Ids of drafts that the tax is on, from whatever level it came, and their customers."""
    applied = select(invoices_applied_taxes.c.invoice_id).where(invoices_applied_taxes.c.tax_id == tax_id)
    statement = select(invoices.c.id, invoices.c.customer_id).where(
        invoices.c.status == "draft", invoices.c.id.in_(applied)
    )
    return [(row.id, row.customer_id) for row in await tx.execute(statement)]


async def draft_invoices(tx: Tx, customer_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Ids of drafts and their customers."""
    statement = select(invoices.c.id, invoices.c.customer_id).where(
        invoices.c.status == "draft", among(invoices.c.customer_id, customer_ids)
    )
    return [(row.id, row.customer_id) for row in await tx.execute(statement)]


def _as_value(row: Row[Any]) -> Tax:
    return Tax(
        id=row.id,
        code=row.code,
        name=row.name,
        rate=row.rate,
        description=row.description,
        applied_to_organization=row.applied_to_organization,
        created_at=row.created_at,
    )
