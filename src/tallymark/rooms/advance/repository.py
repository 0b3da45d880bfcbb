"""How events that wait for their price, and those that have it, are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
    values,
)

from tallymark.db.bulk import update_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    billable_metrics,
    billed_terms,
    charge_filters,
    charges,
    event_streams,
    events,
    events_by_id,
    events_to_price,
    priced_events,
    subscriptions,
)
from tallymark.domain.exact import Fraction
from tallymark.domain.periods import Period
from tallymark.domain.usage import Checkpoint
from tallymark.metering.statements import billed
from tallymark.rooms.advance.model import (
    TARGET_WALLET,
    Asked,
    Billed,
    Logged,
    Origin,
    PricedRow,
    Standing,
    Waiting,
    read_scope,
    values_key,
)
from tallymark.rooms.plans import terms
from tallymark.rooms.plans.model import Charge

_OF_STREAM = events_to_price.join(event_streams, event_streams.c.id == events_to_price.c.stream_id)
_HAS_SUBSCRIPTION = and_(
    subscriptions.c.organization_id == event_streams.c.organization_id,
    subscriptions.c.external_id == event_streams.c.external_subscription_id,
)


def _is_due(now: datetime) -> ColumnElement[bool]:
    waiting = events_to_price.c
    return and_(waiting.parked_at.is_(None), or_(waiting.retry_at.is_(None), waiting.retry_at <= now))


async def first_customer(tx: Tx, *, now: datetime) -> UUID | None:
    """Whose event is to be priced first."""
    statement = (
        select(subscriptions.c.customer_id)
        .select_from(_OF_STREAM.join(subscriptions, _HAS_SUBSCRIPTION))
        .where(_is_due(now))
        .order_by(events_to_price.c.id, subscriptions.c.created_at.desc())
        .limit(1)
    )
    found: UUID | None = (await tx.execute(statement)).scalar_one_or_none()
    return found


async def drop_unowned(tx: Tx) -> None:
    """Take off the events of external ids that no subscription has: nobody is billed for them."""
    owned = exists(
        select(subscriptions.c.id)
        .select_from(event_streams.join(subscriptions, _HAS_SUBSCRIPTION))
        .where(event_streams.c.id == events_to_price.c.stream_id)
    )
    await tx.execute(delete(events_to_price).where(~owned))


async def next_waiting(tx: Tx, customer_id: UUID, *, now: datetime, limit: int) -> list[Waiting]:
    """A customer's events to price, in order."""
    of_customer = exists(
        select(subscriptions.c.id).where(_HAS_SUBSCRIPTION, subscriptions.c.customer_id == customer_id)
    )
    statement = (
        select(events_to_price.c.id, events_to_price.c.event_id)
        .select_from(_OF_STREAM)
        .where(of_customer, _is_due(now))
        .order_by(events_to_price.c.id)
        .limit(limit)
    )
    return [Waiting(**row._mapping) for row in await tx.execute(statement)]


async def waiting_of(tx: Tx, *, external_subscription_id: str, code: str) -> list[Waiting]:
    """The events of a subscription and code that have no price yet, parked ones left out."""
    statement = (
        select(events_to_price.c.id, events_to_price.c.event_id)
        .select_from(_OF_STREAM)
        .where(
            event_streams.c.organization_id == tx.organization_id,
            event_streams.c.external_subscription_id == external_subscription_id,
            event_streams.c.code == code,
            events_to_price.c.parked_at.is_(None),
        )
        .order_by(events_to_price.c.id)
    )
    return [Waiting(**row._mapping) for row in await tx.execute(statement)]


async def take_off(tx: Tx, ids: Collection[int]) -> None:
    await tx.execute(delete(events_to_price).where(among(events_to_price.c.id, ids)))


async def naming_wallets(tx: Tx, event_ids: Collection[UUID]) -> list[UUID]:
    """Of events those that name a wallet, in the order in which they came."""
    named = func.btrim(func.coalesce(events_by_id.c.properties[TARGET_WALLET].astext, "")) != ""
    statement = select(events_by_id.c.id).where(events_by_id.c.id.in_(event_ids), named)
    ordered = statement.order_by(events_by_id.c.created_at, events_by_id.c.id)
    return list((await tx.execute(ordered)).scalars())


