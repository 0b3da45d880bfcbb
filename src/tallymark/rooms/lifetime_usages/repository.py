"""How lifetime usage is kept, and the sum of what was invoiced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    ColumnElement,
    Row,
    Select,
    TableValuedAlias,
    Uuid,
    cast,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import fees, invoices, lifetime_usages, subscriptions, usage_adjustments


async def find(tx: Tx, *, external_subscription_id: str, subscription_at: datetime) -> Row[Any] | None:
    column = lifetime_usages.c
    statement = select(lifetime_usages).where(
        column.external_subscription_id == external_subscription_id,
        column.subscription_at == subscription_at,
    )
    return (await tx.execute(statement)).first()


async def upsert(tx: Tx, values: Mapping[str, Any]) -> UUID:
    """Make the record of a chain, or change the one there is; return its id."""
    statement = insert(lifetime_usages).values(**values)
    changed = {
        name: statement.excluded[name] for name in ("external_historical_usage_amount_cents", "updated_at")
    }
    made = statement.on_conflict_do_update(
        index_elements=["organization_id", "external_subscription_id", "subscription_at"], set_=changed
    ).returning(lifetime_usages.c.id)
    found: UUID = (await tx.execute(made)).scalar_one()
    return found


async def invoiced_cents(tx: Tx, asked: Mapping[UUID, datetime | None]) -> dict[UUID, int]:
    """The charge fees of subscriptions' chains for windows that began before an instant each (None: all).

    Those on no invoice, or on one that stands. Progressive invoices are left out: the period's own invoice bills the same
    usage again and credits them.
    """
    wanted = (
        func.unnest(
            cast(list(asked), ARRAY(Uuid)), cast(list(asked.values()), ARRAY(TIMESTAMP(timezone=True)))
        )
        .table_valued("id", "before")
        .render_derived()
    )
    parts = union_all(_billed(wanted), _given_back(wanted)).subquery()
    statement = select(parts.c.id, func.sum(parts.c.amount_cents).label("cents")).group_by(parts.c.id)
    return {row.id: int(row.cents) for row in await tx.execute(statement)}


def _billed(wanted: TableValuedAlias) -> Select[Any]:
    return (
        _of_chains(wanted, fees.c.amount_cents)
        .join(fees, fees.c.subscription_id == subscriptions.c.id)
        .outerjoin(invoices, invoices.c.id == fees.c.invoice_id)
        .where(
            fees.c.fee_type == "charge",
            or_(
                invoices.c.id.is_(None),
                invoices.c.status.in_(("draft", "finalized", "pending"))
                & (invoices.c.invoice_type != "progressive_billing"),
            ),
            or_(wanted.c.before.is_(None), fees.c.from_at < wanted.c.before),
        )
    )


def _given_back(wanted: TableValuedAlias) -> Select[Any]:
    """What corrected events cost less than was billed of them, or more where no fee bills it yet (docs/decisions/0029).

    Nothing where what was billed is void, and with it what that was given back of.
    """
    adjustment = usage_adjustments.c
    of_fee = fees.alias("of_fee")
    is_void = exists(
        select(invoices.c.id).where(invoices.c.id == adjustment.invoice_id, invoices.c.status == "voided")
    )
    stands = exists(
        select(of_fee.c.id)
        .outerjoin(invoices, invoices.c.id == of_fee.c.invoice_id)
        .where(of_fee.c.id == adjustment.fee_id, or_(invoices.c.id.is_(None), invoices.c.status != "voided"))
    )
    return (
        _of_chains(wanted, adjustment.amount_cents)
        .join(usage_adjustments, adjustment.subscription_id == subscriptions.c.id)
        .where(
            or_(adjustment.credit_note_id.is_not(None), adjustment.fee_id.is_(None)),
            or_(~is_void, stands),
            adjustment.charge_id.is_not(None),
            or_(wanted.c.before.is_(None), adjustment.from_at < wanted.c.before),
        )
    )


def _of_chains(wanted: TableValuedAlias, amount: ColumnElement[int]) -> Select[Any]:
    """An amount of each subscription of the chains that are asked for, the cancelled ones left out."""
    own = subscriptions.alias("own")
    return (
        select(wanted.c.id, amount.label("amount_cents"))
        .select_from(wanted)
        .join(own, own.c.id == wanted.c.id)
        .join(
            subscriptions,
            (subscriptions.c.external_id == own.c.external_id)
            & (subscriptions.c.subscription_at == own.c.subscription_at),
        )
        .where(subscriptions.c.status != "canceled")
    )


async def historical_cents(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, int]:
    """What was used before it was metered here, of subscriptions' chains that say so."""
    column = lifetime_usages.c
    statement = (
        select(subscriptions.c.id, column.external_historical_usage_amount_cents)
        .join(
            subscriptions,
            (subscriptions.c.external_id == column.external_subscription_id)
            & (subscriptions.c.subscription_at == column.subscription_at),
        )
        .where(among(subscriptions.c.id, subscription_ids))
    )
    return {row.id: row.external_historical_usage_amount_cents for row in await tx.execute(statement)}
