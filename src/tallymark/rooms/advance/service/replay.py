"""Price what was priced once more, from the events as they are now: each by the terms of its time, in the same order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window, current_charges_window
from tallymark.domain.errors import NotAllowed
from tallymark.domain.periods import TICK, Period, local_date, start_of_day
from tallymark.rooms.advance import repository
from tallymark.rooms.advance.model import PricedEvent, PricedRow
from tallymark.rooms.advance.service.billed import columns_of
from tallymark.rooms.advance.service.ledger import Ledger
from tallymark.rooms.advance.service.waiting import contracts_of
from tallymark.rooms.events import service as events
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Subscription

MOST = 10_000
"""Events that are priced again while somebody waits."""

Replayed = Mapping[int, PricedEvent | None]
"""What was priced, by its place in the log; None for an event that costs nothing, for it counts no more."""


Stretch = tuple[datetime, datetime]
"""From an instant to another, both of them in it."""


async def windows_in(
    tx: Tx, external_subscription_id: str, stretches: Sequence[Stretch]
) -> list[tuple[Contract, Window]]:
    """The charges windows of a subscription that hold some of the time, each once; where it was not there, there are none."""
    lives = (await subscriptions.started_of(tx, {external_subscription_id})).get(external_subscription_id, [])
    contracts = await subscriptions.get_contracts(tx, lives)
    found: dict[tuple[UUID, Window], Contract] = {}
    for first, last in stretches:
        at: datetime | None = first
        while at is not None and at <= last:
            owner = subscriptions.holding(lives, at)
            if owner is None:
                at = _next_start(lives, after=at)
                continue
            contract = contracts[owner.id]
            window = await _window_at(tx, contract, at)
            found.setdefault((owner.id, window), contract)
            at = max(window.period.end, at + TICK)
    return [(contract, window) for (_, window), contract in found.items()]


def first_day(contract: Contract, window: Window) -> Period:
    """The period of fees on no invoice: a window from the beginning of its first day (invoicing §7.1)."""
    zone, period = contract.timezone, window.period
    return Period(start_of_day(local_date(period.start, zone), zone), period.end)


def _next_start(lives: Sequence[Subscription], *, after: datetime) -> datetime | None:
    starts = [life.started_at for life in lives if life.started_at is not None]
    return min((start for start in starts if start > after), default=None)


async def _window_at(tx: Tx, contract: Contract, at: datetime) -> Window:
    since = max(at, contract.life.started_at)
    continuity = (await invoices.continuity_of(tx, [contract], at=since))[contract.subscription.id]
    return current_charges_window(contract.schedule, contract.life, since, continuity)


async def priced_charges(tx: Tx, event_ids: Collection[UUID], *, external_subscription_id: str) -> set[UUID]:
    """The charges in advance that events of a subscription were priced for, and those whose prices go on from theirs."""
    return await repository.priced_charges(tx, event_ids, external_subscription_id=external_subscription_id)


async def charges_carrying_over(
    tx: Tx, *, external_subscription_id: str, code: str, since: datetime
) -> set[UUID]:
    """The charges in advance that events of a subscription and code were priced for from an instant on, if the metric carries over."""
    return await repository.charges_carrying_over(
        tx, external_subscription_id=external_subscription_id, code=code, since=since
    )


async def priced_in(
    tx: Tx,
    *,
    external_subscription_id: str,
    charge_ids: set[UUID],
    event_ids: Collection[UUID],
    windows: Sequence[Period],
) -> list[PricedRow]:
    """What was priced of charges in windows, and some events wherever they were.

    Raises `NotAllowed`: `billed_terms_unknown` where terms are not kept, `too_many_priced_events`.
    """
    rows = await repository.priced_in(
        tx,
        external_subscription_id=external_subscription_id,
        charge_ids=charge_ids,
        event_ids=event_ids,
        windows=windows,
    )
    if len(rows) > MOST:
        raise NotAllowed("too_many_priced_events")
    if any(row.charge is None for row in rows):
        raise NotAllowed("billed_terms_unknown")
    return rows


async def replay(tx: Tx, rows: Sequence[PricedRow]) -> Replayed:
    """Price the events of whole windows again, as if none of them had been; nothing is saved."""
    counted = await events.get_events(tx, {row.event_id for row in rows})
    contracts = await contracts_of(tx, list(counted.values()))
    ledger = Ledger(tx, starts_anew=True)
    priced: dict[int, PricedEvent | None] = {}
    for row in rows:
        event, contract = counted.get(row.event_id), contracts.get(row.event_id)
        assert row.charge is not None, "who has no terms is refused"
        if event is None or contract is None:
            priced[row.id] = None
        else:
            priced[row.id] = await ledger.price(event, contract, row.charge)
    return priced


async def save_replayed(tx: Tx, *, before: Replayed, after: Replayed) -> None:
    """Have the log say what events cost now; one that counts no more keeps its place, and what it was noted to be."""
    voided = [row_id for row_id, item in after.items() if item is None and before[row_id] is not None]
    if voided:
        await repository.void_priced(tx, voided)
    rows = [
        {"id": row_id, **columns_of(item), "is_void": False, "is_corrected": True}
        for row_id, item in after.items()
        if item is not None and not _is_same(before[row_id], item)
    ]
    await repository.update_priced(tx, rows)


def _is_same(before: PricedEvent | None, after: PricedEvent) -> bool:
    return before is not None and columns_of(before) == columns_of(after)
