"""What a subscription notes on the agenda: its start, its next billing day, its end (subscriptions §5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_window, next_billing_day
from tallymark.domain.periods import TICK, local_date, start_of_day
from tallymark.jobs import agenda, usage_days
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription
from tallymark.rooms.subscriptions.service.fixed_units import AFTER_START
from tallymark.rooms.subscriptions.service.read import get_contracts

ONE_DAY = timedelta(days=1)

NOTED = (
    Kind.ACTIVATE_SUBSCRIPTION,
    Kind.EXPIRE_ACTIVATION,
    Kind.BILL_START,
    Kind.BILL_FIXED_START,
    Kind.FIXED_UNITS,
    Kind.TERMINATE_SUBSCRIPTION,
    Kind.SWITCH_PLAN,
    Kind.END_TRIAL,
    Kind.ALERT_TERMINATION,
    Kind.BILL_PERIOD,
)
"""What a subscription may have on the agenda while it lives."""


async def note_start(tx: Tx, contract: Contract, *, now: datetime, is_billed: bool) -> None:
    """Note what follows from an activation: a starting invoice, the trial's end, the first billing day, the end."""
    subscription = contract.subscription
    assert subscription.started_at is not None
    if is_billed:
        await note_first_bill(tx, contract, now=now)
    await note_billing(tx, [contract], after={subscription.id: last_unbilled(contract, now)})
    await note_usage_days(tx, [contract], at=now)
    await note_end(tx, contract, now=now)
    if contract.trial_end is not None:
        due_at = max(contract.trial_end, now)
        await agenda.put(tx, _item(contract, Kind.END_TRIAL, due_at=due_at))


