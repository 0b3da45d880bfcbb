"""What is done when something falls due: one function for each kind on the agenda (subscriptions §5.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import assert_never

from tallymark.db.engine import Tx
from tallymark.domain.calendar import is_billing_day
from tallymark.domain.periods import local_date, start_of_day
from tallymark.jobs.agenda import Batch, Kind
from tallymark.rooms.billing.model import Defaults, Subject, group_key
from tallymark.rooms.billing.service import credits, gate, outcomes, plan_end
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.billing.service.compute import base_fee
from tallymark.rooms.billing.service.corrected import bill_waiting
from tallymark.rooms.billing.service.follow import follow_usage
from tallymark.rooms.billing.service.overdue import follow_overdue
from tallymark.rooms.billing.service.progressive import check_thresholds
from tallymark.rooms.billing.service.regroup import regroup_paid_fees
from tallymark.rooms.billing.service.subjects import make_subjects
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.customers import service as customers
from tallymark.rooms.daily_usages import service as daily_usages
from tallymark.rooms.events import service as events
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus, Reason
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.subscriptions.service.fixed_units import AFTER_START
from tallymark.rooms.wallets import service as wallets

FAR = datetime.max.replace(tzinfo=UTC)

BEGUN = (Status.ACTIVE, Status.INCOMPLETE)
"""What is invoiced for its start: it runs, or will once that is paid."""


async def handle(tx: Tx, batch: Batch, now: datetime) -> None:
    """Do a batch of due work as of its instant. Doing it again changes nothing."""
    match batch.kind:
        case (
            Kind.CHECK_VAT | Kind.LINK_CUSTOMER | Kind.HEAR_PROVIDER | Kind.COLLECT_PAYMENT | Kind.CANCEL_PAYMENT
            | Kind.CLOSE_PAYMENT_LINK | Kind.REFUND_CREDIT_NOTE
        ):  # fmt: skip
            raise AssertionError("the outside is asked outside of transactions")
        case Kind.LOOK_AT_EVENTS:
            await events.look_again(tx, batch.subject_ids)
        case Kind.TELL_EVENT_ERRORS:
            await events.report_errors(tx, at=batch.due_at, now=now)
        case Kind.RESCHEDULE:
            await reschedule(tx, batch, now)
        case Kind.ACTIVATE_SUBSCRIPTION:
            await activate(tx, batch)
        case Kind.EXPIRE_ACTIVATION:
            await gate.expire(tx, batch, now)
        case Kind.BILL_START:
            await bill_each(tx, batch, Reason.STARTING, now)
        case Kind.BILL_FIXED_START:
            await bill_fixed_charges(tx, batch, now)
        case Kind.FIXED_UNITS:
            await change_units(tx, batch, now)
        case Kind.CANCEL_DOWNGRADE:
            await plan_end.cancel_downgrades(tx, batch, now)
        case Kind.END_WITH_PLAN:
            await plan_end.end_with_plan(tx, batch, now)
        case Kind.DELETE_PLAN:
            await plan_end.delete_plan(tx, batch, now)
        case Kind.TERMINATE_SUBSCRIPTION:
            await terminate(tx, batch, now)
        case Kind.BILL_TERMINATION:
            await give_back(tx, batch, now)
            await bill_each(tx, batch, Reason.TERMINATING, now)
        case Kind.ALERT_TERMINATION:
            await warn_of_ends(tx, batch)
        case Kind.SWITCH_PLAN:
            await switch_plans(tx, batch)
        case Kind.BILL_CHANGE:
            await bill_changes(tx, batch, now)
        case Kind.END_TRIAL:
            await end_trials(tx, batch, now)
        case Kind.BILL_PERIOD:
            await bill_period(tx, batch, now)
        case Kind.REFRESH_DRAFT:
            await refresh_drafts(tx, batch, now)
        case Kind.FINALIZE_INVOICE:
            await finalize_drafts(tx, batch, now)
        case Kind.CHECK_THRESHOLDS:
            await look_at_thresholds(tx, batch, now)
        case Kind.STORE_DAILY_USAGE | Kind.STORE_LAST_DAY:
            is_last = batch.kind is Kind.STORE_LAST_DAY
            store = daily_usages.store_last_days if is_last else daily_usages.store_days
            await store(tx, batch.subject_ids, now=now)
        case (
            Kind.EXPIRE_WALLET | Kind.EXPIRE_RULE | Kind.TOP_UP_WALLET | Kind.TOP_UP_AT_THRESHOLD | Kind.INVOICE_CREDITS
        ):  # fmt: skip
            await handle_wallets(tx, batch, now)
        case Kind.EXPIRE_COUPON:
            await coupons.expire(tx, batch.subject_ids, at=batch.due_at)
        case Kind.MARK_OVERDUE | Kind.RESET_DUNNING | Kind.DUN_CUSTOMER:
            await follow_overdue(tx, batch, now)
        case Kind.ASK_FOR_PAYMENT | Kind.FOLLOW_DUE:
            await outcomes.follow(tx, batch, now)
        case Kind.FOLLOW_USAGE:
            await follow_usage(tx, batch, now)
        case _:
            assert_never(batch.kind)


async def handle_wallets(tx: Tx, batch: Batch, now: datetime) -> None:
    """Do what falls due of wallets."""
    match batch.kind:
        case Kind.EXPIRE_WALLET:
            await wallets.expire(tx, batch.subject_ids, at=batch.due_at, now=now)
        case Kind.EXPIRE_RULE:
            await wallets.expire_rules(tx, batch.subject_ids, at=batch.due_at)
        case Kind.TOP_UP_WALLET:
            await wallets.fill_by_interval(tx, batch.subject_ids, due_at=batch.due_at, now=now)
        case Kind.TOP_UP_AT_THRESHOLD:
            await wallets.fill_at_threshold(tx, batch.subject_ids, now=now)
        case Kind.INVOICE_CREDITS:
            await invoice_credits(tx, batch, now)
        case _:
            raise AssertionError(f"{batch.kind.name} is not of wallets")


async def reschedule(tx: Tx, batch: Batch, now: datetime) -> None:
    """Note a customer's subscriptions and wallets anew: their time zone has changed."""
    live = await subscriptions.live_of_customer(tx, batch.owner_id)
    last_billed = await invoices.last_billed_days(tx, [item.id for item in live])
    await subscriptions.reschedule(tx, batch.owner_id, last_billed=last_billed, now=now)
    await wallets.reschedule(tx, batch.owner_id, now=now)


