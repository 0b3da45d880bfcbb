"""How campaigns are kept, who is asked by which one, and what is overdue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, delete, exists, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, upsert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.entities import default_entity_id
from tallymark.db.tables import (
    billing_entities,
    billing_entities_dunning,
    customers,
    customers_dunning,
    dunning_campaigns,
    dunning_progress,
    dunning_thresholds,
    invoices,
)
from tallymark.domain.dunning import Progress
from tallymark.rooms.dunning.model import Campaign, Choice, Overdue, Subject

LIVE = dunning_campaigns.c.deleted_at.is_(None)

_applied = billing_entities_dunning.alias("applied")
_COLUMNS = (
    *dunning_campaigns.c,
    exists()
    .where(
        _applied.c.billing_entity_id == default_entity_id, _applied.c.campaign_id == dunning_campaigns.c.id
    )
    .correlate(dunning_campaigns)
    .label("applied_to_organization"),
    select(func.jsonb_object_agg(dunning_thresholds.c.currency, dunning_thresholds.c.amount_cents))
    .where(dunning_thresholds.c.campaign_id == dunning_campaigns.c.id)
    .scalar_subquery()
    .label("thresholds"),
    select(func.array_agg(aggregate_order_by(billing_entities.c.code, billing_entities.c.code)))
    .join(_applied, _applied.c.billing_entity_id == billing_entities.c.id)
    .where(_applied.c.campaign_id == dunning_campaigns.c.id)
    .scalar_subquery()
    .label("billing_entity_codes"),
    select(func.count())
    .select_from(customers_dunning.join(customers, customers.c.id == customers_dunning.c.customer_id))
    .where(customers_dunning.c.campaign_id == dunning_campaigns.c.id, customers.c.deleted_at.is_(None))
    .scalar_subquery()
    .label("customers_count"),
)

_of_entity, _own = billing_entities_dunning.c, customers_dunning.c
_applicable = case(
    (customers.c.account_type == "partner", null()),
    (_own.is_excluded, null()),
    else_=func.coalesce(_own.campaign_id, _of_entity.campaign_id),
)
"""The campaign by which a customer is asked; null for none."""

_CUSTOMERS = customers.outerjoin(customers_dunning, _own.customer_id == customers.c.id).outerjoin(
    billing_entities_dunning, _of_entity.billing_entity_id == customers.c.billing_entity_id
)
_DUE = invoices.c.total_amount_cents - invoices.c.total_paid_amount_cents - invoices.c.offset_amount_cents
_IS_OVERDUE = (invoices.c.payment_overdue, ~invoices.c.self_billed, invoices.c.status == "finalized")


async def insert_campaign(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(dunning_campaigns), dict(values))


async def update_campaign(tx: Tx, campaign_id: UUID, values: Mapping[str, Any]) -> None:
    statement = update(dunning_campaigns).where(dunning_campaigns.c.id == campaign_id)
    await tx.execute(statement.values(**values))


async def replace_thresholds(tx: Tx, campaign_id: UUID, thresholds: Mapping[str, int]) -> None:
    await tx.execute(delete(dunning_thresholds).where(dunning_thresholds.c.campaign_id == campaign_id))
    rows = [
        {
            "organization_id": tx.organization_id,
            "campaign_id": campaign_id,
            "currency": currency,
            "amount_cents": cents,
        }
        for currency, cents in thresholds.items()
    ]
    await insert_rows(tx, dunning_thresholds, rows)


async def find_campaign(tx: Tx, code: str) -> Campaign | None:
    found = await _load(tx, LIVE & (dunning_campaigns.c.code == code))
    return found[0] if found else None


async def get_campaigns(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Campaign]:
    """Campaigns by id, deleted ones too: requests that they made are of them."""
    return {one.id: one for one in await _load(tx, among(dunning_campaigns.c.id, ids))}


async def list_campaigns(tx: Tx, searched: str, page: Page) -> tuple[list[Campaign], int]:
    column = dunning_campaigns.c
    conditions: list[ColumnElement[bool]] = [LIVE]
    if searched:
        conditions.append(
            column.name.icontains(searched, autoescape=True)
            | column.code.icontains(searched, autoescape=True)
        )
    counted = select(func.count()).select_from(dunning_campaigns).where(*conditions)
    total = (await tx.execute(counted)).scalar_one()
    statement = select(*_COLUMNS).where(*conditions).order_by(column.created_at.desc(), column.id)
    rows = await tx.execute(statement.limit(page.size).offset(page.offset))
    return [_as_campaign(row) for row in rows], int(total)


async def _load(tx: Tx, *conditions: ColumnElement[bool]) -> list[Campaign]:
    return [_as_campaign(row) for row in await tx.execute(select(*_COLUMNS).where(*conditions))]


async def detach(tx: Tx, campaign_id: UUID) -> None:
    """Have nobody asked by a campaign any more."""
    for table in (billing_entities_dunning, customers_dunning):
        await tx.execute(delete(table).where(table.c.campaign_id == campaign_id))


async def entity_campaigns(tx: Tx, entity_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The campaigns of billing entities, by entity; those without one are left out."""
    statement = select(_of_entity.billing_entity_id, _of_entity.campaign_id).where(
        among(_of_entity.billing_entity_id, entity_ids)
    )
    return {row.billing_entity_id: row.campaign_id for row in await tx.execute(statement)}


