"""Rules that hold a subscription back until its first invoice is paid (subscriptions §2.10).

They need a method of a payment provider, and none can be connected in this release: every rule is refused, each with
the reason that is the customer's own.
"""

from __future__ import annotations

from typing import Any

from tallymark.domain.errors import Problems
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.subscriptions.model import Status, Subscription


def check_rules(
    rules: Any,
    customer: Customer | None,
    problems: Problems,
    *,
    payment_method_type: str | None,
    subscription: Subscription | None = None,
) -> None:
    """Note why rules can't be kept; `subscription` is the one that they are for, if there is one."""
    if rules is None or rules == []:
        return
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        problems.add("activation_rules", "invalid_format")
    elif any(rule.get("type") != "payment" for rule in rules):
        problems.add("activation_rules", "invalid_type")
    elif len(rules) > 1:
        problems.add("activation_rules", "duplicated_type")
    elif subscription is not None and subscription.status is not Status.PENDING:
        problems.add("activation_rules", "subscription_not_pending")
    elif not _is_timeout(rules[0].get("timeout_hours", 0)):
        problems.add("timeout_hours", "value_must_be_positive_or_zero")
    else:
        problems.add("customer", _missing(customer, payment_method_type))


def _is_timeout(hours: object) -> bool:
    return isinstance(hours, int) and not isinstance(hours, bool) and hours >= 0


def _missing(customer: Customer | None, payment_method_type: str | None) -> str:
    """What the customer lacks to be collected from."""
    if payment_method_type == "manual":
        return "manual_payment_method_invalid_for_payment_activation_rules"
    if customer is None or customer.payment_provider is None:
        return "no_linked_payment_provider"
    return "no_default_payment_method"