async def activate(tx: Tx, batch: Batch) -> None:
    """Activate pending subscriptions as of the start of their local day (§2.5)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.subscription.status is Status.PENDING:
            await subscriptions.begin(tx, contract, started_at=batch.due_at, now=batch.due_at)


async def terminate(tx: Tx, batch: Batch, now: datetime) -> None:
    """End subscriptions whose day has come, or whose customer is gone (§2.9, §1.10)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.subscription.status is Status.ACTIVE:
            await subscriptions.terminate(tx, contract, terminated_at=batch.due_at, now=now)


async def warn_of_ends(tx: Tx, batch: Batch) -> None:
    """Tell that subscriptions end some days from now (§5.6)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        await subscriptions.warn_of_end(tx, contract, at=batch.due_at)


async def switch_plans(tx: Tx, batch: Batch) -> None:
    """Begin the subscriptions that waited for a period's end (§2.6)."""
    for successor_id in batch.subject_ids:
        await subscriptions.switch(tx, successor_id, at=batch.due_at)


async def give_back(tx: Tx, batch: Batch, now: datetime) -> None:
    """Give unused time that was paid for back, before the last invoice: that may use the credit (§2.9)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        await credit_notes.give_back_unused_time(tx, contract, now=now)


async def bill_each(tx: Tx, batch: Batch, reason: Reason, now: datetime) -> None:
    """Invoice starts or ends, each on its own (§5.1).

    An end that is not to be invoiced has the fees regrouped that were paid in advance, like any other (§2.9), and what
    corrected events of periods cost more that are billed gets an invoice of its own.
    """
    expected = BEGUN if reason is Reason.STARTING else (Status.TERMINATED,)
    found = [
        contract
        for contract in await subscriptions.live_contracts(tx, batch.subject_ids)
        if contract.subscription.status in expected
    ]
    subjects = await make_subjects(tx, _in_order(found, {}), reason=reason, at=batch.due_at)
    billed = [subject for subject in subjects if not _is_waived(subject)]
    for subject in billed:
        window = subject.boundaries.charges
        if reason is Reason.TERMINATING and window is not None:
            await subscriptions.end_usage(tx, subject.contract, window.period.end)
    await billing.issue_all(tx, [[subject] for subject in billed], now=now)
    await gate.follow_first_bill(tx, found, now=now)
    waived = [[subject] for subject in subjects if _is_waived(subject)]
    if waived:
        await bill_waiting(tx, [subject.contract for (subject,) in waived], now=now)
        await regroup_paid_fees(tx, waived, now=now)


def _is_waived(subject: Subject) -> bool:
    """Whether an end is not to be invoiced; a change of plan always is (§2.6)."""
    return (
        subject.reason is Reason.TERMINATING
        and not subject.contract.life.has_successor
        and subject.contract.subscription.on_termination_invoice != "generate"
    )


async def bill_changes(tx: Tx, batch: Batch, now: datetime) -> None:
    """Invoice a change of plan: the old subscription, and the new one if something of it is paid in advance (§2.6).

    One invoice, or one each where they may not share one. Of a change that has to be paid first, the new one alone (§2.10).
    """
    for new in await subscriptions.live_contracts(tx, batch.subject_ids):
        if new.subscription.status is Status.INCOMPLETE:
            await billing.issue(tx, await _starting(tx, new, batch.due_at), now=now, skips_empty=True)
            await gate.follow_first_bill(tx, [new], now=now)
        if new.subscription.status in (Status.INCOMPLETE, Status.CANCELED):
            continue
        before = new.subscription.previous_subscription_id
        assert before is not None, "a change of plan has a subscription before it"
        (old,) = await subscriptions.live_contracts(tx, [before])
        await credit_notes.give_back_unused_time(tx, old, now=now)
        subjects = await make_subjects(tx, [old], reason=Reason.TERMINATING, at=batch.due_at)
        if subscriptions.is_billed_with_change(new):
            subjects += await _starting(tx, new, batch.due_at)
        defaults = await _defaults(tx, [subject.contract for subject in subjects])
        if len({group_key(subject.contract, defaults)[:-1] for subject in subjects}) == 1:
            await billing.issue(tx, subjects, now=now)
            continue
        for subject in subjects:
            await billing.issue(tx, [subject], now=now)


async def _starting(tx: Tx, new: Contract, at: datetime) -> list[Subject]:
    """A plan in advance has the start that is invoiced once, at its trial's end: until then fixed charges are billed
    as such (§4.5, §5.4). A plan in arrears has no other start than its change.
    """
    if new.plan.pay_in_advance and new.is_in_trial(at):
        return await make_subjects(tx, [new], reason=Reason.IN_ADVANCE, at=new.life.started_at + AFTER_START)
    return await make_subjects(tx, [new], reason=Reason.STARTING, at=at)


async def end_trials(tx: Tx, batch: Batch, now: datetime) -> None:
    """End trials; a plan in advance is invoiced for the rest of its period unless that day's bill does so (§4.5)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        subscription = contract.subscription
        if subscription.status is not Status.ACTIVE or subscription.trial_ended_at is not None:
            continue
        await subscriptions.end_trial(tx, contract, now=now)
        if await bills_trial_end(tx, contract, at=batch.due_at):
            subjects = await make_subjects(tx, [contract], reason=Reason.STARTING, at=batch.due_at)
            await billing.issue(tx, subjects, now=now)


