"""How subscriptions are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tallymark.api.pagination import Page
from tallymark.db.conditions import among, among_given, holding
from tallymark.db.engine import Tx
from tallymark.db.rows import named
from tallymark.db.tables import (
    activation_rules,
    billing_entities,
    customers,
    fees,
    fixed_charge_unit_events,
    invoices,
    plans,
    subscription_fixed_charge_units,
    subscriptions,
    usage_thresholds,
)
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.fixed_charge import UnitEvent
from tallymark.domain.periods import BillingTime, Interval, yearly_amount_cents
from tallymark.rooms.plans.model import UsageThreshold
from tallymark.rooms.subscriptions.model import (
    ActivationRule,
    Filters,
    Neighbour,
    OwnUnits,
    Reason,
    Relations,
    RuleStatus,
    Status,
    Subscription,
)

NEWEST_FIRST = (
    subscriptions.c.terminated_at.desc().nulls_first(),
    subscriptions.c.started_at.desc().nulls_first(),
    subscriptions.c.id.desc(),
)

# Made once: the columns of an alias take longer to make than most statements to run.
_before, _other, _start = (subscriptions.alias(name) for name in ("before", "other", "start"))


async def insert_subscription(tx: Tx, values: Mapping[str, Any]) -> Subscription:
    row = await tx.execute(insert(subscriptions).returning(*subscriptions.c), dict(values))
    return _as_value(row.one()._asdict())


async def update_subscription(tx: Tx, subscription_id: UUID, values: Mapping[str, Any]) -> Subscription:
    statement = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(**values)
        .returning(*subscriptions.c)
    )
    return _as_value((await tx.execute(statement)).one()._asdict())


async def find_by_external_id(
    tx: Tx, external_id: str, *, statuses: Collection[Status] = tuple(Status)
) -> list[Subscription]:
    """The subscriptions of an external id, newest first."""
    asked = {"external_id": external_id, "statuses": list(statuses)}
    return [_as_value(values) for values in named(await tx.execute(_BY_EXTERNAL_ID, asked))]


_BY_EXTERNAL_ID = (
    select(subscriptions)
    .where(
        subscriptions.c.external_id == bindparam("external_id"),
        among_given(subscriptions.c.status, "statuses"),
    )
    .order_by(*NEWEST_FIRST)
)


async def get_subscriptions(tx: Tx, ids: Collection[UUID]) -> list[Subscription]:
    rows = await tx.execute(
        select(subscriptions).where(among(subscriptions.c.id, ids)).order_by(subscriptions.c.id)
    )
    return [_as_value(values) for values in named(rows)]


async def started_of(tx: Tx, external_ids: Collection[str]) -> list[Subscription]:
    """Those of external ids that have begun, whatever came of them."""
    statement = select(subscriptions).where(
        subscriptions.c.external_id.in_(external_ids),
        subscriptions.c.started_at.is_not(None),
        subscriptions.c.status.in_((Status.ACTIVE, Status.TERMINATED)),
    )
    return [_as_value(values) for values in named(await tx.execute(statement))]


async def list_of_customer(tx: Tx, customer_id: UUID, *, statuses: Collection[Status]) -> list[Subscription]:
    statement = (
        select(subscriptions)
        .where(subscriptions.c.customer_id == customer_id, subscriptions.c.status.in_(statuses))
        .order_by(subscriptions.c.created_at, subscriptions.c.id)
    )
    return [_as_value(values) for values in named(await tx.execute(statement))]


async def active_of_customers(tx: Tx, customer_ids: Collection[UUID]) -> list[Subscription]:
    statement = (
        select(subscriptions)
        .where(among(subscriptions.c.customer_id, customer_ids), subscriptions.c.status == Status.ACTIVE)
        .order_by(subscriptions.c.created_at, subscriptions.c.id)
    )
    return [_as_value(values) for values in named(await tx.execute(statement))]


async def relations_of(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, Relations]:
    """The neighbours in the chain of plan changes, and the first start under the external id, by subscription id."""
    found: dict[UUID, Relations] = {}
    for row in await tx.execute(_RELATIONS, {"ids": list(subscription_ids)}):
        known = found.get(row.own_id, Relations(first_started_at=row.first_started_at))
        if row.id is not None:
            one = _as_neighbour(row)
            known = replace(known, predecessor=one) if row.is_before else replace(known, successor=one)
        found[row.own_id] = known
    return found


def _relations() -> Select[Any]:
    own, other, start = subscriptions, _other, _start
    first = (
        select(func.min(start.c.started_at))
        .where(
            start.c.customer_id == own.c.customer_id,
            start.c.external_id == own.c.external_id,
            start.c.status != Status.CANCELED,
        )
        .scalar_subquery()
    )
    is_before = other.c.id == own.c.previous_subscription_id
    is_after = (other.c.previous_subscription_id == own.c.id) & (other.c.status != Status.CANCELED)
    return (
        select(
            own.c.id.label("own_id"),
            first.label("first_started_at"),
            is_before.label("is_before"),
            *(
                other.c[name]
                for name in ("id", "status", "started_at", "created_at", "terminated_at", "usage_ends_at")
            ),
            *(plans.c[name] for name in ("code", "amount_cents", "interval")),
        )
        .select_from(
            own.outerjoin(other, is_before | is_after).outerjoin(plans, plans.c.id == other.c.plan_id)
        )
        .where(among_given(own.c.id, "ids"))
        .order_by(other.c.created_at, other.c.id)
    )


_RELATIONS = _relations()


def _as_neighbour(row: Row[Any]) -> Neighbour:
    return Neighbour(
        id=row.id,
        status=Status(row.status),
        plan_code=row.code,
        yearly_amount_cents=yearly_amount_cents(row.amount_cents, Interval(row.interval)),
        started_at=row.started_at,
        created_at=row.created_at,
        terminated_at=row.terminated_at,
        usage_ends_at=row.usage_ends_at,
    )


async def ends_of_predecessors(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Where the usage of the last earlier subscription of the same external id ends, where there was one (§3.9).

    It may have ended after the start of one that had to be paid first (§2.10).
    """
    rows = await tx.execute(_ENDS_OF_PREDECESSORS, {"ids": list(subscription_ids)})
    return {row.id: row.ended_at for row in rows}


