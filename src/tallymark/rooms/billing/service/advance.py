"""Bill events of charges paid in advance: a fee each, on an invoice of its own or on none (metering §8, invoicing §7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.periods import Period
from tallymark.jobs import usage_watch
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.model import PricedEvent
from tallymark.rooms.billing.model import Line
from tallymark.rooms.billing.service.coupons import make_computed, open_book
from tallymark.rooms.billing.service.documenting import document
from tallymark.rooms.billing.service.invoice import issue_computed
from tallymark.rooms.billing.service.standalone import save_standalone
from tallymark.rooms.billing.service.subjects import subject_of_event
from tallymark.rooms.billing.service.targets import tell_unknown_wallets
from tallymark.rooms.corrections import service as corrections
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.service import TaxTable, advance_line

AT_ONCE = 100
"""Events that are priced in one transaction."""


async def bill_events(tx: Tx, customer_id: UUID, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Price a customer's next events and make their fees; how many events that were, priced or not.

    Needs the customer's lock. An event comes off the list in the transaction that makes its fees: killed at any
    instant, it is there with no fee, or gone with all of them.
    """
    waiting = await advance.next_waiting(tx, customer_id, now=now, limit=limit)
    if waiting:
        priced = await advance.price_waiting(tx, waiting)
        await advance.save(tx, priced, now=now)
        await _make_fees(tx, priced, now=now)
        await _settle_commitments(tx, priced, now=now)
        await tell_unknown_wallets(tx, await advance.naming_wallets(tx, waiting), now=now)
        await advance.take_off(tx, waiting)
        await usage_watch.follow_customers(tx, [customer_id], now=now)
    return len(waiting)


async def _make_fees(tx: Tx, priced: Sequence[PricedEvent], *, now: datetime) -> None:
    if not priced:
        return
    contracts = {item.contract.subscription.id: item.contract for item in priced}
    table = await usage.gather_taxes(tx, contracts.values())
    for item in priced:
        line = event_line(item, table)
        if item.charge.invoiceable:
            await _invoice(tx, line, at=item.event.timestamp, now=now)
        else:
            await save_standalone(tx, [line], now=now)


async def _settle_commitments(tx: Tx, priced: Sequence[PricedEvent], *, now: datetime) -> None:
    """Settle commitments anew that were held against the periods of events before a correction brought these (pricing §15)."""
    over = [item for item in priced if item.window.period.end <= now and item.fee.amount_cents]
    known = await corrections.corrected_among(tx, {item.event.id for item in over}) if over else set()
    brought = [item for item in over if item.event.id in known]
    if brought:
        await document(tx, await adjustments.count_spent(tx, brought), now=now)


def event_line(item: PricedEvent, table: TaxTable) -> Line:
    """The fee of an event as a line to bill."""
    charge_line = advance_line(item, table)
    return Line(
        fee=item.fee,
        contract=item.contract,
        taxes=charge_line.taxes,
        period=_shown_period(item),
        usage=charge_line,
        event=item.event,
    )


def _shown_period(item: PricedEvent) -> Period:
    """The charges window; of a fee on no invoice it begins with its first day (invoicing §7.1)."""
    return item.window.period if item.charge.invoiceable else advance.first_day(item.contract, item.window)


async def _invoice(tx: Tx, line: Line, *, at: datetime, now: datetime) -> None:
    """One invoice for one event, dated as of it."""
    subject = await subject_of_event(tx, line.contract, at=at)
    book = await open_book(tx, [subject])
    computed = make_computed([subject], [line], book)
    await issue_computed(tx, [computed], book, now=now)
