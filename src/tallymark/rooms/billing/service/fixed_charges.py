"""The fees of fixed charges on a billing record (pricing §13.3, invoicing §4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window, compute_boundaries
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.fixed_charge import (
    FixedChargeFacts,
    FixedWindow,
    UnitChange,
    UnitEvent,
    compute_fixed_charge_fee,
    compute_unit_change_fee,
    units_in,
    upgrade_credit_cents,
)
from tallymark.domain.fees.model import Fee
from tallymark.domain.money import currency
from tallymark.domain.periods import TICK, days, local_date
from tallymark.rooms.billing.model import Line, Subject
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import BilledFixedFee
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.plans.model import FixedCharge
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.service.fixed_units import AFTER_START
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.service import TaxTable


@dataclass(frozen=True, slots=True)
class FixedFacts:
    """What fixed charges of some subscriptions are billed by: their units over time, and the fees there are."""

    events: Mapping[tuple[UUID, UUID], Sequence[UnitEvent]]
    billed: Sequence[BilledFixedFee]

    def events_of(self, subject: Subject, charge: FixedCharge) -> Sequence[UnitEvent]:
        return self.events.get((subject.contract.subscription.id, charge.id), ())

    def fees_of(self, subject: Subject, charge: FixedCharge, window: Window) -> list[BilledFixedFee]:
        """The fees of a charge in advance for one period, under its own id or that of the charge it was copied from."""
        ids = {charge.id, charge.parent_id}
        return [
            fee
            for fee in self.billed
            if fee.subscription_id == subject.contract.subscription.id
            and fee.fixed_charge_id in ids
            and fee.begins_in(window.full_period, subject.contract.timezone)
        ]


NOTHING = FixedFacts({}, ())


async def gather(
    tx: Tx, subjects: Sequence[Subject], *, except_invoice: UUID | None, made_at: datetime
) -> FixedFacts:
    """Load what the fixed charges of an invoice's subscriptions follow from; nothing where there are none.

    A draft that is computed anew, `except_invoice`, knows no more of units than when it was made: a later change of what is
    paid in advance has had an invoice of its own, of what it adds to the draft.
    """
    ids: Collection[UUID] = {
        subject.contract.subscription.id for subject in subjects if subject.contract.plan.fixed_charges
    }
    if not ids:
        return NOTHING
    before = {subject.contract.subscription.previous_subscription_id for subject in subjects} - {None}
    events = await subscriptions.unit_events_of(tx, ids)
    billed = await fees.billed_fixed_fees(
        tx, {*ids, *(one for one in before if one)}, except_invoice=except_invoice
    )
    if except_invoice is None:
        return FixedFacts(events, billed)
    billed_at = {subject.contract.subscription.id: subject.at for subject in subjects}
    known = {
        key: [
            *found[:1],
            *(e for e in found[1:] if e.created_at <= made_at or e.effective_at <= billed_at[key[0]]),
        ]
        for key, found in events.items()
    }
    return FixedFacts(known, [fee for fee in billed if fee.created_at <= made_at])


def fixed_charge_lines(subject: Subject, facts: FixedFacts, table: TaxTable) -> list[Line]:
    """The fees of a record's fixed charges: in arrears for its window, in advance for the one that holds its instant."""
    lines = []
    paid_before: dict[UUID, int] = {}
    for charge in subject.contract.plan.fixed_charges:
        billed = (
            _in_advance(subject, charge, facts, paid_before)
            if charge.pay_in_advance
            else _in_arrears(subject, charge, facts)
        )
        if billed is None:
            continue
        fee, window = billed
        lines.append(
            Line(
                fee=fee,
                contract=subject.contract,
                taxes=table.of(subject.contract, charge.taxes),
                period=window.period,
                fixed_charge=charge,
            )
        )
    return lines


def _in_arrears(subject: Subject, charge: FixedCharge, facts: FixedFacts) -> tuple[Fee, Window] | None:
    window = subject.boundaries.fixed_charges
    if (
        subject.reason not in (Reason.PERIODIC, Reason.TERMINATING)
        or window is None
        or window.period.is_empty
    ):
        return None
    fee = _full_fee(subject, charge, facts, window, credited_cents=0)
    return (fee, window) if fee.units or fee.amount_cents else None


