"""Events that were billed in advance: their windows are priced again as a whole, for each price follows from those before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.invoices.relations import standing_of
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract

EventOfCharge = tuple[UUID, UUID]
"""A charge, and an event that it priced."""


@value
class CostInAdvance:
    """What each event, and each renewal, of some windows costs, and the events of which something is billed."""

    lines: Mapping[ItemKey, RatedLines]
    events: Sequence[PricedEvent]


@value
class BilledInAdvance:
    """What the events of some windows were billed one by one, the log of their prices, and what was renewed of them."""

    billed: Sequence[BilledItem]
    rows: Sequence[PricedRow]
    priced: Mapping[int, PricedEvent | None]
    """What they cost before the correction."""

    undone: Collection[EventOfCharge]
    """Of which nothing is billed here: their invoices are void, their fees were deleted, or another system has billed them."""

    elsewhere: Collection[int]
    """The places in the log of the last of these."""

    renewed: Sequence[Renewed]
    before: CostInAdvance
    """Before the correction."""


async def gather_in_advance(
    tx: Tx, touched: Touched, finals: Finals, *, now: datetime
) -> BilledInAdvance | None:
    """What the windows were billed in advance that a correction changes; None where none of it was.

    These are the windows that its events were in, and are to be in; where units carry over, all from there on, with what was
    renewed. Needs the customers' locks. Raises `NotAllowed` where the difference could not be told: see `advance.priced_in` and
    `gather_renewals`; `invoice_not_final` where a fee is on an invoice that is not final; `billed_otherwise` where the log is not what
    the events cost.
    """
    external_id = touched.external_subscription_id
    carrying = await advance.charges_carrying_over(
        tx, external_subscription_id=external_id, code=touched.code, since=touched.first
    )
    renewed = await gather_renewals(tx, touched, finals, carrying)
    priced_for = await advance.priced_charges(tx, touched.event_ids, external_subscription_id=external_id)
    charge_ids = priced_for | carrying
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
    known = await _fees(tx, windows, charge_ids, {row.event_id for row in rows} | set(touched.event_ids))
    undone = _undone(rows, known)
    priced = await advance.replay(tx, rows)
    for row in rows:
        if _cents(priced[row.id]) != (0 if row.is_void else row.amount_cents):
            raise NotAllowed("billed_otherwise")
    billed = await with_adjustments(tx, await _billed(tx, windows, rows, known, renewed))
    return BilledInAdvance(
        billed=billed,
        rows=rows,
        priced=priced,
        undone=undone,
        elsewhere=_elsewhere(rows, known, windows),
        renewed=renewed,
        before=_cost(billed, priced, undone, await rate_renewals(tx, renewed)),
    )


def _stretches(touched: Touched, carrying: Collection[UUID], *, now: datetime) -> list[advance.Stretch]:
    if carrying:
        return [(touched.first, max(touched.last, now))]
    if touched.is_stretch:
        return [(touched.first, touched.last)]
    return [(touched.first, touched.first), (touched.last, touched.last)]


Windows = Sequence[tuple[Contract, Window]]


@value
class _Known:
    """The fees of events as they were made first, and what stands for each that is not undone."""

    first: Sequence[FeeRecord]
    standing: Sequence[FeeRecord]

    def of_charge(self, charge_id: UUID) -> list[FeeRecord]:
        """Those that stand, of a charge."""
        return [fee for fee in self.standing if fee.charge_id == charge_id]


async def _fees(
    tx: Tx, windows: Windows, charge_ids: Collection[UUID], event_ids: Collection[UUID]
) -> _Known:
    """The fees of the events of windows, and those of some events."""
    starts = {
        starts
        for contract, window in windows
        for starts in (window.period.start, advance.first_day(contract, window).start)
    }
    ids = await repository.event_fees(
        tx,
        subscription_ids={contract.subscription.id for contract, _ in windows},
        charge_ids=charge_ids,
        starts=starts,
        event_ids=event_ids,
    )
    first = list((await fees.get_fees(tx, ids)).values())
    return _Known(first=first, standing=await _standing(tx, first))


async def _standing(tx: Tx, first: Sequence[FeeRecord]) -> list[FeeRecord]:
    """Fees that are on no void invoice, or those of the invoices that took the place of theirs."""
    invoice_of = await standing_of(tx, _invoice_ids(first))
    remade = {one.id for invoice_id, one in invoice_of.items() if one.id != invoice_id}
    copied = {fee.root_id: fee for own in (await fees.of_invoices(tx, remade)).values() for fee in own}
    found = []
    for fee in first:
        invoice = None if fee.invoice_id is None else invoice_of[fee.invoice_id]
        if invoice is None or invoice.id == fee.invoice_id:
            standing: FeeRecord | None = fee
        else:
            standing = copied.get(fee.id)
        if standing is not None and (invoice is None or invoice.status is not InvoiceStatus.VOIDED):
            found.append(standing)
    return found


def _undone(rows: Sequence[PricedRow], known: _Known) -> set[EventOfCharge]:
    """The events of which nothing is billed."""
    standing = {(fee.charge_id, fee.event_id) for fee in known.standing}
    return {(row.charge_id, row.event_id) for row in rows} - standing


def _elsewhere(rows: Sequence[PricedRow], known: _Known, windows: Windows) -> set[int]:
    """Where events stand in the log that another system has billed: no fee was made of them."""
    first = {(fee.charge_id, fee.event_id) for fee in known.first}
    was_moved = any(contract.subscription.was_billed_elsewhere for contract, _ in windows)
    return {
        row.id
        for row in rows
        if (row.charge_id, row.event_id) not in first
        # A fee that is on no invoice may have been deleted.
        and (was_moved or (row.charge is not None and row.charge.invoiceable))
    }


Billed = tuple[BilledUsage, Charge, dict[LineKey, FeeRecord]]


async def _billed(
    tx: Tx, windows: Windows, rows: Sequence[PricedRow], known: _Known, renewed: Sequence[Renewed]
) -> list[Billed]:
    """Each charge in each window with the fees of its events, and of what was renewed for it."""
    found: dict[ItemKey, Billed] = {}
    for charge in {row.charge_id: row.charge for row in rows if row.charge is not None}.values():
        invoice = await _invoice_of(tx, known, charge)
        for contract, window in windows:
            used = _usage(invoice, contract, window, charge)
            starts = (advance.first_day(contract, window) if not charge.invoiceable else window.period).start
            own = {
                event_line(fee.event_transaction_id): fee
                for fee in known.of_charge(charge.id)
                if fee.from_at == starts and fee.subscription_id == contract.subscription.id
            }
            found[used.key_of(charge)] = used, charge, own
    for one in renewed:
        for charge in one.used.charges:
            default = _renewed_usage(one, charge), charge, dict[LineKey, FeeRecord]()
            _, _, own = found.setdefault(one.key_of(charge), default)
            own |= {line_key(fee): fee for fee in one.standing if fee.charge_id == charge.id}
    return list(found.values())


async def _invoice_of(tx: Tx, known: _Known, charge: Charge) -> Invoice | None:
    """The invoice that documents follow: the latest that billed a charge's events, else a void one; None where they are on none."""
    standing = known.of_charge(charge.id)
    billed = await invoices.get_invoices(tx, _invoice_ids(standing))
    if any(one.status not in ISSUED for one in billed.values()):
        raise NotAllowed("invoice_not_final")
    if not billed and not standing and charge.invoiceable:
        billed = await invoices.get_invoices(
            tx, _invoice_ids(fee for fee in known.first if fee.charge_id == charge.id)
        )
    return max(billed.values(), key=lambda one: (one.finalized_at or one.created_at, one.id), default=None)


