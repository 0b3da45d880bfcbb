"""The true-up of a plan's minimum commitment on a billing record (pricing §15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.commitment import CommitmentFacts, compute_commitment_fee
from tallymark.domain.money import currency
from tallymark.domain.periods import Period, days, local_date, start_of_day
from tallymark.domain.values import value
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import CommitmentTerms
from tallymark.rooms.billing.model import Computed, Line, Subject
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import SpentFee
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.service import TaxTable


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a plan's period that a commitment is held against."""

    period: Period
    full_days: int


@value
class Spent:
    """What subscriptions were charged, and by how much that was corrected since."""

    fees: Mapping[UUID, Sequence[SpentFee]] = field(default_factory=dict)
    corrected: Mapping[UUID, Sequence[adjustments.Corrected]] = field(default_factory=dict)
    assumed: Sequence[Line] = ()
    """The lines of invoices that come before and are not stored."""


@value
class Settling:
    """A commitment held against a period: what it was held against, and what lacks of it."""

    terms: CommitmentTerms
    lines: Sequence[Line]


async def gather_spent(
    tx: Tx, subjects: Sequence[Subject], *, except_invoice: UUID | None, assumed: Sequence[Computed] = ()
) -> Spent:
    """The stored fees of subscriptions whose plan has a commitment, and what is assumed; nothing where none has."""
    ids = {
        subject.contract.subscription.id
        for subject in subjects
        if subject.contract.plan.minimum_commitment is not None
    }
    if not ids:
        return Spent()
    return Spent(
        fees=await fees.spent_by(tx, ids, except_invoice=except_invoice),
        corrected=await adjustments.corrected_of(tx, list(ids)),
        assumed=[line for computed in assumed for line in computed.lines],
    )


def settle(
    subject: Subject,
    lines: Sequence[Line],
    spent: Spent,
    table: TaxTable,
    *,
    billed_days: set[date],
) -> Settling | None:
    """Hold the plan's commitment against what was spent in the period that an invoice reconciles; None where it does none.

    `lines` are the subscription's own on this invoice.
    """
    contract, commitment = subject.contract, subject.contract.plan.minimum_commitment
    if commitment is None:
        return None
    has_base_fee = any(line.is_base_fee for line in lines)
    has_earlier_fee = bool(billed_days) or contract.subscription.was_billed_elsewhere
    stretch = _stretch(subject, has_base_fee=has_base_fee, has_earlier_fee=has_earlier_fee)
    if stretch is None:
        return None
    terms = CommitmentTerms(
        commitment=commitment,
        period=stretch.period,
        ends_at=_full_end(contract, stretch),
        days=days(stretch.period.start, stretch.period.last, contract.timezone),
        full_days=stretch.full_days,
        spent_cents=0,
    )
    subscription_id = contract.subscription.id
    stored = [fee for fee in spent.fees.get(subscription_id, ()) if terms.holds(fee.from_at, fee.to_at)]
    before = [line for line in spent.assumed if line.contract.subscription.id == subscription_id]
    fresh = [line.fee for line in (*before, *lines) if terms.holds(line.period.start, line.period.end)]
    spent_cents = sum(fee.amount_cents for fee in stored) + sum(fee.amount_cents for fee in fresh)
    more = adjustments.spent_more(terms, spent.corrected.get(subscription_id, ()))
    fee = compute_commitment_fee(
        CommitmentFacts(
            amount_cents=commitment.amount_cents,
            days=terms.days,
            full_days=terms.full_days,
            spent_cents=spent_cents + more,
            precise_spent_cents=sum((Fraction(fee.precise_amount_cents) for fee in stored), Fraction(0))
            + sum((fee.precise_amount_cents for fee in fresh), Fraction(0))
            + more,
            window=usage.period_step(stretch.period, contract),
        ),
        currency(contract.plan.amount_currency),
    )
    line = fee and Line(
        fee=fee,
        contract=contract,
        taxes=table.of(contract, commitment.taxes),
        period=stretch.period,
        commitment=commitment,
    )
    return Settling(terms=replace(terms, spent_cents=spent_cents), lines=[line] if line else [])


def _full_end(contract: Contract, stretch: Stretch) -> datetime:
    """The end of the plan's period that a stretch is a part of."""
    cycle, tz = contract.schedule.cycle(), contract.timezone
    first = cycle.period_start(local_date(stretch.period.start, tz))
    return start_of_day(cycle.next_start(first), tz)


def _stretch(subject: Subject, *, has_base_fee: bool, has_earlier_fee: bool) -> Stretch | None:
    """What an invoice reconciles: in arrears its period, in advance the one before the base fee's; at the end what was cut."""
    window, schedule = subject.boundaries.subscription, subject.contract.schedule
    if subject.reason is Reason.TERMINATING:
        if schedule.is_pay_in_advance and _never_ran(subject):
            return _previous_stretch(subject)
        return None if window.period.is_empty else Stretch(window.period, window.full_days)
    if subject.reason is not Reason.PERIODIC:
        return None
    if schedule.is_pay_in_advance:
        return _previous_stretch(subject) if has_base_fee and has_earlier_fee else None
    # The months of a longer plan have windows of its base price that have not ended.
    if schedule.is_split and not has_base_fee:
        return None
    return Stretch(window.period, window.full_days)


def _never_ran(subject: Subject) -> bool:
    """Whether the subscription ended as the period of its base price began: a downgrade, or an end on a billing day."""
    life, window = subject.contract.life, subject.boundaries.subscription
    return life.is_downgraded or (life.terminated_at is not None and life.terminated_at < window.period.last)


def _previous_stretch(subject: Subject) -> Stretch:
    contract = subject.contract
    cycle, tz = contract.schedule.cycle(), contract.timezone
    first = cycle.period_start(cycle.back(local_date(subject.boundaries.subscription.period.start, tz)))
    started_on = local_date(contract.life.started_at, tz)
    return Stretch(
        Period(start_of_day(max(first, started_on), tz), subject.boundaries.subscription.period.start),
        cycle.length(first),
    )
