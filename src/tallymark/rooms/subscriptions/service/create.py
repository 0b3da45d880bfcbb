"""Create a subscription: an upsert by external id (subscriptions §2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, Problems
from tallymark.domain.periods import BillingTime, local_date
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.plans import service as plans
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, PaidBy, Status, Subscription
from tallymark.rooms.subscriptions.service.activate import (
    EndedElsewhere,
    LifeElsewhere,
    activate_taken_over,
    begin,
)
from tallymark.rooms.subscriptions.service.activation_rules import check_rules, set_rules
from tallymark.rooms.subscriptions.service.agenda import note_activation
from tallymark.rooms.subscriptions.service.change import change_plan
from tallymark.rooms.subscriptions.service.overrides import Overrides, keep_units, plan_for
from tallymark.rooms.subscriptions.service.read import get_contracts
from tallymark.rooms.subscriptions.service.traces import traced


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """What is asked for; None stands for what was left out."""

    external_customer_id: str
    plan_code: str
    external_id: str
    name: str | None = None
    billing_time: BillingTime = BillingTime.CALENDAR
    subscription_at: datetime | None = None
    ending_at: datetime | None = None
    billing_entity_code: str | None = None
    overrides: Overrides | None = None
    activation_rules: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    """Columns taken as they are: purchase order number, consolidation, what happens at termination."""


async def create(tx: Tx, asked: NewSubscription, *, now: datetime) -> Subscription:
    """Subscribe a customer, made on the fly if unknown, to a plan; the same call again changes nothing.

    Raises `NotFound` for a plan or billing entity, `Invalid` for dates that can't be, for an external id that another
    customer uses.
    """
    entity = None
    if asked.billing_entity_code is not None:
        entity = await organizations.get_entity(tx, code=asked.billing_entity_code)
    plan = await plans.get_plan(tx, code=asked.plan_code)
    customer = await customers.find_customer(tx, external_id=asked.external_customer_id)
    subscription_at = asked.subscription_at or now
    problems = Problems()
    check_dates(asked.ending_at, problems, subscription_at=subscription_at, now=now)
    paid_by = await check_method(tx, customer, asked.options, problems)
    await check_rules(tx, asked.activation_rules, customer, problems, paid_by=paid_by)
    problems.raise_any()
    if customer is None:
        customer = await customers.create_implicitly(
            tx, external_id=asked.external_customer_id, billing_entity=entity, now=now
        )
    await tx.lock("customer", customer.id)
    await customers.set_currency_if_blank(tx, customer, plan.amount_currency, now=now)
    current = await _find_current(tx, asked.external_id, customer)
    if current is not None:
        entity_id = entity.id if entity else None
        return await _change(tx, current, plan=plan, asked=asked, entity_id=entity_id, now=now)
    await _refuse_taken(tx, asked.external_id)
    asked = replace(asked, subscription_at=subscription_at)
    made = await _insert(tx, asked, customer, plan, entity, now=now)
    return await _begin(tx, made, now=now)


async def take_over(tx: Tx, asked: NewSubscription, life: LifeElsewhere, *, now: datetime) -> Subscription:
    """Make a subscription that another system has billed so far: all that is due by the end of this local day is its.

    Raises `NotFound` for a customer, plan or billing entity, and `Invalid` for dates that can't be, or an external id that is taken.
    """
    entity = None
    if asked.billing_entity_code is not None:
        entity = await organizations.get_entity(tx, code=asked.billing_entity_code)
    plan = await plans.get_plan(tx, code=asked.plan_code)
    customer = await customers.get_customer(tx, external_id=asked.external_customer_id)
    assert asked.subscription_at is not None, "one that runs elsewhere has an anchor"
    problems = Problems()
    check_dates(asked.ending_at, problems, subscription_at=asked.subscription_at, now=now)
    problems.raise_any()
    await tx.lock("customer", customer.id)
    await customers.set_currency_if_blank(tx, customer, plan.amount_currency, now=now)
    await _refuse_taken(tx, asked.external_id)
    for ended in life.earlier:
        await _insert_ended(tx, asked, ended, customer, now=now)
    made = await _insert(tx, asked, customer, plan, entity, now=now)
    contract = (await get_contracts(tx, [made]))[made.id]
    return (await activate_taken_over(tx, contract, life, now=now)).subscription


async def _insert_ended(
    tx: Tx, asked: NewSubscription, ended: EndedElsewhere, customer: Customer, *, now: datetime
) -> None:
    """Keep one that was begun, billed and ended elsewhere, of which nothing is due."""
    plan = await plans.get_plan(tx, code=ended.plan_code)
    row = {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "plan_id": plan.id,
        "external_id": asked.external_id,
        "status": Status.TERMINATED,
        "billing_time": asked.billing_time,
        "subscription_at": asked.subscription_at,
        "started_at": ended.started_at,
        "activated_at": ended.started_at,
        "terminated_at": ended.terminated_at,
        "usage_ends_at": ended.usage_ends_at,
        "taken_over_at": now,
        "made_elsewhere_at": ended.started_at,
        "created_at": now,
        "updated_at": now,
    }
    await repository.insert_subscription(tx, row)


async def _insert(
    tx: Tx,
    asked: NewSubscription,
    customer: Customer,
    plan: Plan,
    entity: BillingEntity | None,
    *,
    now: datetime,
) -> Subscription:
    own_plan = await plan_for(tx, plan, asked.overrides, now=now)
    made = await repository.insert_subscription(
        tx,
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "customer_id": customer.id,
            "plan_id": own_plan.id,
            "billing_entity_id": entity.id if entity else None,
            "external_id": asked.external_id,
            "name": asked.name,
            "status": Status.PENDING,
            "billing_time": asked.billing_time,
            "subscription_at": asked.subscription_at,
            "ending_at": asked.ending_at,
            **options_for(own_plan, asked.options),
            "created_at": now,
            "updated_at": now,
        },
    )
    await keep_units(tx, made, plan, asked.overrides, now=now)
    await set_rules(tx, made.id, asked.activation_rules, now=now)
    return made


async def find_subject(tx: Tx, made: Subscription, plan_code: str) -> Subscription:
    """The subscription that a creation is about: a downgrade answers with the current one, and is about the one that waits."""
    contract = (await get_contracts(tx, [made]))[made.id]
    after = contract.relations.successor
    waits = after is not None and after.status is Status.PENDING and after.plan_code == plan_code
    if after is None or not waits or contract.plan.code == plan_code:
        return made
    (waiting,) = await repository.get_subscriptions(tx, [after.id])
    return waiting


async def check_method(
    tx: Tx, customer: Customer | None, options: Mapping[str, Any], problems: Problems
) -> PaidBy | None:
    """The payment method that was chosen, None where nothing was said of it; note one that is none of the customer's (§2.1)."""
    if "payment_method_type" not in options:
        return None
    paid_by = PaidBy(method_type=options["payment_method_type"], method_id=options.get("payment_method_id"))
    if paid_by.method_id is None or paid_by.method_type == MANUAL:
        return paid_by
    known = customer and await customers.find_payment_method(tx, customer.id, paid_by.method_id)
    if known is None:
        problems.add("payment_method", "invalid_payment_method")
    return paid_by