async def note_other_trial(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note when a trial ends that is longer or shorter now: at once, where that was before or it has none any more."""
    begun = contract.subscription.started_at is not None and contract.subscription.status is Status.ACTIVE
    if begun and contract.subscription.trial_ended_at is None:
        due_at = max(contract.trial_end or now, now)
        await agenda.put(tx, _item(contract, Kind.END_TRIAL, due_at=due_at))


async def note_takeover(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note what is due of a subscription that another system has billed so far: from the next local day on."""
    subscription = contract.subscription
    today = local_date(now, contract.timezone)
    await note_billing(tx, [contract], after={subscription.id: today})
    await note_usage_days(tx, [contract], at=now)
    await note_end(tx, contract, now=now)
    if contract.trial_end is not None and subscription.trial_ended_at is None:
        await agenda.put(tx, _item(contract, Kind.END_TRIAL, due_at=contract.trial_end))


async def note_first_bill(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note the invoice of a start: of the base price, or in a trial and in arrears of fixed charges in advance (§4.5, §5.1)."""
    started_at = contract.life.started_at
    if bills_start(contract, at=started_at):
        await agenda.leave(tx, _item(contract, Kind.BILL_START, due_at=started_at, run_at=now))
    elif any(charge.pay_in_advance for charge in contract.plan.fixed_charges):
        due_at = started_at + AFTER_START
        await agenda.leave(tx, _item(contract, Kind.BILL_FIXED_START, due_at=due_at, run_at=now))


async def note_expiry(tx: Tx, contract: Contract, *, at: datetime | None) -> None:
    """Note when a subscription has waited long enough for its first payment, if ever (§2.10)."""
    if at is not None:
        await agenda.put(tx, _item(contract, Kind.EXPIRE_ACTIVATION, due_at=at))


async def note_late_start(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """The same as `note_start` for one whose first invoice is paid by now, of what has fallen due since its start (§2.10).

    Of the billing days meanwhile the last one is billed, as of its own midnight; a trial that is over ended when it did.
    """
    subscription = contract.subscription
    await note_billing(
        tx, [contract], after={subscription.id: running_since(contract, now=now) - ONE_DAY}, now=now
    )
    await note_usage_days(tx, [contract], at=now)
    await note_end(tx, contract, now=now)
    if contract.trial_end is not None:
        due_at = max(contract.trial_end, contract.life.started_at)
        await agenda.put(tx, _item(contract, Kind.END_TRIAL, due_at=due_at, run_at=max(due_at, now)))


def running_since(contract: Contract, *, now: datetime) -> date:
    """The last billing day by now of a subscription that has begun: the day after its start where there was none."""
    zone = contract.timezone
    today, last = local_date(now, zone), local_date(contract.life.started_at, zone) + ONE_DAY
    day = next_billing_day(contract.schedule, after=last - ONE_DAY)
    while day <= today:
        last, day = day, next_billing_day(contract.schedule, after=day)
    return last


async def note_usage_days(tx: Tx, contracts: Iterable[Contract], *, at: datetime) -> None:
    """Have the usage of a period's first day kept though no event came in: of carried-over units, and by the day (metering §10)."""
    moving = [one.subscription.id for one in contracts if one.plan.carries_over or one.plan.changes_by_day]
    await usage_days.note(tx, moving, at=at)


def last_unbilled(contract: Contract, now: datetime) -> date:
    """The calendar never bills the day of the start, nor one that was over when the subscription was made (§5.2)."""
    zone = contract.timezone
    return max(local_date(contract.life.started_at, zone), local_date(now, zone) - ONE_DAY)


def first_billed_usage(contract: Contract, *, after: date) -> datetime:
    """From when on usage of a subscription that began before is billed: with the period that its first billing day here closes.

    That is the first one later than `after`.
    """
    day = next_billing_day(contract.schedule, after=after)
    closed = start_of_day(day, contract.timezone) - TICK
    return current_charges_window(contract.schedule, contract.life, closed).period.start


def bills_start(contract: Contract, *, at: datetime) -> bool:
    """Whether the base price is paid as a subscription starts: in advance, and not in its trial (§5.1, row 1)."""
    return contract.plan.pay_in_advance and not contract.is_in_trial(at)


async def note_change_bill(tx: Tx, new: Contract, *, at: datetime, run_at: datetime) -> None:
    """Note the one invoice of a change of plan, for the old subscription and the new one (§5.1, row 5)."""
    await agenda.leave(tx, _item(new, Kind.BILL_CHANGE, due_at=at, run_at=run_at))


async def note_last_bill(tx: Tx, old: Contract, *, at: datetime, run_at: datetime) -> None:
    """Note the last invoice of a subscription that has ended."""
    await agenda.leave(tx, _item(old, Kind.BILL_TERMINATION, due_at=at, run_at=run_at))


async def note_switch(tx: Tx, old: Contract, new: Subscription, *, after: date) -> None:
    """Note when a cheaper plan begins: at the first start of a period of the plan in force later than a day (§2.6)."""
    cycle = old.schedule.cycle()
    day = cycle.next_start(cycle.period_start(after))
    item = Item(
        kind=Kind.SWITCH_PLAN,
        subject_id=new.id,
        owner_id=old.customer.id,
        due_at=start_of_day(day, old.timezone),
    )
    await agenda.put(tx, item)


async def note_billing(
    tx: Tx, contracts: Iterable[Contract], *, after: Mapping[UUID, date], now: datetime | None = None
) -> None:
    """Note each subscription's next billing day later than `after`; its invoice waits until the period's last events are in.

    One that has ended has none after its end, nor on the day of its end unless a successor took over then. Where the day may
    be over, it is billed `now`.
    """
    items = []
    for contract in contracts:
        day = next_billing_day(contract.schedule, after=after[contract.subscription.id])
        due_at = start_of_day(day, contract.timezone)
        if not _has_ended_by(contract, due_at):
            run_at = due_at + tx.settling_time
            items.append(_item(contract, Kind.BILL_PERIOD, due_at=due_at, run_at=max(run_at, now or run_at)))
    await agenda.put(tx, *items)


def _has_ended_by(contract: Contract, due_at: datetime) -> bool:
    ended, zone = contract.subscription.terminated_at, contract.timezone
    if ended is None:
        return False
    return due_at >= (ended if contract.life.has_successor else start_of_day(local_date(ended, zone), zone))


async def note_end(tx: Tx, contract: Contract, *, now: datetime) -> None:
    """Note the start of the local day of `ending_at`, when a subscription ends whatever the hour says (§2.9)."""
    subscription = contract.subscription
    if subscription.ending_at is None:
        await agenda.drop_kinds(tx, (Kind.TERMINATE_SUBSCRIPTION, Kind.ALERT_TERMINATION), subscription.id)
        return
    await note_alert(tx, contract, after=now)
    day = local_date(subscription.ending_at, contract.timezone)
    due_at = start_of_day(day, contract.timezone)
    await agenda.put(tx, _item(contract, Kind.TERMINATE_SUBSCRIPTION, due_at=due_at, run_at=max(due_at, now)))


async def note_alert(tx: Tx, contract: Contract, *, after: datetime) -> None:
    """Note the next warning of an end: 00:00 UTC, by default 45 and 15 days before the date of `ending_at` (§5.6)."""
    subscription = contract.subscription
    assert subscription.ending_at is not None
    end = datetime.combine(subscription.ending_at.astimezone(UTC).date(), time.min, UTC)
    ahead = [end - days for days in tx.termination_alerts if end - days > after]
    if ahead:
        await agenda.put(tx, _item(contract, Kind.ALERT_TERMINATION, due_at=ahead[0]))
    else:
        await agenda.drop_kinds(tx, (Kind.ALERT_TERMINATION,), subscription.id)


async def note_activation(tx: Tx, contract: Contract) -> None:
    """Note the start of the local day on which a pending subscription begins (§2.5)."""
    day = local_date(contract.subscription.subscription_at, contract.timezone)
    await agenda.put(
        tx, _item(contract, Kind.ACTIVATE_SUBSCRIPTION, due_at=start_of_day(day, contract.timezone))
    )


async def drop_notes(tx: Tx, subscription_id: UUID, *, billed_before: datetime | None = None) -> None:
    """Take off what an ended subscription had noted, but for a billing day before an instant that is not billed yet.

    Such a day is billed at once, before what follows from the end; so is the change of plan by which it began.
    """
    kept = () if billed_before is None else (Kind.BILL_PERIOD,)
    await agenda.drop_kinds(tx, [kind for kind in NOTED if kind not in kept], subscription_id)
    if billed_before is not None:
        await agenda.bring_forward(tx, Kind.BILL_PERIOD, subscription_id, before=billed_before)
        await agenda.bring_forward(tx, Kind.BILL_CHANGE, subscription_id)


async def reschedule(tx: Tx, customer_id: UUID, *, last_billed: dict[UUID, date], now: datetime) -> None:
    """Note everything anew after the customer's time zone changed; a day billed already is not billed again.

    An anniversary may fall on another day where the customer lives now, up to two days later: that day is the one that was
    billed.
    """
    live = await repository.list_of_customer(tx, customer_id, statuses=(Status.PENDING, Status.ACTIVE))
    contracts = await get_contracts(tx, live)
    for contract in contracts.values():
        subscription = contract.subscription
        old = (
            contracts.get(subscription.previous_subscription_id)
            if subscription.previous_subscription_id
            else None
        )
        if subscription.status is Status.ACTIVE:
            await note_billing(tx, [contract], after={subscription.id: _billed_until(contract, last_billed)})
            await note_end(tx, contract, now=now)
        elif subscription.previous_subscription_id is None:
            await note_activation(tx, contract)
        elif old is not None:
            asked_on = local_date(subscription.created_at, old.timezone)
            await note_switch(tx, old, subscription, after=max(_billed_until(old, last_billed), asked_on))


def _billed_until(contract: Contract, last_billed: dict[UUID, date]) -> date:
    """The last day that the calendar has billed, or never bills, wherever the customer lived then."""
    zone, billed = contract.timezone, last_billed.get(contract.subscription.id)
    if billed is not None:
        return billed + 2 * ONE_DAY
    made_on = local_date(contract.subscription.created_at, zone)
    if contract.subscription.taken_over_at is not None:
        return local_date(contract.subscription.taken_over_at, zone)
    return max(local_date(contract.life.started_at, zone), made_on - ONE_DAY)


def _item(contract: Contract, kind: Kind, *, due_at: datetime, run_at: datetime | None = None) -> Item:
    return Item(
        kind=kind,
        subject_id=contract.subscription.id,
        owner_id=contract.customer.id,
        due_at=due_at,
        run_at=run_at,
    )