async def set_entity_campaign(tx: Tx, entity_id: UUID, campaign_id: UUID | None) -> None:
    await tx.execute(delete(billing_entities_dunning).where(_of_entity.billing_entity_id == entity_id))
    if campaign_id is not None:
        row = {
            "organization_id": tx.organization_id,
            "billing_entity_id": entity_id,
            "campaign_id": campaign_id,
        }
        await tx.execute(insert(billing_entities_dunning), row)


async def choice_of(tx: Tx, customer_id: UUID) -> Choice:
    statement = select(_own.campaign_id, _own.is_excluded).where(_own.customer_id == customer_id)
    row = (await tx.execute(statement)).first()
    return Choice() if row is None else Choice(campaign_id=row.campaign_id, is_excluded=row.is_excluded)


async def set_choice(tx: Tx, customer_id: UUID, choice: Choice) -> None:
    await tx.execute(delete(customers_dunning).where(_own.customer_id == customer_id))
    if choice != Choice():
        row = {
            "organization_id": tx.organization_id,
            "customer_id": customer_id,
            "campaign_id": choice.campaign_id,
            "is_excluded": choice.is_excluded,
        }
        await tx.execute(insert(customers_dunning), row)


async def subjects(tx: Tx, customer_ids: Collection[UUID]) -> list[Subject]:
    """Those of some customers to whom a campaign applies, with how far it has come."""
    column, kept = customers.c, dunning_progress.c
    statement = (
        select(
            column.id,
            column.external_id,
            column.email,
            column.currency,
            _applicable.label("campaign_id"),
            kept.attempts,
            kept.last_attempt_at,
        )
        .select_from(_CUSTOMERS.outerjoin(dunning_progress, kept.customer_id == column.id))
        .where(among(column.id, customer_ids), column.deleted_at.is_(None), _applicable.is_not(None))
        .order_by(column.id)
    )
    return [
        Subject(
            customer_id=row.id,
            external_id=row.external_id,
            email=row.email,
            currency=row.currency,
            campaign_id=row.campaign_id,
            progress=_as_progress(row),
        )
        for row in await tx.execute(statement)
    ]


async def progress_of(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, Progress]:
    """How far customers were asked; those who never were are left out."""
    statement = select(dunning_progress).where(among(dunning_progress.c.customer_id, customer_ids))
    return {row.customer_id: _as_progress(row) for row in await tx.execute(statement)}


async def save_progress(tx: Tx, progress: Mapping[UUID, Progress]) -> None:
    rows = [
        {
            "organization_id": tx.organization_id,
            "customer_id": customer_id,
            "attempts": dict(one.attempts),
            "last_attempt_at": one.last_attempt_at,
        }
        for customer_id, one in sorted(progress.items())
    ]
    await upsert_rows(tx, dunning_progress, rows, key=("customer_id",))