async def bills_trial_end(tx: Tx, contract: Contract, *, at: datetime) -> bool:
    """Whether the end of a trial is invoiced, of a subscription whose trial ends at an instant (§4.5)."""
    if _is_start_billed_after_trial(contract):
        return False
    return contract.plan.pay_in_advance and not await _is_trial_end_billed(tx, contract, at)


def _is_start_billed_after_trial(contract: Contract) -> bool:
    """Whether a trial was over before its subscription began, so that the start is billed as any other; a past one is not (§4.5)."""
    begun_at = contract.subscription.activated_at
    is_over = contract.trial_end is not None and contract.trial_end <= contract.life.started_at
    return is_over and not (begun_at is not None and contract.is_back_dated(begun_at))


async def _is_trial_end_billed(tx: Tx, contract: Contract, at: datetime) -> bool:
    """Whether the base price was billed on the start day or in this period, or is by the calendar on the day of the trial's end."""
    zone, subscription_id = contract.timezone, contract.subscription.id
    billed = await invoices.subscription_fee_days(tx, [subscription_id], except_invoice=None, before=FAR)
    days = billed.get(subscription_id, set())
    today, start_day = local_date(at, zone), local_date(contract.life.started_at, zone)
    running_since = contract.schedule.cycle().period_start(today)
    if start_day in days or any(day >= running_since for day in days):
        return True
    if not _is_due(contract, today, None):
        return False
    (periodic,) = await make_subjects(tx, [contract], reason=Reason.PERIODIC, at=start_of_day(today, zone))
    return base_fee(periodic, days) is not None


