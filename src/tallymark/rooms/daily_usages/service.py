"""Keep what had been used by the end of a day (metering §10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.periods import ONE_DAY, local_date, start_of_day
from tallymark.jobs import agenda, usage_days
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.daily_usages import repository
from tallymark.rooms.daily_usages.differences import difference
from tallymark.rooms.daily_usages.model import ALONE, BilledUsage, Day, Snapshot
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import UsageFee
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.usage import past
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import CurrentUsage
from tallymark.rooms.usage.past_schemas import past_period
from tallymark.rooms.usage.schemas import CurrentUsageOutput

log = structlog.get_logger(__name__)


async def store_days(tx: Tx, ids: Collection[UUID], *, now: datetime) -> None:
    """Keep the usage of days that are over, as it stood when each ended.

    Nothing is kept of a day without usage, of one before which the subscription ended, nor of a period's last day: that comes
    from its invoice. A day that is not over where the customer lives now waits for its end.
    """
    days = await repository.waiting(tx, ids)
    contracts = {
        contract.subscription.id: contract
        for contract in await subscriptions.live_contracts(tx, {day.subscription_id for day in days})
    }
    by_end: dict[datetime, list[Day]] = defaultdict(list)
    for day in days:
        by_end[_end_of(day, contracts[day.subscription_id])].append(day)
    for ends, of_end in sorted(by_end.items()):
        if ends > now:
            await _wait(tx, of_end, contracts, ends)
        else:
            await _store(tx, of_end, contracts, ends=ends, now=now)


def _end_of(day: Day, contract: Contract) -> datetime:
    return start_of_day(day.usage_date + ONE_DAY, contract.timezone)


async def _wait(tx: Tx, days: Iterable[Day], contracts: dict[UUID, Contract], ends: datetime) -> None:
    """Note days anew: their customers have moved west meanwhile."""
    items = [
        Item(
            kind=Kind.STORE_DAILY_USAGE,
            subject_id=day.id,
            owner_id=contracts[day.subscription_id].customer.id,
            due_at=ends,
            run_at=ends + tx.settling_time,
        )
        for day in days
    ]
    await agenda.put(tx, *items)


async def _store(
    tx: Tx, days: Sequence[Day], contracts: dict[UUID, Contract], *, ends: datetime, now: datetime
) -> None:
    by_subscription = {day.subscription_id: day for day in days}
    lived = [_alive(contracts[one]) for one in by_subscription if _lived_at(contracts[one], ends)]
    used = await usage.get_usages_of_day(tx, lived, ends=ends)
    snapshots = [
        _snapshot(by_subscription[one], found)
        for one, whole in used.items()
        for found in [usage.without_unused(whole)]
        if found.lines and found.window.end > ends
    ]
    await _save(tx, snapshots, now=now)
    kept = {snapshot.subscription_id for snapshot in snapshots}
    await repository.forget(tx, [day.id for day in days if day.subscription_id not in kept])
    # What is priced by the day changes without any event.
    by_day = [contract.subscription.id for contract in lived if contract.plan.changes_by_day]
    await usage_days.note(tx, by_day, at=ends)


def _lived_at(contract: Contract, ends: datetime) -> bool:
    """Whether a subscription had begun when a day ended, and had not ended by then, though it may have since."""
    subscription = contract.subscription
    started, ended = subscription.started_at, subscription.terminated_at
    return started is not None and started < ends and (ended is None or ended >= ends)


def _alive(contract: Contract) -> Contract:
    """The contract as it was before its end."""
    if contract.subscription.terminated_at is None:
        return contract
    subscription = replace(contract.subscription, status=Status.ACTIVE, terminated_at=None)
    return replace(contract, subscription=subscription)


def _snapshot(day: Day, found: CurrentUsage) -> Snapshot:
    return Snapshot(
        subscription_id=day.subscription_id,
        usage_date=day.usage_date,
        from_at=found.window.start,
        to_at=found.window.end,
        usage=CurrentUsageOutput.of(found).model_dump(mode="json"),
        charge_ids=_charge_ids(found.contract),
    )


def _charge_ids(contract: Contract) -> frozenset[str]:
    return frozenset(str(charge.id) for charge in contract.plan.charges)


async def note_last_days(tx: Tx, invoice_ids: Collection[UUID], *, now: datetime) -> None:
    """Have the last days of the periods kept that invoices end which have just been issued."""
    if invoice_ids:
        found = await repository.ended_periods(tx, invoice_ids)
        await agenda.put(
            tx,
            *(
                Item(kind=Kind.STORE_LAST_DAY, subject_id=invoice_id, owner_id=customer_id, due_at=now)
                for invoice_id, customer_id in found.items()
            ),
        )


async def keep_last_days(tx: Tx, billed: Sequence[BilledUsage], *, now: datetime) -> None:
    """Keep the last days of the periods that invoices end which this transaction has issued, from what they bill.

    They are noted to be kept soon after where something was paid in advance, which is on other invoices, and where they can't be
    kept: no bill waits for its analytics.
    """
    if not billed:
        return
    later = await fees.paid_in_advance(tx, [one.period.window for one in billed])
    try:
        async with tx.part() as part:
            await _keep(part, [one for one in billed if one.period.invoice_id not in later], now=now)
    except Exception as error:
        log.warning("last days are not kept with their invoices", exc_info=error)
        later = {one.period.invoice_id for one in billed}
    await note_last_days(tx, later, now=now)


async def store_last_days(tx: Tx, invoice_ids: Collection[UUID], *, now: datetime) -> None:
    """Keep the last days of the periods that invoices end: what was billed of each, be it in advance.

    What an invoice renews is of the period that begins.
    """
    periods = await repository.billed_periods(tx, invoice_ids)
    found = await fees.of_windows(tx, [one.window for one in periods])
    charges = await past.charges_of(tx, (fee for of_window in found.values() for fee in of_window))
    contracts = {
        contract.subscription.id: contract
        for contract in await subscriptions.live_contracts(tx, {one.subscription_id for one in periods})
    }
    billed = [
        BilledUsage(
            period=one,
            contract=contracts[one.subscription_id],
            fees=found[one.window],
            charges=charges,
        )
        for one in periods
    ]
    await _keep(tx, billed, now=now)


async def _keep(tx: Tx, billed: Sequence[BilledUsage], *, now: datetime) -> None:
    snapshots = [
        _last_day(one, used)
        for one in billed
        for used in [[fee for fee in one.fees if fee.units or fee.amount_cents or fee.events_count]]
        if used
    ]
    await _save(tx, snapshots, now=now)


def _last_day(billed: BilledUsage, used: Sequence[UsageFee]) -> Snapshot:
    period = billed.period
    shown = past_period(
        past.PastPeriod(
            invoice_id=period.invoice_id,
            from_at=period.from_at,
            to_at=period.wire_to_at,
            issuing_date=period.issuing_date,
            currency=period.currency,
            fees=tuple(used),
            charges=billed.charges,
        )
    )
    untaxed = shown.model_copy(update={"taxes_amount_cents": 0, "total_amount_cents": shown.amount_cents})
    return Snapshot(
        subscription_id=period.subscription_id,
        usage_date=local_date(period.wire_to_at, ZoneInfo(period.timezone)),
        from_at=period.from_at,
        to_at=period.to_at,
        usage=untaxed.model_dump(mode="json"),
        charge_ids=_charge_ids(billed.contract),
    )


async def _save(tx: Tx, snapshots: Sequence[Snapshot], *, now: datetime) -> None:
    if not snapshots:
        return
    around = await repository.kept_around(tx, snapshots)
    rows: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for one in sorted(snapshots, key=lambda one: (one.subscription_id, one.usage_date)):
        before, after = around.get((one.subscription_id, one.usage_date), ALONE)
        rows.append(
            {
                "id": new_id(),
                "organization_id": tx.organization_id,
                "subscription_id": one.subscription_id,
                "usage_date": one.usage_date,
                "from_at": one.from_at,
                "to_at": one.to_at,
                "currency": one.usage["currency"],
                "usage": one.usage,
                "usage_diff": difference(one.usage, before.usage if before else None, one.charge_ids),
                "refreshed_at": now,
            }
        )
        if after is not None:  # a day that failed and is kept after a later one lies before it all the same
            changed.append({"id": after.id, "usage_diff": difference(after.usage, one.usage, one.charge_ids)})
    await repository.save(tx, rows)
    await repository.save_differences(tx, changed)