def _invoice_ids(found: Iterable[FeeRecord]) -> set[UUID]:
    return {fee.invoice_id for fee in found if fee.invoice_id is not None}


def _usage(invoice: Invoice | None, contract: Contract, window: Window, charge: Charge) -> BilledUsage:
    return BilledUsage(
        invoice=invoice,
        contract=contract,
        window=window,
        finalized_at=None if invoice is None else invoice.finalized_at,
        charges=[charge],
    )


def _renewed_usage(renewed: Renewed, charge: Charge) -> BilledUsage:
    """The period that began with a bill, as the one that this is for."""
    used, upcoming = renewed.used, renewed.upcoming
    window = Window(
        period=upcoming, wire_to=upcoming.end, full_days=used.window.full_days, full_period=upcoming
    )
    return _usage(used.invoice, used.contract, window, charge)


def event_line(transaction_id: str | None) -> LineKey:
    """The key of an event in advance, which is a group of its own."""
    return None, (("event_transaction_id", transaction_id),), False


def _cost(
    billed: Sequence[BilledItem],
    priced: Mapping[int, PricedEvent | None],
    undone: Collection[EventOfCharge],
    renewals: Mapping[ItemKey, RatedLines],
) -> CostInAdvance:
    """Raises `NotAllowed("billed_otherwise")` where an event is in another window."""
    rated = {one.key: dict(renewals.get(one.key, {})) for one in billed}
    counted = [
        item for item in priced.values() if item is not None and (item.charge.id, item.event.id) not in undone
    ]
    for item in counted:
        key = item.contract.subscription.id, item.charge.id, item.window.period.start
        if key not in rated:
            raise NotAllowed("billed_otherwise")
        rated[key][event_line(item.event.transaction_id)] = Rated(
            units=item.fee.units,
            amount_cents=item.fee.amount_cents,
            explanation=item.fee.explanation,
            filter_values=None,
            grouped_by={},
        )
    return CostInAdvance(lines=rated, events=counted)


def _cents(item: PricedEvent | None) -> int:
    return 0 if item is None else item.fee.amount_cents


async def price_again(tx: Tx, known: BilledInAdvance) -> CostInAdvance:
    """What each event and renewal costs after the correction, prices noted in the log: whatever comes next is priced on top of it.

    Raises `NotAllowed("billed_elsewhere")` where another system has billed an event that costs something else now.
    """
    after = await advance.replay(tx, known.rows)
    if any(_cents(after[one]) != _cents(known.priced[one]) for one in known.elsewhere):
        raise NotAllowed("billed_elsewhere")
    await advance.save_replayed(tx, before=known.priced, after=after)
    return _cost(known.billed, after, known.undone, await rate_renewals(tx, known.renewed))
