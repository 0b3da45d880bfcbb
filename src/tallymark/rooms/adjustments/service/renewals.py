"""What recurring charges in advance carried from a period into the next one, and were billed for that (pricing §8.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_period
from tallymark.domain.errors import NotAllowed
from tallymark.domain.fees.model import FeeType
from tallymark.domain.periods import TICK, Period
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
    """A period whose units were billed again for the one that began with its bill, and the fees of that that stand."""

    used: BilledUsage
    upcoming: Period
    standing: Sequence[FeeRecord]

    @property
    def charges(self) -> Sequence[Charge]:
        """What is billed of it: nothing of a void bill."""
        return () if self.used.is_void else self.used.charges

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

    Raises `NotAllowed`: `billed_terms_unknown` where such a bill does not say by which terms it renewed, `invoice_not_final`.
    """
    for record in (*finals.records, *finals.drafts):
        _refuse_unknown(record, finals.contracts[record.subscription_id], touched, charge_ids)
    renewing_of = {
        (record.invoice_id, record.subscription_id): renewing
        for record in (*finals.before, *finals.records, *finals.drafts)
        if (renewing := _renewing(record, touched))
    }
    standing = {finals.invoices[one].id for one, _ in renewing_of}
    of_invoices = await fees.of_invoices(tx, standing) if standing else {}
    found = []
    for record in (*finals.before, *finals.records, *finals.drafts):
        renewing = renewing_of.get((record.invoice_id, record.subscription_id), [])
        if not renewing:
            continue
        used = finals.usage(record, renewing)
        upcoming = renewed_period(used.contract, record.billed_at)
        # What a draft has on it follows by itself.
        on_it = [one for one in renewing if one.invoiceable and record.finalized_at is not None]
        if on_it:
            of_invoice = () if used.is_void else of_invoices.get(finals.invoices[record.invoice_id].id, ())
            found.append(
                Renewed(
                    used=replace(used, charges=on_it),
                    upcoming=upcoming,
                    standing=_renewals(of_invoice, record, on_it, upcoming),
                )
            )
        alone = [one for one in renewing if not one.invoiceable]
        if alone:
            found += await _alone(tx, record, replace(used, charges=alone), upcoming)
    return found


def _renewals(
    found: Iterable[FeeRecord], record: BilledRecord, charges: Sequence[Charge], upcoming: Period
) -> list[FeeRecord]:
    known = {one.id for one in charges}
    return [
        fee
        for fee in found
        if fee.fee_type is FeeType.CHARGE
        and fee.charge_id in known
        and fee.subscription_id == record.subscription_id
        and fee.from_at == upcoming.start
        and not fee.is_adjustment
    ]


async def _alone(tx: Tx, record: BilledRecord, used: BilledUsage, upcoming: Period) -> list[Renewed]:
    """What a bill renewed that it does not have on it; a charge of which all fees were deleted is billed to nobody."""
    known = await fees.renewals(
        tx,
        subscription_id=record.subscription_id,
        charge_ids=[one.id for one in used.charges],
        window=Period(upcoming.start, upcoming.start + TICK),
    )
    own = _renewals(known, record, used.charges, upcoming)
    if not own:
        return []
    billed = {fee.charge_id for fee in own}
    return [
        Renewed(
            # They were made with the bill, be it a draft then or not.
            used=replace(
                used,
                invoice=None,
                finalized_at=min(fee.created_at for fee in own),
                charges=[one for one in used.charges if one.id in billed],
            ),
            upcoming=upcoming,
            standing=own,
        )
    ]


def _refuse_unknown(
    record: BilledRecord, contract: Contract, touched: Touched, charge_ids: Collection[UUID]
) -> None:
    """Raises `NotAllowed("billed_terms_unknown")` where a bill renewed what it does not tell of."""
    own = {
        one.id
        for one in contract.plan.charges
        if record.is_periodic
        and _carries(one, touched)
        and one.created_at <= record.billed_at
        # Bills tell of what they are not for themselves only by and by.
        and (one.id in charge_ids or not one.invoiceable)
    }
    if own - {one.id for one in _renewing(record, touched)}:
        raise NotAllowed("billed_terms_unknown")


def _renewing(record: BilledRecord, touched: Touched) -> list[Charge]:
    """The charges that a bill renewed, as they were then."""
    return [one for one in record.charges or () if _carries(one, touched)]


def _carries(charge: Charge, touched: Touched) -> bool:
    metric = charge.billable_metric
    return charge.pay_in_advance and metric.recurring and metric.code == touched.code


async def rate_renewals(tx: Tx, renewed: Sequence[Renewed]) -> Mapping[ItemKey, RatedLines]:
    """What is carried over comes to now, by charge and the period that began, where something is billed of it; all at once."""
    asked = [(scope_of(one.used), one.charges) for one in renewed]
    rated: dict[ItemKey, RatedLines] = {}
    for one, lines in zip(renewed, await usage.gather_all_charge_lines(tx, asked), strict=True):
        for line in lines:
            key = one.key_of(line.charge)
            rated[key] = {**rated.get(key, {}), **dict(rated_lines(line))}
    return rated
