"""Find the usage on final invoices that a correction touches, with all that it was billed by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window
from tallymark.domain.errors import NotAllowed
from tallymark.domain.fees.model import FeeType
from tallymark.domain.periods import Period
from tallymark.domain.values import value
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import (
    TRUE_UP,
    Adjustments,
    BilledItem,
    BilledRecord,
    BilledUsage,
    LineKey,
    Touched,
)
from tallymark.rooms.events import service as events
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord, FeeTax
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.invoices.relations import standing_of
from tallymark.rooms.plans.model import Charge, Commitment
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.service import TaxTable

ISSUED = (InvoiceStatus.FINALIZED, InvoiceStatus.CLOSED)


async def gather_billed(tx: Tx, touched: Touched, finals: Finals) -> list[BilledItem]:
    """What charges on the code were billed for the windows that a correction touches; needs the customers' locks.

    Of a void invoice, too, for it may be made anew. Raises `NotAllowed`: `billed_terms_unknown` where it is not known by what a
    window was billed, `invoice_not_final`, `adjustment_not_final` where that of an adjustment waits for its taxes, and
    `period_archived` where events of it have left the database.
    """
    used = [
        finals.usage(record, charges) for record in finals.records if (charges := _charges(record, touched))
    ]
    await _refuse_what_is_archived(tx, touched, used)
    return await with_fees(tx, used)


@value
class Finals:
    """The windows on final invoices that end after a correction's first event, with whose they are.

    `before` are the last ones before these: what they renewed is for the period of that event. What drafts renewed by fees on no
    invoice is billed, too.
    """

    records: Sequence[BilledRecord]
    before: Sequence[BilledRecord]
    drafts: Sequence[BilledRecord] = ()
    invoices: Mapping[UUID, Invoice]
    """What stands for each invoice."""

    contracts: Mapping[UUID, Contract]

    def usage(self, record: BilledRecord, charges: Sequence[Charge]) -> BilledUsage:
        """A window, and the charges of it that are rated again. Raises `NotAllowed("invoice_not_final")`."""
        return _usage(
            record, self.invoices[record.invoice_id], self.contracts[record.subscription_id], charges
        )


async def gather_finals(tx: Tx, touched: Touched) -> Finals:
    """Find the windows on final invoices that a correction may touch."""
    external_id = touched.external_subscription_id
    lives = (await subscriptions.started_of(tx, {external_id})).get(external_id, [])
    contracts = await subscriptions.get_contracts(tx, lives)
    known = await repository.final_records(tx, contracts.keys())
    records = [record for record in known if record.to_at > touched.first]
    last = {record.subscription_id: record for record in known if record.to_at <= touched.first}
    drafts = await repository.draft_records(tx, contracts.keys())
    ids = {record.invoice_id for record in (*records, *last.values(), *drafts)}
    return Finals(
        records=records,
        before=list(last.values()),
        drafts=drafts,
        invoices=await standing_of(tx, ids),
        contracts=contracts,
    )


async def _refuse_what_is_archived(tx: Tx, touched: Touched, used: Sequence[BilledUsage]) -> None:
    if used and await events.is_archived(
        tx,
        external_subscription_id=touched.external_subscription_id,
        code=touched.code,
        since=min(one.window.period.start for one in used),
        until=max(one.window.period.end for one in used),
    ):
        raise NotAllowed("period_archived")


def _charges(record: BilledRecord, touched: Touched) -> list[Charge]:
    """The charges of a window that count what is touched: what carries over counts in every later one, too."""
    is_inside = record.from_at <= touched.last
    if record.charges is None:
        # What carried over is not known either.
        raise NotAllowed("billed_terms_unknown")
    return [
        charge
        for charge in record.charges
        # What is paid in advance is among them for what is renewed.
        if not charge.pay_in_advance
        and charge.billable_metric.code == touched.code
        and (is_inside or charge.billable_metric.has_history)
    ]


def _usage(
    record: BilledRecord, invoice: Invoice, contract: Contract, charges: Sequence[Charge]
) -> BilledUsage:
    is_final = record.finalized_at is not None
    if is_final and invoice.status not in (*ISSUED, InvoiceStatus.VOIDED):
        raise NotAllowed("invoice_not_final")
    assert record.full_from_at is not None, "who keeps the terms keeps the period"
    assert record.full_to_at is not None, "who keeps the terms keeps the period"
    return BilledUsage(
        invoice=invoice,
        contract=as_billed(contract, invoice),
        window=Window.billed(
            Period(record.from_at, record.to_at),
            wire_to=record.wire_to_at,
            full_period=Period(record.full_from_at, record.full_to_at),
            started_at=contract.life.started_at,
            tz=ZoneInfo(invoice.timezone),
        ),
        finalized_at=record.finalized_at,
        charges=charges,
    )


def as_billed(contract: Contract, invoice: Invoice) -> Contract:
    """A contract whose days are those of the zone in which it was billed."""
    return replace(contract, customer=replace(contract.customer, timezone=invoice.timezone))


async def with_fees(tx: Tx, used: Sequence[BilledUsage]) -> list[BilledItem]:
    """The charges of windows with what their invoices have of them, and what was adjusted since. Raises as `with_adjustments`."""
    of_invoices = await fees.of_invoices(tx, {one.invoice.id for one in used if one.invoice is not None})
    found = []
    for one in used:
        assert one.invoice is not None, "windows are billed on invoices"
        by_charge = _by_charge(of_invoices.get(one.invoice.id, ()), one)
        found += [(one, charge, by_charge.get(charge.id, {})) for charge in one.charges]
    return await with_adjustments(tx, found)


async def with_adjustments(
    tx: Tx, billed: Sequence[tuple[BilledUsage, Charge | Commitment, Mapping[LineKey, FeeRecord]]]
) -> list[BilledItem]:
    """Charges, or commitments, with their fees, and what was adjusted of them since.

    Raises `NotAllowed("adjustment_not_final")` where an adjustment waits for its taxes.
    """
    adjusted = await repository.adjusted_of(tx, {one.contract.subscription.id for one, _, _ in billed})
    first_ids = {fee_id for of_charge in adjusted.values() for fee_id in of_charge.increase_fee_ids}
    standing = await repository.standing_fees(tx, first_ids) if first_ids else {}
    increase_fees = await fees.get_fees(tx, set(standing.values()))
    table = await usage.gather_taxes(tx, [one.contract for one, _, _ in billed])
    found = []
    for one, item, own in billed:
        since = adjusted.get(one.key_of(item), Adjustments())
        if since.is_waiting:
            raise NotAllowed("adjustment_not_final")
        found.append(
            BilledItem(
                usage=one,
                item=item,
                fees=own,
                taxes=_taxes(own.values(), one, item, table),
                adjusted_cents=since.standing_cents,
                forgone_cents=since.forgone_cents,
                pending_cents=since.pending_cents,
                adjustment_fees=[increase_fees[standing[fee_id]] for fee_id in since.increase_fee_ids],
            )
        )
    return found


def _by_charge(
    of_invoice: Iterable[FeeRecord], used: BilledUsage
) -> dict[UUID | None, dict[LineKey, FeeRecord]]:
    """The fees of a window's usage: others of its invoice may be for other times."""
    own = [
        fee
        for fee in of_invoice
        if fee.fee_type is FeeType.CHARGE
        and fee.subscription_id == used.contract.subscription.id
        and (fee.from_at, fee.to_at) == (used.window.period.start, used.window.period.end)
    ]
    by_charge = attrgetter("charge_id")
    return {
        charge_id: {line_key(fee): fee for fee in found}
        for charge_id, found in groupby(sorted(own, key=lambda fee: str(fee.charge_id)), key=by_charge)
    }


def line_key(fee: FeeRecord) -> LineKey:
    """Which filter and group of its charge a fee is for."""
    if fee.true_up_parent_fee_id is not None:
        return TRUE_UP
    return fee.charge_filter_id, tuple(sorted(fee.grouped_by.items())), False


def _taxes(
    own: Iterable[FeeRecord], used: BilledUsage, item: Charge | Commitment, table: TaxTable
) -> tuple[Tax, ...]:
    """The taxes of the fees as they were applied; where it had none, those that it would have now."""
    for fee in own:
        return tuple(_as_tax(tax) for tax in fee.taxes)
    return table.of(used.contract, item.taxes)


def _as_tax(applied: FeeTax) -> Tax:
    return Tax(
        id=applied.tax_id,
        code=applied.tax_code,
        name=applied.tax_name,
        rate=applied.tax_rate,
        description=applied.tax_description,
        applied_to_organization=False,
        created_at=applied.created_at,
    )