def _in_advance(
    subject: Subject, charge: FixedCharge, facts: FixedFacts, paid_before: dict[UUID, int]
) -> tuple[Fee, Window] | None:
    """Of the period that begins or runs: not at the end, not on a blank window, and not what is billed already.

    `paid_before` has by add-on, in cents, what no fee has taken off yet of what the plan before an upgrade was paid.
    """
    if subject.reason in (Reason.TERMINATING, Reason.PROGRESSIVE) or subject.boundaries.fixed_charges is None:
        return None
    window = _running_window(subject)
    if window is None:
        return None
    earlier = facts.fees_of(subject, charge, window)
    if subject.reason is Reason.IN_ADVANCE and not _is_start(subject):
        if not any(event.effective_at == subject.at for event in facts.events_of(subject, charge)):
            return None
        return _change_fee(subject, charge, facts, window, earlier), window
    if any(fee.units or fee.amount_cents for fee in earlier) or _is_billed_elsewhere(subject, window):
        return None
    fee = _full_fee(subject, charge, facts, window, credited_cents=0)
    if charge.prorated:
        # Several charges may be on one add-on: what was paid for it is taken off once.
        credited = paid_before.setdefault(charge.add_on.id, _credited_cents(subject, charge, facts, window))
        paid_before[charge.add_on.id] -= min(credited, fee.amount_cents)
        fee = _full_fee(subject, charge, facts, window, credited_cents=credited)
    return (fee, window) if fee.units or fee.amount_cents else None


def _is_billed_elsewhere(subject: Subject, window: Window) -> bool:
    """Whether another system billed the units with which this period began, before the subscription was taken over."""
    return subject.contract.subscription.was_billed_until(window.period.start)


def _is_start(subject: Subject) -> bool:
    return subject.at == subject.contract.life.started_at + AFTER_START


def _running_window(subject: Subject) -> Window | None:
    """The period that holds its instant, in full: an end that came later does not change a draft."""
    contract = subject.contract
    return compute_boundaries(
        contract.schedule,
        replace(contract.life, terminated_at=None),
        at=subject.at,
        current=True,
        is_start=subject.reason in (Reason.STARTING, Reason.IN_ADVANCE),
    ).fixed_charges


def _full_fee(
    subject: Subject, charge: FixedCharge, facts: FixedFacts, window: Window, *, credited_cents: int
) -> Fee:
    contract = subject.contract
    fixed_window = FixedWindow(period=window.counted, tz=contract.timezone, full_days=window.full_days)
    return compute_fixed_charge_fee(
        FixedChargeFacts(
            charge_model=charge.charge_model.value,
            properties=charge.properties,
            price=charge.price,
            usage=units_in(facts.events_of(subject, charge), fixed_window, is_prorated=charge.prorated),
            window=usage.period_step(window.period, contract),
            credited_cents=credited_cents,
        ),
        currency(contract.plan.amount_currency),
    )


def _change_fee(
    subject: Subject,
    charge: FixedCharge,
    facts: FixedFacts,
    window: Window,
    earlier: Sequence[BilledFixedFee],
) -> Fee:
    contract = subject.contract
    last_day = local_date(window.period.last, contract.timezone)
    left = (last_day - local_date(subject.at, contract.timezone)).days + 1
    events = facts.events_of(subject, charge)
    units = next(event.units for event in reversed(events) if event.effective_at == subject.at)
    taken_over = events[0].units if _is_billed_elsewhere(subject, window) else None
    return compute_unit_change_fee(
        UnitChange(
            charge_model=charge.charge_model.value,
            properties=charge.properties,
            price=charge.price,
            units=units,
            billed=sum((Fraction(fee.units) for fee in earlier), taken_over or Fraction(0)),
            is_first=not taken_over and not any(fee.units or fee.amount_cents for fee in earlier),
            days=left if charge.prorated else window.full_days,
            full_days=window.full_days,
            window=usage.period_step(window.period, contract),
        ),
        currency(contract.plan.amount_currency),
    )


def _credited_cents(subject: Subject, charge: FixedCharge, facts: FixedFacts, window: Window) -> int:
    """What the plan before an upgrade was paid for the days of this fee, for the same add-on (§13.3).

    What that one took over itself of the plan before it was paid for these days, too.
    """
    contract = subject.contract
    before = contract.subscription.previous_subscription_id
    if before is None or subject.is_recurring:
        return 0
    paid = [
        fee
        for fee in facts.billed
        if fee.subscription_id == before
        and fee.add_on_id == charge.add_on.id
        and fee.pay_in_advance
        and fee.from_at <= window.period.start < fee.to_at
    ]
    tz = contract.timezone
    return sum(
        upgrade_credit_cents(
            fee.worth_cents,
            new_days=_days(window.period.start, min(window.period.end, fee.to_at), tz),
            paid_days=_days(fee.billed_at, fee.to_at, tz),
        )
        for fee in paid
    )


def _days(start: datetime, end: datetime, tz: ZoneInfo) -> int:
    return days(start, end - TICK, tz)