def _ends_of_predecessors() -> Select[Any]:
    own, before = subscriptions, _before
    is_before = (before.c.external_id == own.c.external_id) & (
        (before.c.terminated_at <= own.c.started_at)
        | (before.c.id == own.c.previous_subscription_id)
        | (before.c.usage_ends_at == own.c.counts_from)
    )
    return (
        select(own.c.id, func.max(before.c.usage_ends_at).label("ended_at"))
        .join(before, is_before & (before.c.id != own.c.id))
        .where(among_given(own.c.id, "ids"))
        .group_by(own.c.id)
    )


_ENDS_OF_PREDECESSORS = _ends_of_predecessors()


async def list_subscriptions(tx: Tx, filters: Filters, page: Page) -> tuple[list[Subscription], int]:
    conditions = list(_conditions(filters))
    total = (
        await tx.execute(select(func.count()).select_from(subscriptions).where(*conditions))
    ).scalar_one()
    statement: Select[Any] = (
        select(subscriptions)
        .where(*conditions)
        .order_by(
            subscriptions.c.subscription_at.desc().nulls_last(),
            subscriptions.c.created_at.desc(),
            subscriptions.c.id,
        )
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_value(values) for values in named(await tx.execute(statement))], int(total)


def _conditions(filters: Filters) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [subscriptions.c.status.in_(filters.statuses)]
    if filters.external_id is not None:
        found.append(subscriptions.c.external_id == filters.external_id)
    if filters.external_customer_id is not None:
        of_customer = select(customers.c.id).where(
            customers.c.external_id == filters.external_customer_id, customers.c.deleted_at.is_(None)
        )
        found.append(subscriptions.c.customer_id.in_(of_customer))
    if filters.plan_code is not None:
        found.append(subscriptions.c.plan_id.in_(select(plans.c.id).where(plans.c.code == filters.plan_code)))
    if filters.currency is not None:
        in_currency = select(plans.c.id).where(plans.c.amount_currency == filters.currency)
        found.append(subscriptions.c.plan_id.in_(in_currency))
    if filters.is_overridden is not None:
        parent = plans.c.parent_id
        overridden = select(plans.c.id).where(
            parent.is_not(None) if filters.is_overridden else parent.is_(None)
        )
        found.append(subscriptions.c.plan_id.in_(overridden))
    if filters.billing_entity_codes:
        found.append(_of_entities(filters.billing_entity_codes))
    if filters.search_term:
        found.append(_search(filters.search_term))
    return found


def _search(term: str) -> ColumnElement[bool]:
    """By its own name and external id, or by who the customer is."""
    names = ("name", "firstname", "lastname", "legal_name", "external_id", "email")
    who = select(customers.c.id).where(holding(term, *(customers.c[name] for name in names)))
    return or_(
        holding(term, subscriptions.c.name, subscriptions.c.external_id), subscriptions.c.customer_id.in_(who)
    )


def _of_entities(codes: Sequence[str]) -> ColumnElement[bool]:
    """Of these entities: its own, else its customer's."""
    entities = select(billing_entities.c.id).where(billing_entities.c.code.in_(codes))
    inheriting = select(customers.c.id).where(customers.c.billing_entity_id.in_(entities))
    return or_(
        subscriptions.c.billing_entity_id.in_(entities),
        subscriptions.c.billing_entity_id.is_(None) & subscriptions.c.customer_id.in_(inheriting),
    )


def _as_value(values: dict[str, Any]) -> Subscription:
    del values["organization_id"]
    values["status"] = Status(values["status"])
    values["billing_time"] = BillingTime(values["billing_time"])
    if values["cancellation_reason"] is not None:
        values["cancellation_reason"] = Reason(values["cancellation_reason"])
    return Subscription(**values)


