"""Events that were billed in advance: their windows are priced again as a whole, for each price follows from those before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window
from tallymark.domain.errors import NotAllowed
from tallymark.domain.values import value
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import BilledItem, BilledUsage, ItemKey, LineKey, Rated, Touched
from tallymark.rooms.adjustments.service.gather import ISSUED, with_adjustments
from tallymark.rooms.adjustments.service.rate import RatedLines
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.model import PricedEvent, PricedRow
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract


@value
class BilledInAdvance:
    """What the events of some windows were billed one by one, and the log of their prices."""

    billed: Sequence[BilledItem]
    rows: Sequence[PricedRow]
    priced: Mapping[int, PricedEvent | None]
    """What they cost before the correction."""


async def gather_in_advance(tx: Tx, touched: Touched, event_id: UUID) -> BilledInAdvance | None:
    """What the windows were billed that an event with fees of its own was in, and is to be in; None where it has none.

    Needs the customers' locks. Raises `NotAllowed("period_already_invoiced")` where the difference could not be told: see
    `advance.priced_in`; where a fee is on no invoice, or on one that is not final; where the log is not what the events cost.
    """
    charge_ids = await advance.priced_charges(tx, event_id)
    if not charge_ids:
        return None
    external_id = touched.external_subscription_id
    windows = await advance.windows_at(tx, external_id, [touched.first, touched.last])
    rows = await advance.priced_in(
        tx,
        external_subscription_id=external_id,
        charge_ids=charge_ids,
        event_id=event_id,
        windows=[window.period for _, window in windows],
    )
    priced = await advance.replay(tx, rows)
    for row in rows:
        item = priced[row.id]
        if (item.fee.amount_cents if item else 0) != (0 if row.is_void else row.amount_cents):
            raise NotAllowed("period_already_invoiced")
    known = await _fees(tx, windows, charge_ids, event_id)
    return BilledInAdvance(
        billed=await with_adjustments(tx, await _billed(tx, windows, rows, known, event_id)),
        rows=rows,
        priced=priced,
    )


Windows = Sequence[tuple[Contract, Window]]


async def _fees(tx: Tx, windows: Windows, charge_ids: Collection[UUID], event_id: UUID) -> list[FeeRecord]:
    """The fees of the events of windows, and those of one event."""
    ids = await repository.event_fees(
        tx,
        subscription_ids={contract.subscription.id for contract, _ in windows},
        charge_ids=charge_ids,
        starts=[window.period.start for _, window in windows],
        event_id=event_id,
    )
    return list((await fees.get_fees(tx, ids)).values())


async def _billed(
    tx: Tx, windows: Windows, rows: Sequence[PricedRow], known: Sequence[FeeRecord], event_id: UUID
) -> list[tuple[BilledUsage, Charge, Mapping[LineKey, FeeRecord]]]:
    """Each charge in each window with the fees of its events. Documents follow the invoice of the event that is corrected."""
    of_invoices = await invoices.get_invoices(
        tx, {fee.invoice_id for fee in known if fee.invoice_id is not None}
    )
    for fee in known:
        if fee.invoice_id is None or of_invoices[fee.invoice_id].status not in ISSUED:
            raise NotAllowed("period_already_invoiced")
    own = next((fee.invoice_id for fee in known if fee.event_id == event_id), None)
    if own is None or of_invoices[own].finalized_at is None:
        raise NotAllowed("period_already_invoiced")
    charges = {row.charge_id: row.charge for row in rows if row.charge is not None}
    return [
        (
            _usage(of_invoices[own], contract, window, charge),
            charge,
            {
                _line_key(fee.event_transaction_id): fee
                for fee in known
                if (fee.charge_id, fee.from_at) == (charge.id, window.period.start)
                and fee.subscription_id == contract.subscription.id
            },
        )
        for contract, window in windows
        for charge in charges.values()
    ]


def _usage(invoice: Invoice, contract: Contract, window: Window, charge: Charge) -> BilledUsage:
    assert invoice.finalized_at is not None, "what is not final is refused"
    return BilledUsage(
        invoice=invoice,
        contract=contract,
        window=window,
        finalized_at=invoice.finalized_at,
        charges=[charge],
    )


def _line_key(transaction_id: str | None) -> LineKey:
    return None, (("event_transaction_id", transaction_id),), False


def lines_of(
    known: BilledInAdvance, priced: Mapping[int, PricedEvent | None]
) -> Mapping[ItemKey, RatedLines]:
    """What each event of the windows costs. Raises `NotAllowed("period_already_invoiced")` where one is in another window."""
    rated: dict[ItemKey, dict[LineKey, Rated]] = {one.key: {} for one in known.billed}
    for item in priced.values():
        if item is None:
            continue
        key = item.contract.subscription.id, item.charge.id, item.window.period.start
        if key not in rated:
            raise NotAllowed("period_already_invoiced")
        rated[key][_line_key(item.event.transaction_id)] = Rated(
            units=item.fee.units,
            amount_cents=item.fee.amount_cents,
            explanation=item.fee.explanation,
            filter_values=None,
            grouped_by={},
        )
    return rated


async def price_again(tx: Tx, known: BilledInAdvance) -> Mapping[ItemKey, RatedLines]:
    """What each event costs after the correction, noted in the log: whatever comes next is priced on top of it."""
    after = await advance.replay(tx, known.rows)
    await advance.save_replayed(tx, before=known.priced, after=after)
    return lines_of(known, after)
