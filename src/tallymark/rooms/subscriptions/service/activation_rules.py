"""Rules that hold a subscription back until its first invoice is paid (subscriptions §2.10).

They need a method of a payment provider. Where the customer has none, every rule is refused with what they lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Problems
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import (
    RULE_CHANGES,
    ActivationRule,
    Contract,
    PaidBy,
    RuleStatus,
    Status,
    Subscription,
)
from tallymark.rooms.subscriptions.service.agenda import bills_start

PAYMENT = "payment"
"""The one type of rule that there is."""


async def check_rules(
    tx: Tx,
    rules: Any,
    customer: Customer | None,
    problems: Problems,
    *,
    paid_by: PaidBy | None,
    subscription: Subscription | None = None,
) -> None:
    """Note why rules can't be kept.

    `paid_by` is the payment method that was chosen, None where nothing was said of it; `subscription` is the one that the
    rules are for, if there is one.
    """
    if rules is None or rules == []:
        return
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        problems.add("activation_rules", "invalid_format")
    elif any(rule.get("type") != PAYMENT for rule in rules):
        problems.add("activation_rules", "invalid_type")
    elif len(rules) > 1:
        problems.add("activation_rules", "duplicated_type")
    elif subscription is not None and subscription.status is not Status.PENDING:
        problems.add("activation_rules", "subscription_not_pending")
    elif not _is_timeout(rules[0].get("timeout_hours", 0)):
        problems.add("timeout_hours", "value_must_be_positive_or_zero")
    else:
        missing = await _missing(tx, customer, paid_by)
        if missing is not None:
            problems.add("customer", missing)


LONGEST_TIMEOUT = 2**31
"""What a column holds; it is longer than anybody waits."""


def _is_timeout(hours: object) -> bool:
    return isinstance(hours, int) and not isinstance(hours, bool) and 0 <= hours < LONGEST_TIMEOUT


async def _missing(tx: Tx, customer: Customer | None, paid_by: PaidBy | None) -> str | None:
    """What the customer lacks to be collected from; None for nothing. A partner is never collected from."""
    if paid_by is not None and paid_by.method_type == "manual":
        return "manual_payment_method_invalid_for_payment_activation_rules"
    if customer is None or customer.payment_provider is None or customer.is_partner:
        return "no_linked_payment_provider"
    method = await customers.find_payment_method(tx, customer.id, paid_by.method_id if paid_by else None)
    if method is not None:
        return None
    return "no_default_payment_method" if paid_by is None else "payment_method_not_found"


async def set_rules(
    tx: Tx, subscription_id: UUID, rules: Sequence[Mapping[str, Any]] | None, *, now: datetime
) -> None:
    """Replace all rules of a subscription by those that were checked; None leaves them as they are."""
    if rules is None:
        return
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "subscription_id": subscription_id,
            "rule_type": rule["type"],
            "timeout_hours": rule.get("timeout_hours", 0),
            "status": RuleStatus.INACTIVE,
            "created_at": now,
            "updated_at": now,
        }
        for rule in rules
    ]
    await repository.replace_rules(tx, subscription_id, rows)


async def has_rules(tx: Tx, subscription_id: UUID) -> bool:
    """Whether a subscription has any."""
    return bool(await repository.rules_of(tx, [subscription_id]))


async def must_wait(tx: Tx, contract: Contract, *, started_at: datetime, now: datetime) -> bool:
    """Evaluate the rules of a subscription that begins: whether it waits for its first payment.

    It does if its first invoice has anything on it: the base price of a plan in advance that is in no trial, or fixed
    charges in advance. A start in the past is not invoiced, so that nothing is waited for.
    """
    rules = await _rules(tx, contract.subscription.id, RuleStatus.INACTIVE)
    if not rules:
        return False
    waits = not contract.is_back_dated(now) and _bills_anything(contract, started_at)
    for rule in rules:
        expires_at = now + timedelta(hours=rule.timeout_hours) if waits and rule.timeout_hours else None
        await _change(
            tx,
            rule,
            RuleStatus.PENDING if waits else RuleStatus.NOT_APPLICABLE,
            now=now,
            expires_at=expires_at,
        )
    return waits


def _bills_anything(contract: Contract, started_at: datetime) -> bool:
    first = contract.relations.first_started_at
    relations = replace(contract.relations, first_started_at=min(first or started_at, started_at))
    begun = replace(contract, relations=relations)
    return bills_start(begun, at=started_at) or any(
        charge.pay_in_advance for charge in contract.plan.fixed_charges
    )


async def waits_until(tx: Tx, subscription_id: UUID) -> datetime | None:
    """When a subscription has waited long enough; None for never."""
    rules = await _rules(tx, subscription_id, RuleStatus.PENDING)
    return min((rule.expires_at for rule in rules if rule.expires_at is not None), default=None)


async def conclude(tx: Tx, subscription_id: UUID, status: RuleStatus, *, now: datetime) -> None:
    """Note what became of the rules that a subscription waited for."""
    for rule in await _rules(tx, subscription_id, RuleStatus.PENDING):
        await _change(tx, rule, status, now=now)


async def _rules(tx: Tx, subscription_id: UUID, status: RuleStatus) -> list[ActivationRule]:
    rules = (await repository.rules_of(tx, [subscription_id])).get(subscription_id, ())
    return [rule for rule in rules if rule.status is status]


async def _change(
    tx: Tx, rule: ActivationRule, status: RuleStatus, *, now: datetime, expires_at: datetime | None = None
) -> None:
    if status not in RULE_CHANGES[rule.status]:
        raise AssertionError(f"a rule that is {rule.status} does not become {status}")
    changed = {"status": status, "expires_at": expires_at or rule.expires_at, "updated_at": now}
    await repository.update_rule(tx, rule.id, changed)