async def record_failure(
    tx: Tx, waiting_id: int, *, error: str, attempts: int, retry_at: datetime | None, now: datetime
) -> None:
    await tx.execute(
        update(events_to_price)
        .where(events_to_price.c.id == waiting_id)
        .values(
            attempts=attempts,
            retry_at=retry_at,
            parked_at=None if retry_at else now,
            last_error=error[:2000],
        )
    )


async def attempts_of(tx: Tx, waiting_id: int) -> int:
    statement = select(events_to_price.c.attempts).where(events_to_price.c.id == waiting_id)
    return int((await tx.execute(statement)).scalar_one_or_none() or 0)


async def priced_pairs(tx: Tx, event_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """(event, charge) of those among these that have a price."""
    statement = select(priced_events.c.event_id, priced_events.c.charge_id).where(
        priced_events.c.event_id.in_(event_ids)
    )
    return {(row.event_id, row.charge_id) for row in await tx.execute(statement)}


def _in_scope(key: tuple[UUID, str, str], window: Period) -> ColumnElement[bool]:
    charge_id, external_id, scope = key
    return and_(
        priced_events.c.charge_id == charge_id,
        priced_events.c.external_subscription_id == external_id,
        priced_events.c.scope == scope,
        priced_events.c.timestamp >= window.start,
        priced_events.c.timestamp < window.end,
        ~priced_events.c.is_void,
    )


async def find_standing(tx: Tx, key: tuple[UUID, str, str], window: Period) -> Standing | None:
    """Where a window stands after the event priced last in it (charge, external subscription id, scope), if any was."""
    statement = (
        select(priced_events).where(_in_scope(key, window)).order_by(priced_events.c.id.desc()).limit(1)
    )
    row = (await tx.execute(statement)).first()
    if row is None:
        return None
    return Standing(
        checkpoint=Checkpoint(
            current=Fraction(row.current),
            highest=Fraction(row.highest),
            highest_prorated=Fraction(row.highest_prorated),
        ),
        events_count=row.events_count,
        precise_total_amount_cents=Fraction(row.precise_total_amount_cents),
    )


async def log_of(
    tx: Tx, key: tuple[UUID, str, str], window: Period, *, value: str | None = None
) -> list[Logged]:
    """The events priced in a window by time and order of pricing, or those of one distinct value."""
    statement = select(priced_events).where(_in_scope(key, window))
    if value is not None:
        statement = statement.where(priced_events.c.value == value)
    rows = await tx.execute(statement.order_by(priced_events.c.timestamp, priced_events.c.id))
    return [_as_logged(row) for row in rows]


async def billed_in(tx: Tx, asked: Asked, charge_ids: Collection[UUID]) -> list[Billed]:
    """What events of a window were billed, by charge and scope."""
    log = priced_events.c
    statement = (
        select(
            log.charge_id,
            log.scope,
            func.sum(log.amount_cents).label("cents"),
            func.sum(log.pricing_unit_cents).label("unit_cents"),
        )
        .where(
            among(log.charge_id, charge_ids),
            log.external_subscription_id == asked.contract.subscription.external_id,
            log.timestamp >= asked.window.start,
            log.timestamp < asked.window.end,
            ~log.is_void,
        )
        .group_by(log.charge_id, log.scope)
    )
    if asked.group:
        statement = statement.join(events_by_id, events_by_id.c.id == log.event_id)
        statement = statement.where(*_in_group(asked, events_by_id))
    found = []
    for row in await tx.execute(statement):
        filter_id, grouped_by = read_scope(row.scope)
        found.append(
            Billed(
                charge_id=row.charge_id,
                filter_id=filter_id,
                grouped_by=grouped_by,
                amount_cents=int(row.cents),
                pricing_unit_cents=int(row.unit_cents),
            )
        )
    return found


async def unpriced_pairs(tx: Tx, asked: Asked) -> list[tuple[UUID, UUID]]:
    """(event, charge) of a window that have no price, in the order in which the events came."""
    pairs = values(
        column("code", Text), column("charge_id", Uuid), column("family_id", Uuid), name="pairs"
    ).data([(charge.billable_metric.code, charge.id, charge.family_id) for charge in asked.charges])
    is_priced = exists().where(
        priced_events.c.event_id == events.c.id,
        priced_events.c.charge_id.in_((pairs.c.charge_id, pairs.c.family_id)),
    )
    statement = (
        select(events.c.id, pairs.c.charge_id)
        .select_from(
            events.join(event_streams, event_streams.c.id == events.c.stream_id).join(
                pairs, pairs.c.code == event_streams.c.code
            )
        )
        .where(
            event_streams.c.organization_id == tx.organization_id,
            event_streams.c.external_subscription_id == asked.contract.subscription.external_id,
            events.c.timestamp >= asked.window.start,
            events.c.timestamp < asked.window.end,
            ~is_priced,
            *_in_group(asked, events),
        )
        .order_by(events.c.created_at, events.c.id)
    )
    return [(row.id, row.charge_id) for row in await tx.execute(statement)]


def _in_group(asked: Asked, source: Table) -> list[ColumnElement[bool]]:
    return [source.c.properties[key].astext.in_(wanted) for key, wanted in asked.group.items()]


async def insert_priced(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(priced_events), [dict(row) for row in rows])


async def update_priced(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what events are priced at anew; `id` tells which row."""
    await update_rows(tx, priced_events, rows)


async def void_priced(tx: Tx, ids: Collection[int]) -> None:
    """Note that what was priced counts no more."""
    void = {"is_void": True, "is_corrected": True}
    await tx.execute(update(priced_events).where(among(priced_events.c.id, ids)).values(void))


async def origins_of(tx: Tx, copies: Collection[Charge]) -> dict[UUID, Origin]:
    """What subscriptions' own charges were copied from, by their ids, with the filters of that time."""
    if not copies:
        return {}
    copied = charges.alias()
    statement = (
        select(copied.c.id.label("copy_id"), charges.c.id, charges.c.created_at)
        .join(charges, charges.c.id == copied.c.parent_id)
        .where(among(copied.c.id, {charge.id for charge in copies}))
    )
    parents = (await tx.execute(statement)).all()
    known = (
        select(charge_filters)
        .where(among(charge_filters.c.charge_id, {row.id for row in parents}))
        .order_by(charge_filters.c.created_at, charge_filters.c.id)
    )
    of_parents = (await tx.execute(known)).all()
    copied_at = {charge.id: charge.created_at for charge in copies}
    return {
        parent.copy_id: Origin(
            charge_id=parent.id,
            created_at=parent.created_at,
            filters={
                row.id: values_key(row._mapping["values"])
                for row in of_parents
                if row.charge_id == parent.id and row.created_at <= copied_at[parent.copy_id]
            },
        )
        for parent in parents
    }


async def priced_charges(tx: Tx, event_ids: Collection[UUID], *, external_subscription_id: str) -> set[UUID]:
    """The charges that events of a subscription were priced for, with those that they were copied from or to for it."""
    priced = select(priced_events.c.charge_id).where(among(priced_events.c.event_id, event_ids))
    return await _families(tx, priced, external_subscription_id)


async def charges_carrying_over(
    tx: Tx, *, external_subscription_id: str, code: str, since: datetime
) -> set[UUID]:
    """The charges of metrics with a code that carry over, for which events of a subscription were priced since then.

    Those that they were copied from or to for the subscription are among them.
    """
    log = priced_events.c
    priced = (
        select(log.charge_id)
        .join(charges, charges.c.id == log.charge_id)
        .join(billable_metrics, billable_metrics.c.id == charges.c.billable_metric_id)
        .where(
            log.external_subscription_id == external_subscription_id,
            log.timestamp >= since,
            billable_metrics.c.code == code,
            billable_metrics.c.recurring,
        )
    )
    return await _families(tx, priced, external_subscription_id)


async def _families(tx: Tx, charge_ids: Select[tuple[UUID]], external_subscription_id: str) -> set[UUID]:
    own = charges.alias()
    families = select(func.coalesce(charges.c.parent_id, charges.c.id)).where(charges.c.id.in_(charge_ids))
    plan_ids = select(subscriptions.c.plan_id).where(subscriptions.c.external_id == external_subscription_id)
    statement = select(own.c.id).where(
        func.coalesce(own.c.parent_id, own.c.id).in_(families),
        own.c.plan_id.in_(plan_ids)
        | exists().where(
            priced_events.c.charge_id == own.c.id,
            priced_events.c.external_subscription_id == external_subscription_id,
        ),
    )
    return set((await tx.execute(statement)).scalars())


async def priced_in(
    tx: Tx,
    *,
    external_subscription_id: str,
    charge_ids: Collection[UUID],
    event_ids: Collection[UUID],
    windows: Sequence[Period],
) -> list[PricedRow]:
    """What was priced of charges in some windows, and some events wherever they were, in the order of pricing."""
    log = priced_events.c
    inside = [and_(log.timestamp >= window.start, log.timestamp < window.end) for window in windows]
    statement = (
        select(
            log.id,
            log.event_id,
            log.charge_id,
            log.amount_cents,
            log.is_void,
            cast(billed_terms.c.charges, Text).label("charges"),
        )
        .outerjoin(billed_terms, billed_terms.c.id == log.billed_terms_id)
        .where(
            among(log.charge_id, charge_ids),
            log.external_subscription_id == external_subscription_id,
            or_(among(log.event_id, event_ids), *inside),
        )
        .order_by(log.id)
    )
    return [
        PricedRow(
            id=row.id,
            event_id=row.event_id,
            charge_id=row.charge_id,
            amount_cents=row.amount_cents,
            is_void=row.is_void,
            charge=terms.decode(row.charges)[0] if row.charges is not None else None,
        )
        for row in await tx.execute(statement)
    ]


# Void then: an invoice with the fee was, and none that was made anew in its place stood.
_COUNTED = text(f"""
    SELECT p.event_id, p.charge_id, t.settled_at
    FROM priced_events p JOIN events_by_id e ON e.id = p.event_id
    CROSS JOIN unnest(CAST(:instants AS timestamptz[])) AS t(settled_at)
    WHERE p.event_id = ANY(CAST(:ids AS uuid[])) AND {billed(came="p.created_at", at="t.settled_at")}
      AND NOT coalesce((
          SELECT bool_or(i.voided_at < t.settled_at)
                 AND NOT bool_or(i.finalized_at <= t.settled_at AND (i.voided_at < t.settled_at) IS NOT TRUE)
          FROM fees root
          JOIN fees f ON f.id = root.id OR f.original_fee_id = root.id
          JOIN invoices i ON i.id = f.invoice_id
          WHERE root.event_id = p.event_id AND root.charge_id = p.charge_id AND root.original_fee_id IS NULL
      ), false)
""")


async def counted_at(
    tx: Tx, event_ids: Collection[UUID], instants: Collection[datetime]
) -> set[tuple[UUID, UUID, datetime]]:
    """Of priced events (event, charge, instant): which of them a bill of which instant has in what was spent.

    It has none that came later, nor one whose fee was void then.
    """
    asked = {"ids": list(event_ids), "instants": sorted(instants)}
    return {(row.event_id, row.charge_id, row.settled_at) for row in await tx.execute(_COUNTED, asked)}


def exact(value: Fraction) -> Decimal:
    """A fraction that has a finite number of decimals, as such."""
    places, rest = 0, value
    while rest.denominator != 1:
        rest, places = rest * 10, places + 1
        assert places <= 10_000, "sums of decimals are decimals"
    digits = tuple(map(int, str(abs(rest.numerator))))
    return Decimal((int(rest < 0), digits, -places))


def _as_logged(row: Row[Any]) -> Logged:
    return Logged(
        event_id=row.event_id, timestamp=row.timestamp, value=row.value, adds=row.adds, order=row.id
    )
