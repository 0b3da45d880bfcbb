"""Subscriptions in the state in which the previewed invoice finds them, one function for each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.domain.periods import local_date, parse_instant_of_any_zone, start_of_day, to_second
from tallymark.rooms.billing.service.due import bills_trial_end
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.plans import service as plans
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.previews.model import (
    Bill,
    Ending,
    Parties,
    PlanChange,
    Projection,
    Proposal,
    Question,
    Scene,
)
from tallymark.rooms.previews.service.lives import (
    change_plan,
    end_trial,
    first_bill,
    join,
    next_bill,
    propose,
    start_later,
    switch_plan,
    terminate,
    with_first_units,
)
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status


async def set_scene(tx: Tx, parties: Parties, question: Question, *, now: datetime) -> Scene:
    """What the invoice bills that is asked for. Raises `NotFound` for a plan or subscription, and `Invalid`."""
    match question:
        case Proposal():
            return await _proposed(tx, parties, question, now=now)
        case Projection():
            contracts = await _contracts(tx, parties, question.external_ids)
            return await _projected(tx, contracts, now=now)
        case Ending():
            contract = _only(await _contracts(tx, parties, question.external_ids), "termination")
            contract = _giving_back(contract, question.credit_note)
            return terminate(contract, at=_end(question.terminated_at, now=now))
        case PlanChange():
            plan = await plans.get_plan(tx, code=question.plan_code)
            contract = _only(await _contracts(tx, parties, question.external_ids), "plan_change")
            _check_change(contract, plan)
            return await with_first_units(tx, change_plan(contract, plan, now=now))
        case _:
            assert_never(question)


async def _proposed(tx: Tx, parties: Parties, asked: Proposal, *, now: datetime) -> Scene:
    if asked.plan_code is None:
        raise NotFound("plan")
    plan = await plans.get_plan(tx, code=asked.plan_code)
    contract = propose(parties, plan, asked, now=now)
    scene = await with_first_units(tx, first_bill(contract))
    (first,) = scene.bills
    if first.reason is not Reason.PERIODIC:
        return scene
    earlier = await _trial_end(tx, contract, before=first.at, now=now)
    return replace(scene, before=(*scene.before, *earlier))


async def _contracts(tx: Tx, parties: Parties, external_ids: Sequence[str]) -> list[Contract]:
    """The active subscriptions of these external ids, else the ones to come, with the customer as they are imagined."""
    live = await subscriptions.live_of_customer(tx, parties.customer.id)
    found = []
    for external_id in dict.fromkeys(external_ids):
        own = [item for item in live if item.external_id == external_id]
        active = [item for item in own if item.status is Status.ACTIVE]
        chosen = active or [item for item in own if item.previous_subscription_id is None]
        if not chosen:
            raise NotFound("subscription")
        found.append(chosen[0])
    contracts = await subscriptions.get_contracts(tx, found)
    return [replace(contracts[item.id], customer=parties.customer) for item in found]


def _only(contracts: Sequence[Contract], purpose: str) -> Contract:
    if len(contracts) > 1:
        raise Invalid({"subscriptions": [f"only_one_subscription_allowed_for_{purpose}"]})
    if contracts[0].subscription.status is not Status.ACTIVE:
        raise NotFound("subscription")  # only what runs can end
    return contracts[0]


def _giving_back(contract: Contract, credit_note: str | None) -> Contract:
    """The contract as it would be ended: with that option, where one is asked for."""
    if credit_note is None:
        return contract
    return replace(
        contract, subscription=replace(contract.subscription, on_termination_credit_note=credit_note)
    )


def _end(text: str, *, now: datetime) -> datetime:
    try:
        at = parse_instant_of_any_zone(text)
    except ValueError:
        raise Invalid({"terminated_at": ["invalid_timestamp"]}) from None
    if to_second(at) < to_second(now):
        raise Invalid({"terminated_at": ["cannot_be_in_past"]})
    return at


def _check_change(contract: Contract, plan: Plan) -> None:
    if plan.id in (contract.plan.id, contract.plan.parent_id):
        raise Invalid({"base": ["new_plan_should_be_different_from_existing_plan"]})
    if plan.amount_currency != contract.plan.amount_currency:
        raise Invalid({"base": ["subscription_currencies_does_not_match"]})


async def _projected(tx: Tx, contracts: Sequence[Contract], *, now: datetime) -> Scene:
    if len(contracts) == 1:
        (contract,) = contracts
        ends_at = _noted_end(contract, now=now)
        if ends_at is not None:
            return terminate(contract, at=ends_at)
    _check_together(contracts)
    next_ones = [await _next(tx, contract, now=now) for contract in contracts]
    if len({scene.bills[0].at for scene in next_ones}) > 1:
        raise Invalid({"base": ["billing_periods_does_not_match"]})
    return join(next_ones)


def _noted_end(contract: Contract, *, now: datetime) -> datetime | None:
    """When a subscription ends whose next bill would not come before: at the start of the local day (subscriptions §2.9)."""
    subscription = contract.subscription
    if subscription.ending_at is None or subscription.status is not Status.ACTIVE:
        return None
    day = local_date(subscription.ending_at, contract.timezone)
    at = start_of_day(day, contract.timezone)
    return at if at <= next_bill(contract, now=now).at else None


def _check_together(contracts: Sequence[Contract]) -> None:
    if len({contract.plan.amount_currency for contract in contracts}) > 1:
        raise Invalid({"base": ["subscription_currencies_does_not_match"]})
    if len({contract.billing_entity.id for contract in contracts}) > 1:
        raise Invalid({"base": ["subscription_billing_entities_do_not_match"]})


async def _next(tx: Tx, contract: Contract, *, now: datetime) -> Scene:
    """The next bill of one subscription: its start if it is to come, the switch to a cheaper plan if one waits."""
    if contract.subscription.status is Status.PENDING:
        return await with_first_units(tx, start_later(contract, now=now))
    after = contract.relations.successor
    if after is None or after.status is not Status.PENDING:
        scene = Scene(bills=(next_bill(contract, now=now),))
    else:
        (waiting,) = await subscriptions.live_contracts(tx, [after.id])
        new = replace(waiting, customer=contract.customer)
        scene = await with_first_units(tx, switch_plan(contract, new, now=now))
    return replace(scene, before=await _trial_end(tx, contract, before=scene.bills[0].at, now=now))


async def _trial_end(tx: Tx, contract: Contract, *, before: datetime, now: datetime) -> tuple[Bill, ...]:
    """The invoice of a trial's end that comes before the next bill (subscriptions §4.5)."""
    ends_at = contract.trial_end
    if ends_at is None or not contract.is_in_trial(now) or ends_at >= before:
        return ()
    return (end_trial(contract),) if await bills_trial_end(tx, contract, at=ends_at) else ()
