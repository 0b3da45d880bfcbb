"""Move a customer over from another billing system, and note how far an import is (docs/decisions/0030)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_window
from tallymark.domain.periods import TICK, Period
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.model import Asked
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.lifetime_usages import service as lifetime_usages
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.takeovers import repository
from tallymark.rooms.takeovers.model import Mark, MarkKind, Move, TakenSubscription
from tallymark.rooms.wallets import service as wallets


async def move_customer(tx: Tx, source: str, move: Move, *, now: datetime) -> bool:
    """Take over all that a customer has elsewhere; False where they have moved already, and nothing is done.

    The events that they have used so far are in the store. Raises what the parts raise.
    """
    customer = await customers.get_customer(tx, external_id=move.external_customer_id)
    await tx.lock("customer", customer.id)
    mark = await repository.find_mark(tx, source, MarkKind.CUSTOMER, move.external_customer_id)
    if mark is not None and mark.has_moved_something:
        return False
    for taken in move.subscriptions:
        await _take_over(tx, taken, now=now)
    for position, wallet in enumerate(move.wallets):
        # Wallets of one priority pay in the order in which they were made.
        made_at = now + position * TICK
        await wallets.take_over_wallet(
            tx, wallet.asked, wallet.left, external_customer_id=move.external_customer_id, now=made_at
        )
    await coupons.take_over(tx, customer.id, move.coupons, now=now)
    detail = {
        "subscriptions": [taken.asked.external_id for taken in move.subscriptions],
        "wallets": len(move.wallets),
        "coupons": len(move.coupons),
    }
    await repository.save_mark(tx, source, MarkKind.CUSTOMER, move.external_customer_id, detail, now=now)
    return True


async def _take_over(tx: Tx, taken: TakenSubscription, *, now: datetime) -> None:
    if taken.life is None:
        made = await subscriptions.create(tx, taken.asked, now=now)
        subject = await subscriptions.find_subject(tx, made, taken.asked.plan_code)
    else:
        subject = await subscriptions.take_over(tx, taken.asked, taken.life, now=now)
    await subscriptions.set_thresholds(tx, subject, taken.thresholds, now=now)
    await subscriptions.choose_sections(tx, subject, taken.sections)
    if taken.life is None:
        return
    await fees.note_elsewhere(tx, subject.id, taken.fees)
    if taken.used_cents:
        await lifetime_usages.set_historical_amount(tx, subject, taken.used_cents, now=now)
    contract = (await subscriptions.get_contracts(tx, [subject]))[subject.id]
    await _stand_where_they_stand(tx, contract, now=now)


async def _stand_where_they_stand(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Charges in advance go on from the events that were billed elsewhere in the running period."""
    charges = [charge for charge in contract.plan.charges if charge.pay_in_advance]
    window = current_charges_window(contract.schedule, contract.life, now).period
    until = min(window.end, now + TICK)
    if window.start < until:
        asked = Asked(contract=contract, window=Period(window.start, until), charges=charges)
        await advance.take_over(tx, asked, now=now)


async def moved_customers(tx: Tx, source: str) -> dict[str, Mark]:
    """The customers that have moved, by external id."""
    return await repository.list_marks(tx, source, MarkKind.CUSTOMER)


async def find_mark(tx: Tx, source: str, kind: MarkKind, key: str) -> Mark | None:
    """How far something is; None where it has not begun."""
    return await repository.find_mark(tx, source, kind, key)


async def note(
    tx: Tx, source: str, kind: MarkKind, key: str, detail: Mapping[str, Any], *, now: datetime
) -> None:
    """Note how far something is."""
    await repository.save_mark(tx, source, kind, key, detail, now=now)
