"""Lives that subscriptions might have: begun, changed, ended. Values only; nothing is asked of the database twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import Continuity, next_billing_day
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.fixed_charge import UnitEvent
from tallymark.domain.periods import TICK, Interval, local_date, start_of_day, yearly_amount_cents
from tallymark.domain.values import names_of
from tallymark.rooms.billing.model import Assumed
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.previews.model import Bill, Parties, Proposal, Scene
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Neighbour, Relations, Status, Subscription
from tallymark.rooms.subscriptions.service.agenda import last_unbilled
from tallymark.rooms.subscriptions.service.change import AFTER_CHANGE
from tallymark.rooms.subscriptions.service.fixed_units import AFTER_START


def propose(parties: Parties, plan: Plan, asked: Proposal, *, now: datetime) -> Contract:
    """A subscription of a customer to a plan, begun; no event belongs to its external id.

    One that begins on a later day begins with that day, one that began before is made now (subscriptions §2.5).
    """
    zone = ZoneInfo(parties.customer.applicable_timezone(parties.customer_entity))
    subscription_at = asked.subscription_at or now
    day, today = local_date(subscription_at, zone), local_date(now, zone)
    started_at = start_of_day(day, zone) if day > today else subscription_at
    subscription_id = new_id()
    subscription = Subscription(
        **{
            **dict.fromkeys(names_of(Subscription)),
            "id": subscription_id,
            "customer_id": parties.customer.id,
            "plan_id": plan.id,
            "external_id": str(subscription_id),
            "status": Status.ACTIVE,
            "billing_time": asked.billing_time,
            "subscription_at": subscription_at,
            "started_at": started_at,
            "activated_at": now if day < today else started_at,
            "consolidate_invoice": True,
            "payment_method_type": "provider",
            "progressive_billing_disabled": False,
            "on_termination_invoice": "generate",
            "skip_invoice_custom_sections": False,
            "created_at": now,
            "updated_at": now,
        }  # type: ignore[arg-type]  # the values of a record, by the names of its columns
    )
    return Contract(
        subscription=subscription,
        customer=parties.customer,
        plan=plan,
        billing_entity=parties.customer_entity,
        customer_entity=parties.customer_entity,
    )


def first_bill(contract: Contract) -> Scene:
    """The first invoice of a subscription that is not stored, or not begun: its start if it is paid in advance.

    In arrears it is the first period's, before which fixed charges in advance were billed. A start within a trial without any is not
    invoiced, only the trial's end or what the calendar bills before it. One that began on a day before it is made is billed by
    the calendar alone (subscriptions §2.5), but for a trial that is over (§4.5).
    """
    life = contract.life
    imagined = frozenset({contract.subscription.id})
    scene = Scene(bills=(), assumed=_assume(contract), imagined=imagined)
    made_at = contract.subscription.activated_at or life.started_at
    if contract.is_back_dated(made_at):
        if contract.plan.pay_in_advance and contract.trial_end is not None and contract.trial_end <= made_at:
            return replace(scene, bills=(Bill(contract=contract, reason=Reason.STARTING, at=made_at),))
        return replace(scene, bills=(_on_day_after(contract, last_unbilled(contract, made_at)),))
    has_fixed_start = any(charge.pay_in_advance for charge in contract.plan.fixed_charges)
    if contract.plan.pay_in_advance and contract.is_in_trial(life.started_at) and not has_fixed_start:
        firsts = [_periodic(contract, after=life.started_at), end_trial(contract)]
        return replace(scene, bills=(min(firsts, key=lambda bill: bill.at),))
    if contract.plan.pay_in_advance:
        return replace(scene, bills=(_start(contract, life.started_at),))
    return replace(
        scene,
        before=(_fixed_start(contract),) if has_fixed_start else (),
        bills=(_periodic(contract, after=life.started_at),),
    )


def _fixed_start(contract: Contract) -> Bill:
    """The fixed charges that are paid in advance, as a subscription starts."""
    return Bill(contract=contract, reason=Reason.IN_ADVANCE, at=contract.life.started_at + AFTER_START)


def _start(contract: Contract, at: datetime) -> Bill:
    """Within a trial there is no base price, and fixed charges are billed as they are in advance (subscriptions §4.5)."""
    if contract.is_in_trial(at):
        return _fixed_start(contract)
    return Bill(contract=contract, reason=Reason.STARTING, at=at)


def end_trial(contract: Contract) -> Bill:
    """The base price from the end of the trial on (subscriptions §4.5)."""
    assert contract.trial_end is not None
    return Bill(contract=contract, reason=Reason.STARTING, at=contract.trial_end)


def start_later(contract: Contract, *, now: datetime) -> Scene:
    """The first invoice of a subscription that begins on a later day: as of the start of that day (subscriptions §2.5)."""
    at = start_of_day(local_date(contract.subscription.subscription_at, contract.timezone), contract.timezone)
    begun = replace(contract.subscription, status=Status.ACTIVE, started_at=max(at, now), activated_at=at)
    return replace(first_bill(replace(contract, subscription=begun)), imagined=frozenset())


def next_bill(contract: Contract, *, now: datetime) -> Bill:
    """A running subscription on its next billing day."""
    return _periodic(contract, after=max(now, contract.life.started_at))


def _periodic(contract: Contract, *, after: datetime) -> Bill:
    return _on_day_after(contract, local_date(after, contract.timezone))


def _on_day_after(contract: Contract, day: date) -> Bill:
    billing_day = next_billing_day(contract.schedule, after=day)
    return Bill(contract=contract, reason=Reason.PERIODIC, at=start_of_day(billing_day, contract.timezone))


def terminate(contract: Contract, *, at: datetime) -> Scene:
    """The last invoice of a subscription that ends; a cheaper plan that waits is called off."""
    ended = _ended(contract, None, at, used_until=at + TICK)
    return Scene(
        bills=(Bill(contract=ended, reason=Reason.TERMINATING, at=at),),
        assumed=_assume(ended),
        gives_back=(ended,),
    )


def change_plan(contract: Contract, plan: Plan, *, now: datetime) -> Scene:
    """The invoice of a change asked for now: at once to a dearer plan, at the period's end to a cheaper one."""
    new_id_ = new_id()
    new = replace(
        contract,
        subscription=replace(
            contract.subscription,
            id=new_id_,
            plan_id=plan.id,
            previous_subscription_id=contract.subscription.id,
            trial_ended_at=None,
            created_at=now,
            updated_at=now,
        ),
        plan=plan,
        relations=Relations(
            predecessor=_neighbour(contract), first_started_at=contract.relations.first_started_at
        ),
    )
    is_upgrade = new.yearly_amount_cents >= contract.yearly_amount_cents
    scene = _upgrade(contract, new, at=now) if is_upgrade else switch_plan(contract, new, now=now)
    return replace(scene, imagined=frozenset({new_id_}))