async def overdue_of(tx: Tx, customer_ids: Collection[UUID]) -> list[Overdue]:
    """The overdue invoices of customers, those that fell due first first."""
    column = invoices.c
    statement = (
        select(
            column.id.label("invoice_id"),
            column.customer_id,
            column.billing_entity_id,
            column.currency,
            _DUE.label("due_cents"),
        )
        .where(among(column.customer_id, customer_ids), *_IS_OVERDUE)
        .order_by(column.payment_due_date, column.number, column.id)
    )
    return [Overdue(**row._mapping) for row in await tx.execute(statement)]


async def concerned(
    tx: Tx,
    *,
    customer_ids: Collection[UUID] | None = None,
    campaign_id: UUID | None = None,
    entity_id: UUID | None = None,
) -> list[UUID]:
    """Customers who have something overdue and to whom a campaign applies: of some, of one campaign's, of one entity's."""
    has_overdue = exists().where(invoices.c.customer_id == customers.c.id, *_IS_OVERDUE)
    statement = _narrowed(
        select(customers.c.id).select_from(_CUSTOMERS), campaign_id=campaign_id, entity_id=entity_id
    )
    if customer_ids is not None:
        statement = statement.where(among(customers.c.id, customer_ids))
    statement = statement.where(customers.c.deleted_at.is_(None), _applicable.is_not(None), has_overdue)
    return list((await tx.execute(statement.order_by(customers.c.id))).scalars())


def _narrowed(
    statement: Select[Any], *, campaign_id: UUID | None = None, entity_id: UUID | None = None
) -> Select[Any]:
    """Of customers, those to whom a campaign applies, and those who fall back on what their billing entity has."""
    if campaign_id is not None:
        statement = statement.where(_applicable == campaign_id)
    if entity_id is not None:
        statement = statement.where(
            customers.c.billing_entity_id == entity_id,
            _own.customer_id.is_(None),
            customers.c.deleted_at.is_(None),
        )
    return statement


async def forget(tx: Tx, customer_ids: Collection[UUID]) -> None:
    """Begin anew with customers."""
    await tx.execute(delete(dunning_progress).where(among(dunning_progress.c.customer_id, customer_ids)))


async def forget_all_of(tx: Tx, *, campaign_id: UUID | None = None, entity_id: UUID | None = None) -> None:
    """Begin anew with whom a campaign applies to, or with who falls back on what a billing entity has."""
    who = _narrowed(
        select(customers.c.id).select_from(_CUSTOMERS), campaign_id=campaign_id, entity_id=entity_id
    )
    await tx.execute(delete(dunning_progress).where(dunning_progress.c.customer_id.in_(who)))


async def forget_unreached(tx: Tx, campaign_id: UUID) -> None:
    """Begin anew with those of a campaign's customers whose overdue balances reach none of its thresholds."""
    column, limit = invoices.c, dunning_thresholds.c
    balances = (
        select(column.customer_id, column.currency, func.sum(_DUE).label("due_cents"))
        .where(*_IS_OVERDUE)
        .group_by(column.customer_id, column.currency)
        .having(func.sum(_DUE) > 0)
        .subquery()
    )
    reached = (
        select(balances.c.customer_id)
        .join(dunning_thresholds, limit.currency == balances.c.currency)
        .where(limit.campaign_id == campaign_id, limit.amount_cents <= balances.c.due_cents)
    )
    who = _narrowed(select(customers.c.id).select_from(_CUSTOMERS), campaign_id=campaign_id)
    kept = dunning_progress.c.customer_id
    await tx.execute(delete(dunning_progress).where(kept.in_(who), kept.not_in(reached)))


def _as_campaign(row: Row[Any]) -> Campaign:
    apart = {
        "bcc_emails": tuple(row.bcc_emails),
        "thresholds": dict(sorted(row.thresholds.items())),
        "billing_entity_codes": tuple(row.billing_entity_codes or ()),
    }
    return Campaign(**{name: apart.get(name, getattr(row, name)) for name in Campaign.__slots__})


def _as_progress(row: Row[Any]) -> Progress:
    return Progress(attempts=row.attempts or {}, last_attempt_at=row.last_attempt_at)
