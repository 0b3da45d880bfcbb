"""Bill usage that passed a threshold before its period ends (pricing §14, invoicing §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.wire import wire_instant
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.invoicing.thresholds import Crossing, crossed
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.billing.model import Subject
from tallymark.rooms.billing.service.compute import compute_all
from tallymark.rooms.billing.service.coupons import open_book
from tallymark.rooms.billing.service.invoice import issue_computed
from tallymark.rooms.billing.service.subjects import subjects_so_far
from tallymark.rooms.invoices import progressive
from tallymark.rooms.lifetime_usages import service as lifetime_usages
from tallymark.rooms.lifetime_usages.model import Parts
from tallymark.rooms.plans.model import UsageThreshold
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status

OUTSTANDING = (Kind.BILL_PERIOD, Kind.BILL_CHANGE)
"""Work that bills a period which is over. Until it is done, that usage is neither invoiced nor running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passed:
    """A subscription whose lifetime usage, in minor units, passed thresholds that it had not passed in this window."""

    contract: Contract
    window_start: datetime
    lifetime_cents: int
    crossings: Sequence[tuple[UsageThreshold, Crossing]]


async def check_thresholds(tx: Tx, contracts: Sequence[Contract], *, now: datetime) -> list[UUID]:
    """Issue a progressive invoice for each active subscription whose usage has passed thresholds; their ids.

    Needs the customers' locks. Doing it again makes none: a threshold is passed once in a period. A subscription whose last
    period waits to be billed is left out: its bill has it looked at again.
    """
    thresholds = await _thresholds(tx, contracts, now=now)
    watched = [contract for contract in contracts if contract.subscription.id in thresholds]
    if not watched:
        return []
    passed = await _passed(tx, watched, thresholds, now=now)
    return await _issue(tx, passed, now=now) if passed else []


async def _thresholds(
    tx: Tx, contracts: Sequence[Contract], *, now: datetime
) -> dict[UUID, tuple[UsageThreshold, ...]]:
    """The thresholds of subscriptions that are active, have some, and are billed up to now."""
    active = [contract for contract in contracts if contract.subscription.status is Status.ACTIVE]
    having = {
        subscription_id: found
        for subscription_id, found in (await subscriptions.thresholds_of(tx, active)).items()
        if found
    }
    if not having:
        return {}
    before = {
        contract.subscription.previous_subscription_id: contract.subscription.id
        for contract in active
        if contract.subscription.previous_subscription_id is not None
    }
    waiting = await agenda.due_subjects(tx, OUTSTANDING, {*having, *before} - {None}, until=now)
    unbilled = {before.get(subject_id, subject_id) for subject_id in waiting}
    return {one: found for one, found in having.items() if one not in unbilled}


async def _passed(
    tx: Tx,
    contracts: Sequence[Contract],
    thresholds: Mapping[UUID, Sequence[UsageThreshold]],
    *,
    now: datetime,
) -> list[_Passed]:
    measured = await lifetime_usages.measure(tx, contracts, now=now)
    windows = {one: parts.running.window.start for one, parts in measured.items() if parts.running}
    billed = await progressive.progressive_invoices(tx, windows)
    passed = await progressive.passed_levels(tx, windows)
    found = []
    for contract in contracts:
        one = contract.subscription.id
        standing = [record.invoice.fees_amount_cents for record in billed.get(one, ()) if record.stands]
        crossings = [
            (threshold, crossing)
            for threshold, crossing in _crossings(thresholds[one], measured[one], (standing or [0])[-1])
            if (crossing.level_cents, threshold.recurring) not in passed.get(one, ())
        ]
        if crossings:
            found.append(
                _Passed(
                    contract=contract,
                    window_start=windows[one],
                    lifetime_cents=measured[one].total_cents,
                    crossings=crossings,
                )
            )
    return found


def _crossings(
    thresholds: Sequence[UsageThreshold], parts: Parts, billed_cents: int
) -> list[tuple[UsageThreshold, Crossing]]:
    """What usage passes beyond what was invoiced, the `billed_cents` of a progressive invoice included (pricing §14)."""
    done = parts.historical_cents + parts.invoiced_cents + billed_cents
    found = crossed([item.as_mark for item in thresholds], done_cents=done, total_cents=parts.total_cents)
    return [
        (item, crossing) for crossing in found for item in thresholds if item.as_mark == crossing.threshold
    ]


async def _issue(tx: Tx, passed: Sequence[_Passed], *, now: datetime) -> list[UUID]:
    subjects = await subjects_so_far(tx, [one.contract for one in passed], at=now)
    book = await open_book(tx, subjects)
    computed = await compute_all(tx, [([subject], book) for subject in subjects], made_at=now)
    await emit(tx, *(_message(one, item) for one in passed for item, _ in one.crossings), now=now)
    made = await issue_computed(tx, computed, book, now=now)
    rows = [
        row
        for invoice_id, one, subject in zip(made, passed, subjects, strict=True)
        for row in _rows(tx, invoice_id, one, subject, now=now)
    ]
    await progressive.save_applied(tx, rows)
    return made


def _message(one: _Passed, item: UsageThreshold) -> Message:
    return Message(
        webhook_type="subscription.usage_threshold_reached",
        object_type="subscription",
        object_id=one.contract.subscription.id,
        payload={
            "usage_threshold": {
                "lago_id": str(item.id),
                "threshold_display_name": item.threshold_display_name,
                "amount_cents": item.amount_cents,
                "recurring": item.recurring,
                "created_at": wire_instant(item.created_at),
                "updated_at": wire_instant(item.updated_at),
            }
        },
    )


def _rows(tx: Tx, invoice_id: UUID, one: _Passed, subject: Subject, *, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice_id,
            "subscription_id": subject.contract.subscription.id,
            "charges_from_at": one.window_start,
            "level_cents": crossing.level_cents,
            "lifetime_usage_amount_cents": one.lifetime_cents,
            "usage_threshold_id": item.id,
            "amount_cents": item.amount_cents,
            "threshold_display_name": item.threshold_display_name,
            "recurring": item.recurring,
            "threshold_created_at": item.created_at,
            "threshold_updated_at": item.updated_at,
            "created_at": now,
        }
        for item, crossing in one.crossings
    ]
