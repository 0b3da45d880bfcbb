"""Events on their way to a price: whose are next, which subscription and charges they are for, and that they are done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.usage import text_of
from tallymark.rooms.advance import repository
from tallymark.rooms.advance.model import TARGET_WALLET, NamesWallet, PricedEvent, Waiting
from tallymark.rooms.advance.service.ledger import Ledger
from tallymark.rooms.events import service as events
from tallymark.rooms.events.model import Event
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract

BACK_OFF = (timedelta(seconds=3), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""How long an event that could not be priced waits for its next try; after the last it is parked."""


async def first_customer(tx: Tx, *, now: datetime) -> UUID | None:
    """Whose event is to be priced first; events of external ids that nobody has are let go."""
    found = await repository.first_customer(tx, now=now)
    if found is None:
        await repository.drop_unowned(tx)
    return found


async def next_waiting(tx: Tx, customer_id: UUID, *, now: datetime, limit: int) -> list[Waiting]:
    """A customer's events to price, in the order in which they came."""
    return await repository.next_waiting(tx, customer_id, now=now, limit=limit)


async def waiting_of(tx: Tx, external_subscription_id: str, code: str) -> list[Waiting]:
    """The events of a subscription and code that have no price yet."""
    return await repository.waiting_of(tx, external_subscription_id=external_subscription_id, code=code)


async def take_off(tx: Tx, waiting: Sequence[Waiting]) -> None:
    """Have these events priced for good."""
    await repository.take_off(tx, [item.id for item in waiting])


async def record_failure(tx: Tx, waiting: Waiting, *, error: str, now: datetime) -> datetime | None:
    """Note that an event could not be priced; it is tried again at the instant returned, None for never."""
    attempts = await repository.attempts_of(tx, waiting.id)
    retry_at = now + BACK_OFF[attempts] if attempts < len(BACK_OFF) else None
    await repository.record_failure(
        tx, waiting.id, error=error, attempts=attempts + 1, retry_at=retry_at, now=now
    )
    return retry_at


async def price_waiting(
    tx: Tx, waiting: Sequence[Waiting], *, ledger: Ledger | None = None
) -> list[PricedEvent]:
    """The fees that events make, in order, one for each charge in advance on their code; nothing is saved.

    A `ledger` given sees them, so that what it prices next comes on top of them.
    """
    ids = [item.event_id for item in waiting]
    found = await events.get_events(tx, ids)
    in_order = [found[event_id] for event_id in ids if event_id in found]
    contracts = await contracts_of(tx, in_order)
    done = await repository.priced_pairs(tx, ids)
    ledger, priced = ledger or Ledger(tx), list[PricedEvent]()
    for event in in_order:
        contract = contracts.get(event.id)
        if contract is None or event.created_at < contract.subscription.created_at:
            continue
        for charge in charges_on(contract, event.code):
            if {(event.id, charge.id), (event.id, charge.family_id)} & done or await _is_older(
                ledger, event, charge
            ):
                continue
            made = await ledger.price(event, contract, charge)
            if made is not None:
                priced.append(made)
    return priced


async def _is_older(ledger: Ledger, event: Event, charge: Charge) -> bool:
    """Whether an event came before a charge was there, be it as the one that it was copied from."""
    if event.created_at >= charge.created_at:
        return False
    origin = await ledger.origin_of(charge)
    return origin is None or event.created_at < origin.created_at


async def naming_wallets(tx: Tx, waiting: Sequence[Waiting]) -> list[NamesWallet]:
    """The events among these that name a wallet, for a charge of their plan that lets them (metering §7.3)."""
    found = await events.get_events(
        tx, await repository.naming_wallets(tx, [item.event_id for item in waiting])
    )
    contracts = await contracts_of(tx, list(found.values())) if found else {}
    return [
        NamesWallet(
            event_id=event.id,
            customer_id=contracts[event.id].customer.id,
            code=text_of(event.properties[TARGET_WALLET]) or "",
        )
        for event in found.values()
        if event.id in contracts and _takes_wallets(contracts[event.id], event.code)
    ]


def _takes_wallets(contract: Contract, code: str) -> bool:
    return any(
        charge.accepts_target_wallet and charge.billable_metric.code == code
        for charge in contract.plan.charges
    )


async def contracts_of(tx: Tx, of_events: Sequence[Event]) -> dict[UUID, Contract]:
    """The contract that each event belongs to, by event id (metering §1.5); events of none are left out."""
    lives = await subscriptions.started_of(tx, {event.external_subscription_id for event in of_events})
    owners = {
        event.id: subscriptions.holding(lives.get(event.external_subscription_id, ()), event.timestamp)
        for event in of_events
    }
    contracts = await subscriptions.get_contracts(
        tx, list({owner.id: owner for owner in owners.values() if owner is not None}.values())
    )
    return {event_id: contracts[owner.id] for event_id, owner in owners.items() if owner is not None}


def charges_on(contract: Contract, code: str) -> list[Charge]:
    """The charges in advance of a plan on a metric."""
    return [
        charge
        for charge in contract.plan.charges
        if charge.pay_in_advance and charge.billable_metric.code == code
    ]
