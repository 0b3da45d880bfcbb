"""An invoice's dates: issued, finalized, due (subscriptions §5.5, invoicing §3)."""

from __future__ import annotations

from datetime import date, timedelta

from tallymark.domain.values import value

CURRENT_PERIOD_END = "current_period_end"
KEEP_ANCHOR = "keep_anchor"


@value
class IssuingRules:
    """The customer's terms, resolved: days of grace, days to pay, and what the issuing date follows."""

    grace_days: int
    net_payment_term: int
    anchor: str
    adjustment: str


@value
class InvoiceDates:
    """Local days of the customer's zone."""

    issuing_date: date
    expected_finalization_date: date
    payment_due_date: date


def issuing_shift(rules: IssuingRules, *, is_recurring: bool) -> int:
    """By how many days the issuing date of a subscription invoice follows the billing day (invoicing §3)."""
    if not is_recurring:
        return rules.grace_days
    keeps = rules.adjustment == KEEP_ANCHOR
    if rules.anchor == CURRENT_PERIOD_END:
        return -1 if keeps or rules.grace_days == 0 else rules.grace_days
    return 0 if keeps else rules.grace_days


def new_invoice_dates(
    rules: IssuingRules, *, day: date, is_recurring: bool, has_grace: bool = True
) -> InvoiceDates:
    """Dates of an invoice billed on a local day; only subscription invoices have a grace period."""
    shift = issuing_shift(rules, is_recurring=is_recurring) if has_grace else 0
    issuing_date = day + timedelta(days=shift)
    return InvoiceDates(
        issuing_date=issuing_date,
        expected_finalization_date=day + timedelta(days=rules.grace_days if has_grace else 0),
        payment_due_date=issuing_date + timedelta(days=rules.net_payment_term),
    )


def finalized_dates(
    dates: InvoiceDates, rules: IssuingRules, *, today: date, is_recurring: bool
) -> InvoiceDates:
    """Dates of a draft that becomes final today: issued today unless the anchor is kept, due by today's terms."""
    keeps = is_recurring and rules.adjustment == KEEP_ANCHOR
    issuing_date = dates.issuing_date if keeps else today
    return InvoiceDates(
        issuing_date=issuing_date,
        expected_finalization_date=dates.expected_finalization_date,
        payment_due_date=issuing_date + timedelta(days=rules.net_payment_term),
    )
