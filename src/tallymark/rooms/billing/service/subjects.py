"""Which windows a subscription is billed for, by why it is billed (subscriptions §5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Boundaries, Continuity, compute_boundaries, termination_boundaries
from tallymark.domain.periods import ONE_DAY, local_date, start_of_day
from tallymark.rooms.billing.model import NOTHING_ASSUMED, Assumed, Subject, life_as_billed
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import BillingRecord, Reason
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.subscriptions.service.change import AFTER_CHANGE


async def make_subjects(
    tx: Tx,
    contracts: Sequence[Contract],
    *,
    reason: Reason,
    at: datetime,
    assumed: Assumed = NOTHING_ASSUMED,
) -> list[Subject]:
    """Place subscriptions on an invoice as of an instant."""
    continuity = {**await invoices.continuity_of(tx, contracts, at=at), **assumed.continuity}
    return [await _subject(tx, item, reason, at, continuity[item.subscription.id]) for item in contracts]


async def subjects_so_far(tx: Tx, contracts: Sequence[Contract], *, at: datetime) -> list[Subject]:
    """Place subscriptions on invoices of their own of what has run of their periods (subscriptions §5.1, row 9)."""
    continuity = await invoices.continuity_of(tx, contracts, at=at)
    return [
        _running(contract, Reason.PROGRESSIVE, at, continuity[contract.subscription.id])
        for contract in contracts
    ]


async def subject_of_event(tx: Tx, contract: Contract, *, at: datetime) -> Subject:
    """Place a subscription on the invoice of one event: over the windows that hold it (subscriptions §3.1)."""
    continuity = (await invoices.continuity_of(tx, [contract], at=at))[contract.subscription.id]
    return _running(contract, Reason.IN_ADVANCE, at, continuity)


def _running(contract: Contract, reason: Reason, at: datetime, continuity: Continuity) -> Subject:
    boundaries = compute_boundaries(
        contract.schedule, contract.life, at=at, current=True, continuity=continuity
    )
    return Subject(contract=contract, reason=reason, at=at, boundaries=boundaries)


async def _subject(
    tx: Tx, contract: Contract, reason: Reason, at: datetime, continuity: Continuity
) -> Subject:
    life = life_as_billed(contract.life, reason, at)
    if reason is Reason.TERMINATING and life.has_successor:
        # An upgraded subscription is billed for what has run of its period, as of its end: a second later may be
        # another day. A downgraded one is billed for the period that its end closes (§3.4).
        assert life.terminated_at is not None
        boundaries = compute_boundaries(
            contract.schedule,
            life,
            at=life.terminated_at,
            current=not life.is_downgraded,
            continuity=continuity,
        )
    elif reason is Reason.TERMINATING:
        boundaries = await _last_boundaries(tx, contract, at, continuity)
    else:
        is_start = reason in (Reason.STARTING, Reason.IN_ADVANCE)
        is_first = is_start and at - life.started_at <= AFTER_CHANGE
        boundaries = compute_boundaries(
            contract.schedule,
            life,
            at=life.started_at if is_first else at,
            is_start=is_start,
            continuity=continuity,
        )
    return Subject(contract=contract, reason=reason, at=at, boundaries=boundaries)


async def _last_boundaries(tx: Tx, contract: Contract, at: datetime, continuity: Continuity) -> Boundaries:
    """A termination on the first day of a period bills the one before it, if that was not billed (§3.6)."""
    checked: list[Boundaries] = []

    def note(boundaries: Boundaries) -> bool:
        checked.append(boundaries)
        return False

    guess = termination_boundaries(
        contract.schedule, contract.life, at=at, is_billed=note, continuity=continuity
    )
    if not checked:
        return guess
    today = local_date(at, contract.timezone)
    is_billed = (
        contract.subscription.was_billed_until(start_of_day(today, contract.timezone))
        or await invoices.is_period_billed(tx, contract.subscription.id, checked[0])
        or await _is_day_billed(tx, contract, today)
    )
    return termination_boundaries(
        contract.schedule, contract.life, at=at, is_billed=lambda _: is_billed, continuity=continuity
    )


async def _is_day_billed(tx: Tx, contract: Contract, day: date) -> bool:
    """Whether the calendar billed a day, maybe in another zone, where it was up to two days earlier (§5.2)."""
    last = (await invoices.last_billed_days(tx, [contract.subscription.id])).get(contract.subscription.id)
    return last is not None and last + 2 * ONE_DAY >= day


async def subjects_of_records(tx: Tx, records: Sequence[BillingRecord], *, zone: str) -> list[Subject]:
    """The subjects of a draft that is computed anew: same reasons, instants and time zone, today's plans.

    The customer may have moved meanwhile: elsewhere the same instant is another day, of another period.
    """
    by_id: dict[UUID, Contract] = {
        contract.subscription.id: replace(contract, customer=replace(contract.customer, timezone=zone))
        for contract in await subscriptions.live_contracts(tx, {record.subscription_id for record in records})
    }
    subjects: list[Subject] = []
    for record in records:
        contract = by_id[record.subscription_id]
        subjects += await make_subjects(tx, [contract], reason=record.invoicing_reason, at=record.billed_at)
    return subjects
