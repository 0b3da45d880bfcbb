"""Events that were billed in advance: their windows are priced again as a whole, for each price follows from those before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window
from tallymark.domain.errors import NotAllowed
from tallymark.domain.values import value
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import BilledItem, BilledUsage, ItemKey, LineKey, Rated, Touched
from tallymark.rooms.adjustments.service.gather import ISSUED, Finals, line_key, with_adjustments
from tallymark.rooms.adjustments.service.rate import RatedLines
from tallymark.rooms.adjustments.service.renewals import Renewed, gather_renewals, rate_renewals
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
    """What the events of some windows were billed one by one, the log of their prices, and what was renewed of them."""

    billed: Sequence[BilledItem]
    rows: Sequence[PricedRow]
    priced: Mapping[int, PricedEvent | None]
    """What they cost before the correction."""

    renewed: Sequence[Renewed]
    before: Mapping[ItemKey, RatedLines]
    """What each event, and each renewal, of the windows cost before the correction."""


async def gather_in_advance(
    tx: Tx, touched: Touched, finals: Finals, *, now: datetime
) -> BilledInAdvance | None:
    """What the windows were billed in advance that a correction changes; None where none of it was.

    These are the windows that its events were in, and are to be in; where units carry over, all from there on, with what was
    renewed. Needs the customers' locks. Raises `NotAllowed("period_already_invoiced")` where the difference could not be told: see
    `advance.priced_in` and `gather_renewals`; where a fee is on no invoice, or on one that is not final; where the log is not
    what the events cost.
    """
    external_id = touched.external_subscription_id
    carrying = await advance.charges_carrying_over(
        tx, external_subscription_id=external_id, code=touched.code, since=touched.first
    )
    renewed = await gather_renewals(tx, touched, finals, carrying)
    charge_ids = await advance.priced_charges(tx, touched.event_ids) | carrying
    if not charge_ids and not renewed:
        return None
    windows = await advance.windows_in(tx, external_id, _stretches(touched, carrying, now=now))
    rows = await advance.priced_in(
        tx,
        external_subscription_id=external_id,
        charge_ids=charge_ids,
        event_ids=touched.event_ids,
        windows=[window.period for _, window in windows],
    )
    priced = await advance.replay(tx, rows)
    for row in rows:
        item = priced[row.id]
        if (item.fee.amount_cents if item else 0) != (0 if row.is_void else row.amount_cents):
            raise NotAllowed("period_already_invoiced")
    known = await _fees(tx, windows, charge_ids, touched.event_ids)
    billed = await with_adjustments(tx, await _billed(tx, windows, rows, known, renewed))
    return BilledInAdvance(
        billed=billed,
        rows=rows,
        priced=priced,
        renewed=renewed,
        before=_lines(billed, priced, await rate_renewals(tx, renewed)),
    )


def _stretches(touched: Touched, carrying: Collection[UUID], *, now: datetime) -> list[advance.Stretch]:
    if carrying:
        return [(touched.first, max(touched.last, now))]
    if touched.is_stretch:
        return [(touched.first, touched.last)]
    return [(touched.first, touched.first), (touched.last, touched.last)]


Windows = Sequence[tuple[Contract, Window]]


async def _fees(
    tx: Tx, windows: Windows, charge_ids: Collection[UUID], event_ids: Collection[UUID]
) -> list[FeeRecord]:
    """The fees of the events of windows, and those of some events."""
    ids = await repository.event_fees(
        tx,
        subscription_ids={contract.subscription.id for contract, _ in windows},
        charge_ids=charge_ids,
        starts=[window.period.start for _, window in windows],
        event_ids=event_ids,
    )
    return list((await fees.get_fees(tx, ids)).values())


Billed = tuple[BilledUsage, Charge, dict[LineKey, FeeRecord]]


async def _billed(
    tx: Tx,
    windows: Windows,
    rows: Sequence[PricedRow],
    known: Sequence[FeeRecord],
    renewed: Sequence[Renewed],
) -> list[Billed]:
    """Each charge in each window with the fees of its events, and of what was renewed for it."""
    found: dict[ItemKey, Billed] = {}
    if rows:
        invoice = await _invoice_of(tx, known)
        charges = {row.charge_id: row.charge for row in rows if row.charge is not None}
        for contract, window in windows:
            for charge in charges.values():
                used = _usage(invoice, contract, window, charge)
                own = {
                    _line_key(fee.event_transaction_id): fee
                    for fee in known
                    if (fee.charge_id, fee.from_at) == (charge.id, window.period.start)
                    and fee.subscription_id == contract.subscription.id
                }
                found[used.key_of(charge)] = used, charge, own
    for one in renewed:
        for charge in one.used.charges:
            default = _renewed_usage(one, charge), charge, dict[LineKey, FeeRecord]()
            _, _, own = found.setdefault(one.key_of(charge), default)
            own |= {line_key(fee): fee for fee in one.fees if fee.charge_id == charge.id}
    return list(found.values())


async def _invoice_of(tx: Tx, known: Sequence[FeeRecord]) -> Invoice:
    """The invoice that documents follow: the latest of those that billed the events."""
    of_invoices = await invoices.get_invoices(
        tx, {fee.invoice_id for fee in known if fee.invoice_id is not None}
    )
    if not of_invoices or any(fee.invoice_id is None for fee in known):
        raise NotAllowed("period_already_invoiced")
    if any(one.status not in ISSUED or one.finalized_at is None for one in of_invoices.values()):
        raise NotAllowed("period_already_invoiced")
    return max(of_invoices.values(), key=lambda one: (one.finalized_at, one.id))


def _usage(invoice: Invoice, contract: Contract, window: Window, charge: Charge) -> BilledUsage:
    assert invoice.finalized_at is not None, "what is not final is refused"
    return BilledUsage(
        invoice=invoice,
        contract=contract,
        window=window,
        finalized_at=invoice.finalized_at,
        charges=[charge],
    )


def _renewed_usage(renewed: Renewed, charge: Charge) -> BilledUsage:
    """The period that began with a bill, as the one that this is for."""
    used, upcoming = renewed.used, renewed.upcoming
    window = Window(
        period=upcoming, wire_to=upcoming.end, full_days=used.window.full_days, full_period=upcoming
    )
    return _usage(used.invoice, used.contract, window, charge)


def _line_key(transaction_id: str | None) -> LineKey:
    return None, (("event_transaction_id", transaction_id),), False


def _lines(
    billed: Sequence[BilledItem],
    priced: Mapping[int, PricedEvent | None],
    renewals: Mapping[ItemKey, RatedLines],
) -> Mapping[ItemKey, RatedLines]:
    """What each event and renewal costs. Raises `NotAllowed("period_already_invoiced")` where one is in another window."""
    rated = {one.key: dict(renewals.get(one.key, {})) for one in billed}
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
    """What each event and renewal costs after the correction, prices noted in the log: whatever comes next is priced on top of it."""
    after = await advance.replay(tx, known.rows)
    await advance.save_replayed(tx, before=known.priced, after=after)
    return _lines(known.billed, after, await rate_renewals(tx, known.renewed))
