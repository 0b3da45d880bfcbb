"""What recurring charges in advance carried from a period into the next one, and were billed for that (pricing §8.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_period
from tallymark.domain.errors import NotAllowed
from tallymark.domain.fees.model import FeeType
from tallymark.domain.periods import Period
from tallymark.domain.values import value
from tallymark.rooms.adjustments.model import BilledRecord, BilledUsage, ItemKey, Touched
from tallymark.rooms.adjustments.service.gather import Finals
from tallymark.rooms.adjustments.service.rate import RatedLines, rated_lines, scope_of
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage


@value
class Renewed:
    """A period whose units were billed again for the one that began with its bill, and the fees of that."""

    used: BilledUsage
    upcoming: Period
    fees: Sequence[FeeRecord]

    def key_of(self, charge: Charge) -> ItemKey:
        """A charge in the period that began."""
        return self.used.contract.subscription.id, charge.id, self.upcoming.start


def renewed_period(contract: Contract, at: datetime) -> Period:
    """The period for which a bill renews what is carried over, though the subscription ends with it."""
    alive = replace(contract.life, terminated_at=None)
    return current_charges_period(contract.schedule, alive, at)


async def gather_renewals(
    tx: Tx, touched: Touched, finals: Finals, charge_ids: Collection[UUID]
) -> list[Renewed]:
    """The bills that carried on what a correction changes; `charge_ids` are charges that are known to have had events.

    Raises `NotAllowed("period_already_invoiced")` where such a bill is void or is none, for what it renewed is on no invoice, or
    does not say by which terms it renewed.
    """
    for record in finals.records:
        _refuse_unknown(record, finals.contracts[record.subscription_id], touched, charge_ids)
    renewing_of = {
        (record.invoice_id, record.subscription_id): renewing
        for record in (*finals.before, *finals.records)
        if (renewing := _renewing(record, touched))
    }
    of_invoices = await fees.of_invoices(tx, {one for one, _ in renewing_of}) if renewing_of else {}
    found = []
    for record in (*finals.before, *finals.records):
        renewing = renewing_of.get((record.invoice_id, record.subscription_id), [])
        if not renewing:
            continue
        known = {one.id for one in renewing}
        used = finals.usage(record, renewing)
        upcoming = renewed_period(used.contract, record.billed_at)
        billed = [
            fee
            for fee in of_invoices.get(record.invoice_id, ())
            if fee.fee_type is FeeType.CHARGE
            and fee.charge_id in known
            and fee.subscription_id == record.subscription_id
            and fee.from_at == upcoming.start
            and not fee.is_adjustment
        ]
        found.append(Renewed(used=used, upcoming=upcoming, fees=billed))
    return found


def _refuse_unknown(
    record: BilledRecord, contract: Contract, touched: Touched, charge_ids: Collection[UUID]
) -> None:
    """Raises `NotAllowed("period_already_invoiced")` where a bill renewed what it does not tell of."""
    own = [
        one
        for one in contract.plan.charges
        if record.is_periodic and _carries(one, touched) and one.created_at <= record.billed_at
    ]
    known = {one.id for one in _renewing(record, touched)}
    if {one.id for one in own} & set(charge_ids) - known or not all(one.invoiceable for one in own):
        raise NotAllowed("period_already_invoiced")


def _renewing(record: BilledRecord, touched: Touched) -> list[Charge]:
    """The charges that a bill renewed, as they were then."""
    return [one for one in record.charges or () if _carries(one, touched)]


def _carries(charge: Charge, touched: Touched) -> bool:
    metric = charge.billable_metric
    return charge.pay_in_advance and metric.recurring and metric.code == touched.code


async def rate_renewals(tx: Tx, renewed: Sequence[Renewed]) -> Mapping[ItemKey, RatedLines]:
    """What is carried over comes to now, by charge and the period that began; all at once."""
    asked = [(scope_of(one.used), one.used.charges) for one in renewed]
    rated: dict[ItemKey, RatedLines] = {}
    for one, lines in zip(renewed, await usage.gather_all_charge_lines(tx, asked), strict=True):
        for line in lines:
            key = one.key_of(line.charge)
            rated[key] = {**rated.get(key, {}), **dict(rated_lines(line))}
    return rated