def _upgrade(old: Contract, new: Contract, *, at: datetime) -> Scene:
    return _replaced(old, new, at=at, billed_at=at + AFTER_CHANGE, used_from=at + TICK)


def switch_plan(old: Contract, new: Contract, *, now: datetime) -> Scene:
    """The invoice of the switch to a cheaper plan, at the next start of a period of the plan in force."""
    cycle = old.schedule.cycle()
    day = cycle.next_start(cycle.period_start(local_date(now, old.timezone)))
    at = start_of_day(day, old.timezone)
    return _replaced(old, new, at=at, billed_at=at, used_from=at)


def _replaced(
    old: Contract, new: Contract, *, at: datetime, billed_at: datetime, used_from: datetime
) -> Scene:
    """One invoice: the old subscription's last, and the new one's start if something of it is paid in advance (§2.6)."""
    begun = replace(
        new, subscription=replace(new.subscription, status=Status.ACTIVE, started_at=at, activated_at=at)
    )
    ended = _ended(old, _neighbour(begun), at, used_until=used_from)
    bills = [Bill(contract=ended, reason=Reason.TERMINATING, at=billed_at)]
    if subscriptions.is_billed_with_change(begun):
        bills.append(_start(begun, billed_at))
    known = _assume(ended, begun)
    follows = {begun.subscription.id: Continuity(not_before=used_from)}
    return Scene(bills=tuple(bills), assumed=replace(known, continuity=follows), gives_back=(ended,))


def _ended(
    contract: Contract, successor: Neighbour | None, at: datetime, *, used_until: datetime
) -> Contract:
    return replace(
        contract,
        subscription=replace(
            contract.subscription, status=Status.TERMINATED, terminated_at=at, usage_ends_at=used_until
        ),
        relations=replace(contract.relations, successor=successor),
    )


def _neighbour(contract: Contract) -> Neighbour:
    subscription = contract.subscription
    return Neighbour(
        id=subscription.id,
        status=subscription.status,
        plan_code=contract.plan.code,
        yearly_amount_cents=yearly_amount_cents(contract.plan.amount_cents, Interval(contract.plan.interval)),
        started_at=subscription.started_at,
        created_at=subscription.created_at,
    )


def _assume(*contracts: Contract) -> Assumed:
    return Assumed(contracts={contract.subscription.id: contract for contract in contracts})


def join(scenes: Sequence[Scene]) -> Scene:
    """Several subscriptions on one invoice."""
    units: dict[tuple[UUID, UUID], Sequence[UnitEvent]] = {}
    known: dict[UUID, Contract] = {}
    follows: dict[UUID, Continuity] = {}
    for scene in scenes:
        units |= scene.assumed.unit_events
        known |= scene.assumed.contracts
        follows |= scene.assumed.continuity
    return Scene(
        bills=tuple(bill for scene in scenes for bill in scene.bills),
        before=tuple(bill for scene in scenes for bill in scene.before),
        assumed=Assumed(contracts=known, unit_events=units, continuity=follows),
        gives_back=tuple(contract for scene in scenes for contract in scene.gives_back),
        imagined=frozenset(one for scene in scenes for one in scene.imagined),
    )


async def with_first_units(tx: Tx, scene: Scene) -> Scene:
    """The scene with the units of fixed charges with which its new subscriptions start."""
    units: dict[tuple[UUID, UUID], Sequence[UnitEvent]] = {}
    for contract in scene.assumed.contracts.values():
        if contract.subscription.status is not Status.ACTIVE:
            continue
        begins = contract.life.started_at + AFTER_START
        for charge, number in await subscriptions.first_units(tx, contract):
            event = UnitEvent(units=Fraction(number), effective_at=begins, created_at=begins)
            units[contract.subscription.id, charge.id] = [event]
    return replace(scene, assumed=replace(scene.assumed, unit_events=units))