MANUAL = "manual"
"""Paid by hand: no method of a provider has a part in it."""


def options_for(plan: Plan, options: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked of a subscription to a plan: where nothing is paid in advance, nothing could be given back (§2.8)."""
    return {
        name: None if name == "on_termination_credit_note" and not plan.pay_in_advance else value
        for name, value in options.items()
    }


def check_dates(
    ending_at: datetime | None, problems: Problems, *, subscription_at: datetime, now: datetime
) -> None:
    """Note an end that is not on a later UTC day than now and than the start."""
    if ending_at is None:
        return
    day = ending_at.astimezone(UTC).date()
    if day <= now.astimezone(UTC).date() or day <= subscription_at.astimezone(UTC).date():
        problems.add("ending_at", "invalid_date")


async def _find_current(tx: Tx, external_id: str, customer: Customer) -> Subscription | None:
    """The customer's subscription that a new call is about: active, or pending without a predecessor (§2.4.6).

    Raises `Invalid` while one of theirs waits for its first payment.
    """
    for waiting in await repository.find_by_external_id(tx, external_id, statuses=(Status.INCOMPLETE,)):
        if waiting.customer_id == customer.id:
            raise Invalid({"subscription": ["subscription_incomplete"]})
    for found in await repository.find_by_external_id(
        tx, external_id, statuses=(Status.ACTIVE, Status.PENDING)
    ):
        if found.customer_id == customer.id and (
            found.status is Status.ACTIVE or found.previous_subscription_id is None
        ):
            return found
    return None


TAKING = (Status.ACTIVE, Status.PENDING, Status.INCOMPLETE)
"""What keeps an external id from others."""


async def _refuse_taken(tx: Tx, external_id: str) -> None:
    """Raises `Invalid` where another customer has the external id, be it that theirs is to begin on its day."""
    await tx.lock("subscription-external-id", uuid5(tx.organization_id, external_id))
    if await repository.find_by_external_id(tx, external_id, statuses=TAKING):
        raise Invalid({"external_id": ["value_already_exist"]})


async def _change(
    tx: Tx,
    current: Subscription,
    *,
    plan: Plan,
    asked: NewSubscription,
    entity_id: UUID | None,
    now: datetime,
) -> Subscription:
    held = (await plans.get_plans(tx, {current.plan_id}))[current.plan_id]
    if plan.id in (held.id, held.parent_id):
        return current  # nothing changes; a plan of its own changes through an update (§2.4)
    named: dict[str, Any] = {"name": asked.name, "ending_at": asked.ending_at, "billing_entity_id": entity_id}
    sent = {name: value for name, value in named.items() if value is not None}
    # Its own price decides which way the change goes, so the plan of its own is made first; units alone come with it.
    own_plan = await plan_for(tx, plan, asked.overrides, now=now, with_units=True)
    if current.status is Status.PENDING:
        # Not begun yet: the plan is replaced in place, nothing is billed (§2.6).
        sent.pop("ending_at", None)
        async with traced(tx, current, now=now):
            await set_rules(tx, current.id, asked.activation_rules, now=now)
            return await repository.update_subscription(
                tx, current.id, {"plan_id": own_plan.id, **sent, "updated_at": now}
            )
    options = options_for(own_plan, asked.options)
    return await change_plan(
        tx, current, own_plan, {**sent, **options}, rules=asked.activation_rules, now=now
    )


async def _begin(tx: Tx, made: Subscription, *, now: datetime) -> Subscription:
    contract = (await get_contracts(tx, [made]))[made.id]
    zone = contract.timezone
    start_day, today = local_date(made.subscription_at, zone), local_date(now, zone)
    if start_day > today:
        await note_activation(tx, contract)
        await log_alone(tx, "subscription.created", made.id, now=now)
        return made
    started_at = made.subscription_at
    if start_day < today:
        started_at = max(started_at, await _end_of_last(tx, contract) or started_at)
    return (await begin(tx, contract, started_at=started_at, now=now)).subscription


async def _end_of_last(tx: Tx, contract: Contract) -> datetime | None:
    """When the last subscription of this external id ended, if that was invoiced: what it covered is not billed twice."""
    ended = await repository.find_by_external_id(
        tx, contract.subscription.external_id, statuses=(Status.TERMINATED,)
    )
    ends = [
        item.terminated_at
        for item in ended
        if item.customer_id == contract.customer.id
        and item.on_termination_invoice == "generate"
        and item.terminated_at
    ]
    return max(ends, default=None)