async def bill_fixed_charges(tx: Tx, batch: Batch, now: datetime) -> None:
    """Invoice the fixed charges that a subscription pays in advance as it starts, each subscription apart (§5.1, row 2)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.subscription.status in BEGUN:
            await _issue_in_advance(tx, contract, batch.due_at, now)
            await gate.follow_first_bill(tx, [contract], now=now)


async def change_units(tx: Tx, batch: Batch, now: datetime) -> None:
    """Take over changed units of fixed charges; those in advance that count at once are invoiced (pricing §13.3)."""
    for contract in await subscriptions.live_contracts(tx, batch.subject_ids):
        if contract.subscription.status is not Status.ACTIVE:
            continue
        changed = await subscriptions.note_changed_units(tx, contract, at=batch.due_at, now=now)
        if any(charge.pay_in_advance for charge in changed):
            await _issue_in_advance(tx, contract, batch.due_at, now)


async def _issue_in_advance(tx: Tx, contract: Contract, at: datetime, now: datetime) -> None:
    subjects = await make_subjects(tx, [contract], reason=Reason.IN_ADVANCE, at=at)
    await billing.issue(tx, subjects, now=now, skips_empty=True)


async def bill_period(tx: Tx, batch: Batch, now: datetime) -> None:
    """Invoice a billing day of some customers, and note each subscription's next one (§5.2)."""
    contracts = await subscriptions.live_contracts(tx, batch.subject_ids)
    last_billed = await invoices.last_billed_days(tx, batch.subject_ids)
    lived = [contract for contract in contracts if _lived_at(contract, batch.due_at)]
    days = {c.subscription.id: local_date(batch.due_at, c.timezone) for c in lived}
    due = [
        contract
        for contract in lived
        for subscription_id in [contract.subscription.id]
        if _is_due(contract, days[subscription_id], last_billed.get(subscription_id))
    ]
    await subscriptions.note_billing(tx, lived, after=days)
    await subscriptions.note_usage_days(tx, lived, at=batch.due_at)
    # One invoice for those that share one.
    defaults = await _defaults(tx, due)
    subjects = await make_subjects(tx, _in_order(due, defaults), reason=Reason.PERIODIC, at=batch.due_at)
    groups = [
        list(group) for _, group in groupby(subjects, key=lambda one: group_key(one.contract, defaults))
    ]
    await billing.issue_all(tx, groups, now=now)


def _lived_at(contract: Contract, at: datetime) -> bool:
    """Whether a subscription was active on a billing day, though it may have ended since."""
    subscription = contract.subscription
    ended = subscription.terminated_at
    return subscription.status is Status.ACTIVE or (ended is not None and ended > at)


def _is_due(contract: Contract, day: date, last_billed: date | None) -> bool:
    subscription, zone = contract.subscription, contract.timezone
    if last_billed is not None and last_billed >= day:
        return False
    if subscription.ending_at is not None and local_date(subscription.ending_at, zone) == day:
        return False
    return is_billing_day(contract.schedule, day) and local_date(contract.life.started_at, zone) < day


async def _defaults(tx: Tx, contracts: Sequence[Contract]) -> Defaults:
    """The default payment methods of customers who name a method at all: for the others it is one and the same."""
    named = {c.customer.id for c in contracts if c.subscription.payment_method_id is not None}
    return await customers.default_methods(tx, named) if named else {}


def _in_order(contracts: Sequence[Contract], defaults: Defaults) -> list[Contract]:
    """Those of one invoice side by side, the oldest first."""
    return sorted(
        contracts,
        key=lambda c: (str(group_key(c, defaults)), c.subscription.created_at, c.subscription.id),
    )


async def look_at_thresholds(tx: Tx, batch: Batch, now: datetime) -> None:
    """Hold lifetime usage against its thresholds (pricing §14)."""
    await check_thresholds(tx, await subscriptions.live_contracts(tx, batch.subject_ids), now=now)


async def invoice_credits(tx: Tx, batch: Batch, now: datetime) -> None:
    """Invoice credits that were bought (wallets §5)."""
    for transaction_id in batch.subject_ids:
        await credits.issue(tx, transaction_id, now=now)


async def refresh_drafts(tx: Tx, batch: Batch, now: datetime) -> None:
    """Compute drafts anew after what they follow from has changed."""
    for invoice_id in batch.subject_ids:
        draft = await invoices.find_invoice(tx, invoice_id)
        if draft is not None:
            await billing.refresh(tx, draft, now=now)


async def finalize_drafts(tx: Tx, batch: Batch, now: datetime) -> None:
    """Issue the drafts whose grace period is over, and invoices whose taxes are known at last."""
    for invoice_id in batch.subject_ids:
        draft = await invoices.find_invoice(tx, invoice_id)
        if draft is not None and draft.status is InvoiceStatus.DRAFT:
            await billing.finalize(tx, invoice_id, now=now, as_of=batch.due_at)
        elif draft is not None and draft.status is InvoiceStatus.PENDING:
            await billing.release(tx, draft, now=now)
            records = await invoices.records_of(tx, invoice_id)
            billed = await subscriptions.live_contracts(tx, {record.subscription_id for record in records})
            await gate.follow_first_bill(tx, billed, now=now)
