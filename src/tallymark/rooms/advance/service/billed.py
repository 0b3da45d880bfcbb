"""Keep what was priced, and tell what it came to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.advance import repository
from tallymark.rooms.advance.model import Asked, Billed, PricedEvent
from tallymark.rooms.advance.service.families import Families, families_of
from tallymark.rooms.advance.service.ledger import Ledger
from tallymark.rooms.events import service as events
from tallymark.rooms.invoices.terms import keep_terms
from tallymark.rooms.plans import terms


async def save(tx: Tx, priced: Sequence[PricedEvent], *, now: datetime) -> None:
    """Write the log of events whose fees were made, in their order, and by which terms."""
    texts = {item.charge.id: terms.encode([item.charge]) for item in priced}
    kept = await keep_terms(tx, set(texts.values()), now=now)
    await repository.insert_priced(
        tx,
        [
            {
                "organization_id": tx.organization_id,
                "event_id": item.event.id,
                "charge_id": item.charge.id,
                "external_subscription_id": item.contract.subscription.external_id,
                "billed_terms_id": kept[texts[item.charge.id]],
                **columns_of(item),
                "created_at": now,
            }
            for item in priced
        ],
    )


def columns_of(item: PricedEvent) -> dict[str, Any]:
    """What the log has of an event's price and of where its window stands after it."""
    return {
        "scope": item.scope.key,
        "timestamp": item.event.timestamp,
        "value": item.measured.value,
        "adds": item.measured.adds,
        "current": repository.exact(item.after.checkpoint.current),
        "highest": repository.exact(item.after.checkpoint.highest),
        "highest_prorated": repository.exact(item.after.checkpoint.highest_prorated),
        "events_count": item.after.events_count,
        "precise_total_amount_cents": repository.exact(item.after.precise_total_amount_cents),
        "amount_cents": item.fee.amount_cents,
        "pricing_unit_cents": item.fee.pricing_unit.amount_cents if item.fee.pricing_unit else 0,
    }


async def take_over(tx: Tx, asked: Asked, *, now: datetime) -> None:
    """Note where a window stands whose events another system has billed so far: what comes next is priced on top of them.

    The events are in the store, and get no fees.
    """
    if not asked.charges:
        return
    by_id = {charge.id: charge for charge in asked.charges}
    pairs = await repository.unpriced_pairs(tx, asked)
    found = await events.get_events(tx, {event_id for event_id, _ in pairs})
    ledger = Ledger(tx)
    priced = [
        await ledger.price(found[event_id], asked.contract, by_id[charge_id]) for event_id, charge_id in pairs
    ]
    await save(tx, [item for item in priced if item is not None], now=now)


async def counted_at(
    tx: Tx, event_ids: Collection[UUID], instants: Collection[datetime]
) -> set[tuple[UUID, UUID, datetime]]:
    """Of priced events (event, charge, instant): which of them a bill of which instant has in what was spent."""
    return await repository.counted_at(tx, event_ids, instants) if event_ids and instants else set()


async def billed_in(tx: Tx, asked: Asked) -> list[Billed]:
    """What the events of a window were billed, by charge and scope; then what each would be that has no fee yet.

    Also events that never get one count here, as the period's bill would have them (metering §9.1).
    """
    if not asked.charges:
        return []
    by_id = {charge.id: charge for charge in asked.charges}
    families = await families_of(tx, asked.charges)
    billed = [_as_own(one, families) for one in await repository.billed_in(tx, asked, families.ids)]
    pairs = await repository.unpriced_pairs(tx, asked)
    found = await events.get_events(tx, {event_id for event_id, _ in pairs})
    ledger = Ledger(tx)
    for event_id, charge_id in pairs:
        priced = await ledger.price(found[event_id], asked.contract, by_id[charge_id])
        if priced is not None:
            unit = priced.fee.pricing_unit
            billed.append(
                Billed(
                    charge_id=charge_id,
                    filter_id=priced.scope.charge_filter.id if priced.scope.charge_filter else None,
                    grouped_by=dict(priced.scope.grouped_by),
                    amount_cents=priced.fee.amount_cents,
                    pricing_unit_cents=unit.amount_cents if unit else 0,
                )
            )
    return billed


def _as_own(one: Billed, families: Families) -> Billed:
    charge_id, filter_id = families.own(one.charge_id, one.filter_id)
    return replace(one, charge_id=charge_id, filter_id=filter_id)