async def replace_rules(tx: Tx, subscription_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a subscription's rules of activation the given ones."""
    column = activation_rules.c
    await tx.execute(delete(activation_rules).where(column.subscription_id == subscription_id))
    if rows:
        await tx.execute(insert(activation_rules), [dict(row) for row in rows])


async def rules_of(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, tuple[ActivationRule, ...]]:
    """The rules of activation of subscriptions, the oldest first."""
    column = activation_rules.c
    statement = select(activation_rules).where(among(column.subscription_id, subscription_ids))
    found: dict[UUID, tuple[ActivationRule, ...]] = {}
    for values in named(await tx.execute(statement.order_by(column.created_at, column.id))):
        del values["organization_id"]
        rule = ActivationRule(**{**values, "status": RuleStatus(values["status"])})
        found[rule.subscription_id] = (*found.get(rule.subscription_id, ()), rule)
    return found


async def update_rule(tx: Tx, rule_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(activation_rules).where(activation_rules.c.id == rule_id).values(**values))


async def last_end_of_usage(tx: Tx, subscription: Subscription, *, after: datetime) -> datetime | None:
    """Where the usage of others of the same external id ends, if later than an instant."""
    column = subscriptions.c
    statement = select(func.max(column.usage_ends_at)).where(
        column.external_id == subscription.external_id,
        column.id != subscription.id,
        column.usage_ends_at > after,
    )
    found: datetime | None = (await tx.execute(statement)).scalar_one()
    return found


UnitsKey = tuple[UUID, UUID]
"""(subscription, fixed charge)."""


async def insert_unit_events(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(fixed_charge_unit_events), [dict(row) for row in rows])


async def unit_events_of(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UnitsKey, list[UnitEvent]]:
    """The units of subscriptions' fixed charges over time, in the order of creation."""
    column = fixed_charge_unit_events.c
    statement = (
        select(fixed_charge_unit_events)
        .where(among(column.subscription_id, subscription_ids))
        .order_by(column.created_at, column.id)
    )
    found: dict[UnitsKey, list[UnitEvent]] = {}
    for row in await tx.execute(statement):
        event = UnitEvent(units=Fraction(row.units), effective_at=row.effective_at, created_at=row.created_at)
        found.setdefault((row.subscription_id, row.fixed_charge_id), []).append(event)
    return found


async def own_units_of(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UnitsKey, OwnUnits]:
    """The units that subscriptions have instead of their plan's."""
    column = subscription_fixed_charge_units.c
    rows = await tx.execute(
        select(subscription_fixed_charge_units).where(among(column.subscription_id, subscription_ids))
    )
    return {
        (row.subscription_id, row.fixed_charge_id): OwnUnits(
            units=row.units, apply_immediately=row.apply_units_immediately
        )
        for row in rows
    }


async def upsert_own_units(tx: Tx, values: Mapping[str, Any]) -> None:
    statement = upsert(subscription_fixed_charge_units).values(**values)
    changed = {name: statement.excluded[name] for name in ("units", "apply_units_immediately", "updated_at")}
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["subscription_id", "fixed_charge_id"], set_=changed)
    )


async def delete_own_units(tx: Tx, subscription_id: UUID) -> None:
    await tx.execute(
        delete(subscription_fixed_charge_units).where(
            subscription_fixed_charge_units.c.subscription_id == subscription_id
        )
    )


async def thresholds_of(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, tuple[UsageThreshold, ...]]:
    """Subscriptions' own usage thresholds, smallest first, the recurring one last."""
    column = usage_thresholds.c
    statement = select(usage_thresholds).where(among(column.subscription_id, subscription_ids))
    found: dict[UUID, tuple[UsageThreshold, ...]] = {}
    for row in await tx.execute(statement.order_by(column.recurring, column.amount_cents)):
        threshold = UsageThreshold(**{name: getattr(row, name) for name in UsageThreshold.__slots__})
        found[row.subscription_id] = (*found.get(row.subscription_id, ()), threshold)
    return found


async def replace_thresholds(tx: Tx, subscription_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a subscription's own thresholds the given ones."""
    await tx.execute(delete(usage_thresholds).where(usage_thresholds.c.subscription_id == subscription_id))
    if rows:
        await tx.execute(insert(usage_thresholds), [dict(row) for row in rows])


async def awaits_taxes(tx: Tx, subscription_id: UUID) -> bool:
    """Whether a base price of a subscription is on an invoice whose taxes are not known yet."""
    waiting = (
        select(fees.c.id)
        .join(invoices, invoices.c.id == fees.c.invoice_id)
        .where(
            fees.c.subscription_id == subscription_id,
            fees.c.fee_type == "subscription",
            invoices.c.tax_status == "pending",
        )
    )
    return bool((await tx.execute(select(waiting.exists()))).scalar_one())
