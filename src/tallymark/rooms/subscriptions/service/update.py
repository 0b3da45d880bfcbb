"""Change a subscription: only what is sent (subscriptions §2.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed, Problems
from tallymark.domain.periods import local_date
from tallymark.rooms.customers import service as customers
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, PaidBy, Status, Subscription
from tallymark.rooms.subscriptions.service.activate import begin
from tallymark.rooms.subscriptions.service.activation_rules import check_rules, has_rules, set_rules
from tallymark.rooms.subscriptions.service.agenda import note_activation, note_end
from tallymark.rooms.subscriptions.service.create import MANUAL, check_dates, check_method
from tallymark.rooms.subscriptions.service.messages import tell
from tallymark.rooms.subscriptions.service.read import get_contracts
from tallymark.rooms.subscriptions.service.thresholds import note_checks


async def update(
    tx: Tx, subscription: Subscription, changes: Mapping[str, Any], *, now: datetime
) -> Subscription:
    """Apply the changes that a request names.

    `changes` has columns, and `billing_entity_code` whose null means the customer's entity. `subscription_at` is taken
    for a subscription that has not begun. Raises `NotFound`, `NotAllowed` or `Invalid`.
    """
    await tx.lock("customer", subscription.customer_id)
    (subscription,) = await repository.get_subscriptions(tx, [subscription.id])
    if subscription.status is Status.INCOMPLETE:
        raise NotAllowed("subscription_incomplete")
    values = dict(changes)
    (customer,) = (await customers.get_customers(tx, {subscription.customer_id})).values()
    rules = values.pop("activation_rules", None)
    problems = Problems()
    paid_by = await check_method(tx, customer, values, problems) or _paid_by(subscription)
    await check_rules(tx, rules, customer, problems, paid_by=paid_by, subscription=subscription)
    changes_number = values.get("purchase_order_number") != subscription.purchase_order_number
    if (
        "purchase_order_number" in values
        and changes_number
        and subscription.status not in (Status.PENDING, Status.ACTIVE)
    ):
        raise NotAllowed("purchase_order_number_not_editable")
    if "billing_entity_code" in values:
        code = values.pop("billing_entity_code")
        values["billing_entity_id"] = (
            None if code is None else (await organizations.get_entity(tx, code=code)).id
        )
    new_start = values.pop("subscription_at", None)
    if subscription.status is not Status.PENDING or subscription.previous_subscription_id is not None:
        new_start = None  # what has begun, or waits for a predecessor's end, keeps its anchor
    if new_start is not None:
        values["subscription_at"] = new_start
    if values.get("ending_at") is not None:
        check_dates(
            values["ending_at"],
            problems,
            subscription_at=values.get("subscription_at", subscription.subscription_at),
            now=now,
        )
    problems.raise_any()
    await _without_credit_option(tx, subscription, values)
    if subscription.status is Status.PENDING:
        await set_rules(tx, subscription.id, rules, now=now)
    changed = await repository.update_subscription(tx, subscription.id, {**values, "updated_at": now})
    await tell(tx, changed, "updated", now=now, before=subscription)
    contract = (await get_contracts(tx, [changed]))[changed.id]
    if new_start is not None:
        return await _move_start(tx, contract, new_start, now=now)
    if "progressive_billing_disabled" in values:
        await note_checks(tx, [contract], now=now)
    if changed.status is Status.ACTIVE and "ending_at" in values:
        await note_end(tx, contract, now=now)
    return changed


def _paid_by(subscription: Subscription) -> PaidBy | None:
    """The payment method that was chosen before, if any was."""
    if subscription.payment_method_type == MANUAL or subscription.payment_method_id is not None:
        return PaidBy(method_type=subscription.payment_method_type, method_id=subscription.payment_method_id)
    return None


async def _move_start(tx: Tx, contract: Contract, new_start: datetime, *, now: datetime) -> Subscription:
    """Wait for another day, or begin: today once its first invoice is paid, where a rule says so (§2.8)."""
    subscription, zone = contract.subscription, contract.timezone
    day, today = local_date(new_start, zone), local_date(now, zone)
    if day > today or (day == today and await has_rules(tx, subscription.id)):
        await note_activation(tx, contract)
        return subscription
    await set_rules(tx, subscription.id, [], now=now)
    return (await begin(tx, contract, started_at=new_start, now=now)).subscription


async def _without_credit_option(tx: Tx, subscription: Subscription, values: dict[str, Any]) -> None:
    """Leave out what happens to unused time where nothing is paid in advance (§2.8)."""
    if "on_termination_credit_note" in values:
        contract = (await get_contracts(tx, [subscription]))[subscription.id]
        if not contract.plan.pay_in_advance:
            del values["on_termination_credit_note"]
